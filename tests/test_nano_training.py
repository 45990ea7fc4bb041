"""What the nano zoo's training is made of: encodings, frozen and fresh layers, the heads of the four PRM formats.

Run: python -m pytest tests/test_nano_training.py
"""

import random
import sys

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from ttslib.nano import zoo
from ttslib.nano.encoding import encode
from ttslib.nano.layouts import build_layout
from ttslib.nano.muon import Float32Muon
from ttslib.nano.optimise import autocast, descend, fast_bf16, optimizers
from ttslib.nano.prm_data import Labelled, made
from ttslib.nano.specs import CHECKERS, POLICIES, PRM_FAMILIES, PRMS, PRMSpec
from ttslib.nano.stacked import Stacked, deepened
from ttslib.nano.styles import STYLES
from ttslib.nano.tokenizer import VOCABULARY
from ttslib.nano.train_checker import Data, verdict_pair
from ttslib.nano.train_prm import cool, start_network
from ttslib.prms import load_prm

WORKED = "Compute 1 + 2 + 3."
RIGHT = ("## Step 1: 1+2=3", "## Step 2: 3+3=6", "The final answer is: $\\boxed{6}$")


@pytest.fixture(autouse=True)
def not_compiled():
    with torch.compiler.set_stance("force_eager"):
        yield


def tiny(layers: int) -> LlamaForCausalLM:
    """A network with random weights."""
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=layers, num_attention_heads=1,
        num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=False,
    ))


@pytest.mark.parametrize("name", PRM_FAMILIES)
def test_an_encoding_knows_the_first_wrong_token(name):
    layout = build_layout(name)
    slip = Labelled(WORKED, (RIGHT[0], "## Step 2: 3+3=7", "The final answer is: $\\boxed{7}$"), 1, RIGHT[1])
    right, wrong = encode(Labelled(WORKED, RIGHT), layout), encode(slip, layout)
    decode = layout.tokenizer.decode
    assert right.wrong == len(right) and decode(right.ids[right.start :]).startswith("## Step 1: 1+2=3")
    assert decode(wrong.ids[wrong.wrong]) == "7" and wrong.ids[: wrong.wrong] == right.ids[: wrong.wrong]
    assert len(right.positions) == 3 and right.positions[-1] == len(right) - 1
    assert wrong.positions[0] < wrong.wrong < wrong.positions[1]


@pytest.mark.parametrize("name", PRM_FAMILIES)
def test_a_wrong_step_whose_right_one_is_not_known_is_wrong_from_its_start(name):
    layout = build_layout(name)
    encoding = encode(Labelled(WORKED, RIGHT, 1), layout)
    assert encoding.positions[0] < encoding.wrong <= encoding.positions[1]


def test_made_examples_in_every_style_are_right_before_their_first_wrong_token():
    data, rng = Data(0), random.Random(0)
    for layout in data.layouts:
        for style in STYLES:
            for _ in range(20):
                example = made(next(data.worked), style, rng, 0.5)
                encoding = encode(example, layout)
                if example.wrong < 0:
                    assert encoding.wrong == len(encoding)
                else:
                    before = encoding.positions[example.wrong - 1] if example.wrong else encoding.start - 1
                    assert before < encoding.wrong <= encoding.positions[example.wrong]


def test_noise_is_in_numbers_and_signs_of_the_solution_only():
    data = Data(0)
    noisy = data.noisy()
    found = [next(noisy) for _ in range(200)]
    wrong = [encoding for encoding in found if encoding.wrong < len(encoding)]
    assert len(wrong) > 150 and all(encoding.start <= encoding.wrong for encoding in found)
    assert {encoding.ids[encoding.wrong] for encoding in wrong} <= {*data.numbers, *data.signs}


def test_frozen_and_fresh_layers_are_the_network_in_two_parts():
    network = deepened(tiny(2), 2)
    torch.nn.init.normal_(network.model.layers[3].mlp.down_proj.weight, std=0.1)
    stacked = Stacked(network, 2)
    ids = torch.randint(0, VOCABULARY, (3, 11))
    _, top = stacked.high(stacked.low(ids))
    assert torch.allclose(network.model.norm(top), network.model(ids).last_hidden_state, atol=1e-5)
    assert not any(p.requires_grad for layer in network.model.layers[:2] for p in layer.parameters())
    assert all(p.requires_grad for p in stacked.fresh.parameters())


def test_fresh_layers_change_nothing_at_first():
    base = tiny(2)
    ids = torch.randint(0, VOCABULARY, (2, 7))
    assert torch.allclose(deepened(base, 3)(ids).logits, base(ids).logits, atol=1e-5)


@pytest.mark.parametrize("format", PRM_FAMILIES)
def test_a_prm_starts_with_the_verdict_of_its_checker_and_loads_by_its_folder(format, tmp_path):
    checker = tiny(5)
    checker.save_pretrained(tmp_path / "nano-checker-1m")
    network, layout = start_network(PRMSpec("x", format, "nano-checker-1m", (), ""), tmp_path)
    encoded = layout.encode(WORKED, list(RIGHT))
    hidden = network.model(torch.tensor([encoded.ids])).last_hidden_state[0, list(encoded.positions)]
    good, bad = verdict_pair(layout.tokenizer)
    verdict = hidden @ (checker.lm_head.weight[good] - checker.lm_head.weight[bad])
    assert torch.allclose(layout.log_odds(network, hidden), verdict, atol=1e-5)
    assert torch.allclose(layout.scores(network, hidden), verdict.sigmoid(), atol=1e-5)
    network.save_pretrained(tmp_path / "prm")
    layout.tokenizer.save_pretrained(tmp_path / "prm")
    assert type(load_prm(str(tmp_path / "prm")).format) is type(layout)


def test_specs_name_models_that_exist():
    assert all(spec.base in POLICIES for spec in CHECKERS.values())
    assert {spec.format for spec in PRMS.values()} == set(PRM_FAMILIES)
    assert all(spec.checker in CHECKERS and set(spec.rollouts) <= set(POLICIES) for spec in PRMS.values())
    assert len({spec.stands_for for spec in PRMS.values()}) == len(PRMS) == 7


def test_training_without_a_compiler_is_refused_at_once(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert zoo.main(["nano-llama-0.1m"]) == 2
    assert "no no-such-compiler: install it" in capsys.readouterr().err


def test_an_unknown_model_is_refused_with_the_names_that_there_are(monkeypatch, capsys):
    monkeypatch.setenv("CXX", sys.executable)
    assert zoo.main(["nano-llama-9m"]) == 2
    assert "Unknown nano model 'nano-llama-9m': give one of nano-llama-0.1m" in capsys.readouterr().err


def test_cooled_attention_has_smaller_logits_and_is_less_sure():
    network = tiny(2)
    with torch.no_grad():
        for layer in network.model.layers:
            layer.self_attn.q_proj.weight.mul_(400)
    network.set_attn_implementation("eager")
    ids = torch.arange(40)[None] % 7

    def surest():
        return [heads.max(-1).values.mean().item() for heads in network(ids, output_attentions=True).attentions]

    before = surest()
    cool(network.model.layers[1:], (8,))
    after = surest()
    assert after[0] == before[0] and after[1] < before[1] - 0.1
    cool(network.model.layers[1:], (0.125,))
    assert surest() == before
    with pytest.raises(ValueError):
        cool(network.model.layers, (8,))


@pytest.mark.parametrize("shape", [(32, 96), (96, 32), (48, 48)])
def test_muon_in_float32_is_torchs_but_for_rounding(shape):
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), torch.randn(5, *shape)
    moved = []
    for muon in (torch.optim.Muon, Float32Muon):
        matrix = torch.nn.Parameter(start.clone())
        optimizer = muon([matrix], lr=0.1, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
        for gradient in gradients:
            matrix.grad = gradient.clone()
            optimizer.step()
        moved.append(matrix.detach() - start)
    assert torch.allclose(*moved, atol=0.02 * moved[0].abs().max().item())


def test_muon_in_float32_leaves_a_matrix_without_gradient_and_refuses_another_scale():
    matrix = torch.nn.Parameter(torch.ones(2, 3))
    Float32Muon([matrix], lr=0.1, weight_decay=0.01, adjust_lr_fn="match_rms_adamw").step()
    assert torch.equal(matrix, torch.ones(2, 3))
    with pytest.raises(ValueError, match="original"):
        Float32Muon([matrix], lr=0.1, weight_decay=0.01, adjust_lr_fn="original")


@pytest.mark.parametrize("fast", [True, False])
def test_training_descends_in_bf16_where_that_is_fast_and_in_float32_elsewhere(fast, monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: fast)
    assert fast_bf16("cuda") and fast_bf16("cpu") == fast
    network, ids, losses = tiny(1), torch.arange(40)[None] % 7, []
    opts = optimizers(network, 0.01)
    assert isinstance(opts[0], torch.optim.Muon if fast else Float32Muon)
    for _ in range(8):
        with autocast("cpu"):
            logits = network(ids).logits
        assert logits.dtype == (torch.bfloat16 if fast else torch.float32)
        losses.append(torch.nn.functional.cross_entropy(logits[0, :-1].float(), ids[0, 1:]))
        descend(losses[-1], opts)
    assert losses[-1] < 0.7 * losses[0]
