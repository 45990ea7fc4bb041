"""The four PRM formats on checkpoints of the true architectures and heads, laid out as their originals.

Weights are random and small, tokenizers too, with the true special tokens and chat templates. What is expected is
derived here from the published formulas, on plain networks of transformers, one text at a time.
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import weakref

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Model,
)

from ttslib.policies.base import Path, Step
from ttslib.prms import PAPER_PRMS, PRM, get_format, identify, load_prm
from ttslib.prms.base import Unread
from ttslib.prms.formats import one_token
from ttslib.prms.formats.tag_token import TagToken
from ttslib.prms.formats.value_head import ValueHead
from ttslib.problems import Problem
from ttslib.zoo import ZOO, weights_hash

FORMATS = ("tag", "two_class", "chat_turns", "value_head")
CONTEXT = 600
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
CORPUS = ["What is 1 + 2? So 1 + 2 = 3. ++ +1 -- -x+y\n\n + \n", "Step 1: add\n\nStep 2: é ∑ 漢字\n"] * 20
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_TEMPLATE = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
QWEN_TEMPLATE = """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- set messages = messages[1:] %}
{%- else %}
    {{- '<|im_start|>system\\nPlease reason step by step, and put your final answer within \\\\boxed{}.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
QUESTION = "What is 1+2+3+4 - 4, and why? é"
CASES = {
    "one step": ["1+2 = 3\n\n"],
    "many steps": [f"Step {n}: {n} + {n} = {2 * n}\n\n" for n in range(1, 9)],
    "empty lines inside a step": ["First:\n\n\n\n+\n\nthen 3.\n\n", "So\n\n6\n \n= 6\n\n"],
    "unicode": ["é ∑ 漢字 🎲 к\u0301и\n\n", "\u200b−+＋\n\n", "\ue000+\ue000"],
    "signs of the format": ["+\n\n", "-\n\n", "+ + -\n\n", "user+assistant+"],
    "an empty last step": ["1+2 = 3\n\n", ""],
    "empty steps": ["", " \n", "\n\n", "6"],
}


# The checkpoints ------------------------------------------------------------------------------------------------------


def byte_level(number: str, special: list[str]) -> Tokenizer:
    """Byte-level BPE with the splitting rule of Llama 3 or Qwen2 and a few merges, "++" and "\\n\\n" among them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS.replace("NUMBER", number)), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=340, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    ))
    tokenizer.add_special_tokens(special)
    return tokenizer


def save_tokenizer(folder, tokenizer, kind: str) -> None:
    tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"tokenizer_class": kind}))


def mistral_tokenizer() -> LlamaTokenizer:
    """SentencePiece-like, with the ids of Mistral's vocabulary for the tag, "+" and "-"."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *(f"<{n}>" for n in range(31_741))]
    true = {"▁+": 648, "▁-": 387, "▁ки": 12902, "▁к": 5000, "▁": 28705, "к": 28891, "и": 28786, "+": 28806, "-": 28733}
    others = dict(zip("0123456789=.?,:abcdefghijklmnopqrstuvwxyzSTW", range(29_000, 29_100), strict=False))
    for piece, number in (true | others).items():
        pieces[number] = piece
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [("▁", "к"), ("▁к", "и"), ("▁", "+"), ("▁", "-")]
    tokenizer = LlamaTokenizer(vocab=vocabulary, merges=merges)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def shape(**more) -> dict:
    return {
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "max_position_embeddings": CONTEXT, "initializer_range": 0.1, **more,
    }  # fmt: skip


def write_tag(folder) -> None:
    """Math-Shepherd: a Mistral with its sliding window, here much shorter than the texts."""
    save_tokenizer(folder, mistral_tokenizer(), "LlamaTokenizer")
    config = MistralConfig(vocab_size=32_000, sliding_window=24, **shape(), tie_word_embeddings=False)
    MistralForCausalLM(config).save_pretrained(folder)


def write_chat_turns(folder) -> None:
    """RLHFlow: Llama 3.1 with its rope scaling, in several files."""
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|start_header_id|>"]
    tokenizer = byte_level(r"\p{N}{1,3}", [*special, "<|end_header_id|>", "<|eot_id|>"])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>", chat_template=LLAMA_TEMPLATE
    )
    save_tokenizer(folder, fast, "PreTrainedTokenizerFast")
    rope = {
        "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }  # fmt: skip
    config = LlamaConfig(vocab_size=len(fast), rope_parameters=rope, tie_word_embeddings=False, **shape())
    LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="100KB")


def qwen_tokenizer(folder, bos: str | None) -> int:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<extra_0>"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=byte_level(r"\p{N}", special), bos_token=bos, eos_token="<|im_end|>",
        pad_token="<|endoftext|>", chat_template=QWEN_TEMPLATE,
    )  # fmt: skip
    save_tokenizer(folder, fast, "Qwen2Tokenizer")
    return len(fast)


def write_value_head(folder) -> None:
    """Skywork: `model.*` and `lm_head` of a causal Qwen2, `v_head.summary.*` beside them."""
    size = qwen_tokenizer(folder, "<|endoftext|>")
    network = Qwen2ForCausalLM(Qwen2Config(vocab_size=size, tie_word_embeddings=False, **shape()))
    head = torch.nn.Linear(64, 1)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    weights |= {"v_head.summary.weight": head.weight.data * 8, "v_head.summary.bias": head.bias.data}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = network.config.to_dict() | {"architectures": ["Qwen2ForPrmModel"]}
    config["auto_map"] = {"AutoModel": "modeling_qwen2_prm.Qwen2ForPrmModel"}
    (folder / "config.json").write_text(json.dumps(config))


def write_two_class(folder) -> None:
    """Qwen2.5-Math-PRM: `model.*`, and `score.0`, `score.2` of a Sequential(Linear, ReLU, Linear)."""
    size = qwen_tokenizer(folder, None)
    body = Qwen2Model(Qwen2Config(vocab_size=size, **shape()))
    weights = {f"model.{name}": value.clone() for name, value in body.state_dict().items()}
    for layer, head in (("score.0", torch.nn.Linear(64, 64)), ("score.2", torch.nn.Linear(64, 2))):
        weights |= {f"{layer}.weight": head.weight.data * 3, f"{layer}.bias": head.bias.data}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = body.config.to_dict() | {"architectures": ["Qwen2ForProcessRewardModel"]}
    config["auto_map"] = {"AutoModel": "modeling_qwen2_rm.Qwen2ForProcessRewardModel"}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {}
    for kind in FORMATS:
        found[kind] = tmp_path_factory.mktemp(kind)
        torch.manual_seed(0)
        globals()[f"write_{kind}"](found[kind])
    return found


@pytest.fixture(scope="module", params=FORMATS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(folders, kind):
    return folders[kind]


def told(kind: str) -> dict:
    """What `load_prm` must be told of a folder: the format, where the architecture does not say it."""
    return {"format": kind} if kind in ("tag", "chat_turns") else {}


@pytest.fixture(scope="module")
def prms(folder, kind):
    """(with the KV cache, plain full forward passes)."""
    return load_prm(str(folder), **told(kind)), load_prm(str(folder), reuse=False, **told(kind))


# What is expected -----------------------------------------------------------------------------------------------------


class Expected:
    """Scores by the published formula of each format, from the files in `folder`."""

    def __init__(self, kind: str, folder):
        self.score = getattr(self, kind)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        network_class = {
            "tag": MistralForCausalLM, "chat_turns": LlamaForCausalLM, "value_head": Qwen2ForCausalLM,
        }.get(kind, Qwen2Model)  # fmt: skip
        if kind == "two_class":
            self.weights = load_file(folder / "model.safetensors")
            self.network = Qwen2Model(Qwen2Config.from_pretrained(folder))
            self.network.load_state_dict({
                name.removeprefix("model."): value for name, value in self.weights.items() if name.startswith("model.")
            })
        else:
            self.network = network_class.from_pretrained(folder, dtype=torch.float32)
        if kind == "value_head":
            with safe_open(folder / "model.safetensors", "pt") as file:
                self.weight, self.bias = (file.get_tensor(f"v_head.summary.{name}") for name in ("weight", "bias"))
        self.network.eval()

    @torch.no_grad()
    def tag(self, question, steps):
        """Math-Shepherd's model card: softmax over (648, 387) wherever the id is 12902."""
        ids = self.tokenizer.encode(question + " " + "\n".join(step.strip() + " ки" for step in steps))
        scores = self.network(torch.tensor([ids])).logits[0][:, [648, 387]].softmax(-1)[:, 0]
        return [score for score, number in zip(scores.tolist(), ids, strict=True) if number == 12902]

    @torch.no_grad()
    def chat_turns(self, question, steps):
        """RLHFlow's prm_evaluate.py: a forward pass a step, read three tokens from the end."""
        good, bad = (self.tokenizer.encode(sign, add_special_tokens=False)[-1] for sign in "+-")
        conversation, scores = [], []
        for number, step in enumerate(steps):
            content = question + " " + step.strip() if number == 0 else step.strip()
            conversation += [{"role": "user", "content": content}, {"role": "assistant", "content": "+"}]
            ids = self.tokenizer.apply_chat_template(conversation, return_tensors="pt", return_dict=False)
            scores.append(self.network(ids).logits[0, -3, [good, bad]].softmax(-1)[0].item())
        return scores

    @torch.no_grad()
    def value_head(self, question, steps):
        """Skywork's prepare_input: line by line, each line break's own token behind it; sigmoid of the value there."""
        ids = self.tokenizer.encode(self.tokenizer.bos_token + question + "\n")
        line_break, ends = self.tokenizer.encode("\n")[-1], []
        for line in "\n".join(step.replace("\n", " ").strip() for step in steps).split("\n"):
            ids = ids + (self.tokenizer.encode(line) if line else []) + [line_break]
            ends.append(len(ids) - 1)
        hidden = self.network(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
        return (hidden[ends] @ self.weight.T + self.bias)[:, 0].sigmoid().tolist()

    @torch.no_grad()
    def two_class(self, question, steps):
        """The model card of Qwen2.5-Math-PRM: probability of class 1 wherever the id is that of <extra_0>."""
        content = "<extra_0>".join(step.strip() for step in steps) + "<extra_0>"
        messages = [
            {"role": "system", "content": SYSTEM}, {"role": "user", "content": question},
            {"role": "assistant", "content": content},
        ]  # fmt: skip
        ids = self.tokenizer.apply_chat_template(messages, return_tensors="pt", return_dict=False)
        hidden = self.network(ids).last_hidden_state[0]
        layer = {name: value for name, value in self.weights.items() if name.startswith("score.")}
        inner = (hidden @ layer["score.0.weight"].T + layer["score.0.bias"]).relu()
        scores = (inner @ layer["score.2.weight"].T + layer["score.2.bias"]).softmax(-1)[:, 1]
        return scores[ids[0] == self.tokenizer.convert_tokens_to_ids("<extra_0>")].tolist()


@pytest.fixture(scope="module")
def expected(kind, folder):
    return Expected(kind, folder).score


def path(steps, question=QUESTION, scores=()) -> Path:
    return Path(Problem(question, question, "6"), tuple(map(Step, steps)), tuple(scores))


def scores_of(prm, *paths: Path) -> list[list[float]]:
    return asyncio.run(prm.score(paths))


def random_paths(seed: int, count: int) -> list[Path]:
    rng = random.Random(seed)
    pieces = [text for steps in CASES.values() for text in steps]
    questions = [QUESTION, "Why?", "Which +?\n\nSay <b>+</b>. " * 3]
    return [
        path([rng.choice(pieces) * rng.randint(1, 3) for _ in range(rng.randint(1, 6))], rng.choice(questions))
        for _ in range(count)
    ]


def texts(each: Path) -> list[str]:
    return [step.text for step in each.steps]


def close(found, wanted, tolerance) -> bool:
    assert [len(scores) for scores in found] == [len(scores) for scores in wanted]
    return all(abs(a - b) <= tolerance for x, y in zip(found, wanted, strict=True) for a, b in zip(x, y, strict=True))


# Shows 1 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_the_published_formula(prms, expected, case):
    fast, plain = prms
    wanted = [expected(QUESTION, CASES[case])]
    assert len(wanted[0]) == len(CASES[case])
    assert close(scores_of(plain, path(CASES[case])), wanted, 1e-5)
    assert close(scores_of(fast, path(CASES[case])), wanted, 1e-4)


def test_scores_differ_from_step_to_step(prms):
    scores = {round(score, 3) for scores in scores_of(prms[1], *random_paths(1, 20)) for score in scores}
    assert len(scores) > 10


def test_a_batch_of_unequal_lengths(prms, expected):
    paths = random_paths(0, 24)
    wanted = [expected(each.problem.question, texts(each)) for each in paths]
    for prm, tolerance in zip(prms, (1e-4, 1e-5), strict=True):
        assert close(scores_of(prm, *paths), wanted, tolerance)


def test_step_by_step_forwards_only_what_is_new(folder, kind, prms):
    prm, plain = load_prm(str(folder), **told(kind)), prms[1]
    for case in ("many steps", "empty lines inside a step", "an empty last step"):
        scores, before = [], prm.usage.tokens
        for depth in range(1, len(CASES[case]) + 1):
            scores += scores_of(prm, path(CASES[case][:depth], scores=scores))[0]
        assert close([scores], scores_of(plain, path(CASES[case])), 1e-4)
        assert prm.usage.tokens - before <= prm.format.encode(QUESTION, CASES[case]).positions[-1] + 1


def test_step_by_step_in_bfloat16(folder, kind):
    fast, plain = (load_prm(str(folder), dtype="bfloat16", reuse=reuse, **told(kind)) for reuse in (True, False))
    assert fast.network.dtype == torch.bfloat16
    paths = random_paths(2, 12)
    wanted = scores_of(plain, *paths)
    assert close(scores_of(fast, *paths), wanted, 2e-2)
    fast = load_prm(str(folder), dtype="bfloat16", **told(kind))
    for each, scores in zip(paths, wanted, strict=True):
        found = []
        for depth in range(1, len(scores) + 1):
            found += scores_of(fast, path(texts(each)[:depth], each.problem.question, found))[0]
        assert close([found], [scores], 2e-2)


def test_a_head_computes_in_float32_whatever_the_dtype_of_its_body(folder, kind):
    prm = load_prm(str(folder), dtype="bfloat16", **told(kind))
    network = prm.network
    hidden = torch.randn(64, network.config.hidden_size, generator=torch.Generator().manual_seed(0)).bfloat16()
    scores = prm.format.scores(network, hidden.float())
    assert scores.dtype == torch.float32
    assert torch.allclose(scores, prm.format.scores(network.float(), hidden.float()), atol=1e-6)


@pytest.mark.engine
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["tag", "chat_turns"])
def test_vllm_scores_the_same_whole_and_step_by_step(folders, kind, dtype):
    """Heads have 32 channels, which vLLM's CPU attention can compute."""
    tolerance = {"float32": 1e-4, "bfloat16": 1e-2}[dtype]
    ours = load_prm(str(folders[kind]), backend="vllm", dtype=dtype, **told(kind))
    plain = load_prm(str(folders[kind]), reuse=False, dtype=dtype, **told(kind))
    paths = [path(steps) for steps in CASES.values()] + random_paths(3, 12)
    wanted = scores_of(plain, *paths)
    assert close(scores_of(ours, *paths), wanted, tolerance)
    for each, scores in zip(paths, wanted, strict=True):
        found = []
        for depth in range(1, len(scores) + 1):
            found += scores_of(ours, path(texts(each)[:depth], each.problem.question, found))[0]
        assert close([found], [scores], tolerance)
    held = weakref.ref(ours.engine.core)
    ours.close()
    assert held() is None and ours.closed
    with pytest.raises(RuntimeError, match="is closed: load it again"):
        scores_of(ours, paths[0])


def test_an_over_long_path_has_no_scores_and_the_longest_that_fits_has_all_its_scores(prms, expected):
    fast, plain = prms
    step = "9 + 9\n\n"
    count = 1
    while len(plain.format.encode(QUESTION, [step] * (count + 1)).ids) <= CONTEXT:
        count += 1
    wanted = [expected(QUESTION, [step] * count)]
    for prm in prms:
        assert close(scores_of(prm, path([step] * count)), wanted, 1e-4) and len(wanted[0]) == count
        assert scores_of(prm, path([step] * (count + 1))) == [Unread.LONG]


# Where scores are read ------------------------------------------------------------------------------------------------


def test_chat_turns_render_as_published(folders):
    format = load_prm(str(folders["chat_turns"]), format="chat_turns").format
    encoded = format.encode("1+1?", ["1+1 = 2\n\n", "+"])
    user, assistant = (f"<|start_header_id|>{role}<|end_header_id|>\n\n" for role in ("user", "assistant"))
    head = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
    first = f"{head}Today Date: 26 Jul 2024\n\n<|eot_id|>{user}1+1? 1+1 = 2<|eot_id|>{assistant}"
    second = f"{first}+<|eot_id|>{user}+<|eot_id|>{assistant}"
    decode = format.tokenizer.decode
    assert decode(encoded.ids) == f"{second}+<|eot_id|>"
    assert [decode(encoded.ids[: position + 1]) for position in encoded.positions] == [first, second]
    plus = format.tokenizer.convert_tokens_to_ids("+")
    assert [encoded.ids[position + 1] for position in encoded.positions] == [plus, plus]


def test_two_class_and_value_head_render_as_published(folders):
    two_class = load_prm(str(folders["two_class"])).format
    ids = two_class.encode("Why?", ["a\n\n", "b"]).ids
    assert two_class.tokenizer.decode(ids) == (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\na<extra_0>b<extra_0><|im_end|>\n"
    )
    said = load_prm(str(folders["two_class"]), format_options={"system": SYSTEM}).format
    assert said.encode("Why?", ["a\n\n", "b"]).ids == ids
    value = load_prm(str(folders["value_head"])).format
    assert value.tokenizer.decode(value.encode("Why?", ["a\n\nb\n\n", "", "c"]).ids) == (
        "<|endoftext|>Why?\na  b\n\nc\n"
    )


def test_the_ids_of_math_shepherd_are_the_true_ones(folders):
    format = load_prm(str(folders["tag"]), format="tag").format
    assert (format.marker, *format.pair) == (12902, 648, 387)
    encoded = format.encode("1?", ["1", "2"])
    assert encoded.ids == (1, 28705, 29001, 29012, 28705, 29001, 12902, 13, 29002, 12902)
    assert encoded.positions == (6, 9)


CONTROLS = {
    "tag": ["ки", "<s>", "</s>", "<unk>"], "two_class": ["<extra_0>", "<|im_end|>", "<|im_start|>"],
    "chat_turns": ["<|eot_id|>", "<|start_header_id|>", "<|begin_of_text|>"],
    "value_head": ["<|im_end|>", "<|endoftext|>", "<extra_0>"],
}  # fmt: skip


def test_control_tokens_in_question_and_steps_are_plain_text(prms, kind):
    """Every token is the one of the usual text, but for those that spell the control tokens out."""
    format = prms[1].format
    usual = format.encode("What is  here, and  here?", ["Say  once.\n\n", "Then  6."])
    reserved = set(format.tokenizer.added_tokens_decoder)
    for control in CONTROLS[kind]:
        steps = ["Say  once.\n\n", "Then  6."]
        if control not in ("ки", "<extra_0>") or kind in ("chat_turns", "value_head"):
            steps = [step.replace("  ", f" {control} ") for step in steps]
        question = f"What is {control} here, and {control} here?"
        odd = format.encode(question, steps)
        assert [token for token in odd.ids if token in reserved] == [token for token in usual.ids if token in reserved]
        assert [odd.ids[position] for position in odd.positions] == [usual.ids[at] for at in usual.positions]
        shown = format.tokenizer.decode(odd.ids)
        assert shown.count(control) - format.tokenizer.decode(usual.ids).count(control) == 2 + 2 * (control in steps[0])
        first, second = (scores_of(prm, path(steps, question))[0] for prm in prms)
        assert close([first], [second], 1e-4) and len(first) == 2


@pytest.mark.parametrize("question", ["ки", "A кит and ки?", " ки\nки ки", "к и", "What is ки ки?"])
def test_tags_of_the_question_are_no_tags_of_steps(folders, question):
    """Math-Shepherd's tag is an ordinary piece of its vocabulary, so a question may hold its very token."""
    format = load_prm(str(folders["tag"]), format="tag").format
    encoded = format.encode(question, ["1", "2"])
    assert encoded.ids[-5:] == (29001, 12902, 13, 29002, 12902)
    assert encoded.positions == (len(encoded.ids) - 4, len(encoded.ids) - 1)
    for steps in (["ки"], ["1", "кит"], ["a ки b", "2"]):
        assert scores_of(load_prm(str(folders["tag"]), format="tag"), path(steps, question)) == [Unread.MARKER]


def test_a_step_with_the_marker_is_named_and_the_paths_beside_it_are_scored(folders, kind, prms):
    marked = path(["1+2", f"= {CONTROLS[kind][0]} 3"])
    for prm in prms:
        found, good = scores_of(prm, marked, path(["1+2", "= 3"]))
        assert len(good) == 2
        assert found is Unread.MARKER if kind in ("tag", "two_class") else len(found) == 2


def test_a_tokenizer_that_lost_its_bos_gets_it_from_the_card(folders):
    tokenizer = AutoTokenizer.from_pretrained(folders["tag"])
    wanted = TagToken(tokenizer).encode("1?", ["1"])
    tokenizer.backend_tokenizer.post_processor = None
    assert TagToken(tokenizer).encode("1?", ["1"]).ids == wanted.ids[1:]
    options = PAPER_PRMS["peiyi9979/math-shepherd-mistral-7b-prm"].options
    assert TagToken(tokenizer, **options).encode("1?", ["1"]) == wanted


def test_a_probability_of_exactly_zero_is_a_score(folders, tmp_path):
    """The code on the model card drops it, and with it the alignment of all later steps."""
    folder = shutil.copytree(folders["two_class"], tmp_path / "sure")
    weights = load_file(folder / "model.safetensors")
    weights["score.2.bias"] = torch.tensor([500.0, 0.0])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert scores_of(load_prm(str(folder)), path(CASES["unicode"])) == [[0.0] * len(CASES["unicode"])]


def test_marks_that_are_no_single_token_are_refused(folders):
    tokenizer = AutoTokenizer.from_pretrained(folders["chat_turns"])
    with pytest.raises(ValueError, match="'ки' is 4 tokens in this tokenizer"):
        TagToken(tokenizer)
    with pytest.raises(ValueError, match="'<step>' is .* tokens in this tokenizer"):
        load_prm(str(folders["two_class"]), format_options={"marker": "<step>"})
    with pytest.raises(ValueError, match="tokens in this tokenizer"):
        ValueHead(tokenizer, " ;; ")

    class Merging:
        """One token alone, several behind a space."""

        def encode(self, text, add_special_tokens=True):
            return [7] if text in ("ки", "+", "-") else [1, 2, 3]

    assert one_token(Merging(), "ки") == 7
    with pytest.raises(ValueError, match="splits into several tokens where it ends a step"):
        TagToken(Merging())


# Loading --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the Hub, and no network; returns a function that puts a folder into the cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def put(folder, repo: str, commit: str):
        place = tmp_path / f"models--{repo.replace('/', '--')}"
        shutil.copytree(folder, place / "snapshots" / commit)
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text(commit)
        return place / "snapshots" / commit

    return put


class Plenty:
    available = 2**40


def test_a_paper_prm_is_loaded_from_the_hub_as_its_card_says(hub, folders, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", Plenty)
    for repo, kind in (
        ("Qwen/Qwen2.5-Math-PRM-7B", "two_class"), ("peiyi9979/math-shepherd-mistral-7b-prm", "tag"),
        ("RLHFlow/Llama3.1-8B-PRM-Mistral-Data", "chat_turns"),
        ("Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B", "value_head"),
    ):  # fmt: skip
        commit = PAPER_PRMS[repo].revision
        commit = "a" * 40 if commit == "main" else commit
        hub(folders[kind], repo, commit)
        prm = load_prm(repo)
        assert (prm.name, prm.revision) == (repo, commit)
        local = load_prm(str(folders[kind]), format=kind)
        assert type(prm.format) is type(local.format)
        assert scores_of(prm, path(CASES["many steps"])) == scores_of(local, path(CASES["many steps"]))


def test_a_name_that_looks_known_is_not_treated_as_known(hub, folders):
    hub(folders["chat_turns"], "someone/Llama3.1-8B-PRM-Mistral-Data", "b" * 40)
    with pytest.raises(ValueError, match="LlamaForCausalLM, which does not say how it is asked: give format="):
        load_prm("someone/Llama3.1-8B-PRM-Mistral-Data")
    prm = load_prm("someone/Llama3.1-8B-PRM-Mistral-Data", format="chat_turns")
    assert prm.revision == "b" * 40
    with pytest.raises(ValueError, match="which does not say how it is asked"):
        load_prm(str(folders["tag"]))


def test_what_cannot_be_had_ends_in_one_sentence(hub, folders, monkeypatch):
    with pytest.raises(ValueError, match="is not in the local cache and HF_HUB_OFFLINE is set"):
        load_prm("Qwen/Qwen2.5-Math-PRM-72B")
    with pytest.raises(ValueError, match="Unknown PRM 'qwen-prm'"):
        load_prm("qwen-prm")
    with pytest.raises(ValueError, match="Unknown PRM format 'qwen'"):
        load_prm("Qwen/Qwen2.5-Math-PRM-72B", format="qwen")
    with pytest.raises(ValueError, match="Unknown dtype 'int3'"):
        load_prm(str(folders["two_class"]), dtype="int3")
    snapshot = hub(folders["two_class"], "Qwen/Qwen2.5-Math-PRM-72B", "c" * 40)
    with pytest.raises(ValueError, match=r"PRM-72B needs 266.5 GiB for its weights, and cpu has \d+"):
        load_prm("Qwen/Qwen2.5-Math-PRM-72B")
    monkeypatch.setattr("psutil.virtual_memory", Plenty)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="no safetensors at c+ in the local cache, and HF_HUB_OFFLINE is set"):
        load_prm("Qwen/Qwen2.5-Math-PRM-72B")


def test_a_gated_or_unreachable_hub_ends_in_one_sentence_before_any_weight(hub, monkeypatch):
    """Not even the second look-up of huggingface_hub, which would try again for half a minute, is made."""
    import httpx2
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    def download(*, local_files_only=False, **place):
        if local_files_only:
            raise LocalEntryNotFoundError("not here")
        raise GatedRepoError("gated", response=httpx2.Response(403, request=httpx2.Request("GET", "https://hub")))

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("weights were asked for"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setattr("ttslib.zoo.unreachable", lambda endpoint: "")
    with pytest.raises(ValueError, match="PRM-7B is gated: accept its licence on the Hub and set HF_TOKEN"):
        load_prm("Qwen/Qwen2.5-Math-PRM-7B")
    monkeypatch.setattr("ttslib.zoo.unreachable", lambda endpoint: "the Hub cannot be reached (ConnectError)")
    with pytest.raises(ValueError, match="is not in the local cache and the Hub cannot be reached"):
        load_prm("Qwen/Qwen2.5-Math-PRM-7B")


WHERE_AND_HOW = {"device": "cpu", "cache_tokens": 99, "batch_tokens": 300, "patience": 2, "reuse": False}


@pytest.mark.parametrize("options", [
    {}, {"dtype": "bfloat16"}, {"dtype": "float32"}, {"format_options": {"system": "Check."}}, {"format_options": {}},
    {"format": "two_class"}, {"backend": "transformers"}, WHERE_AND_HOW, {"dtype": "float16", **WHERE_AND_HOW},
])  # fmt: skip
def test_identity_is_known_without_loading(folders, options):
    """It has what was asked for and changes scores; what every machine would do by itself is not told apart."""
    folder = str(folders["two_class"])
    identity = identify(folder, **options)
    assert identity == load_prm(folder, **options).identity
    told = {option: options[option] for option in ("dtype", "format_options") if options.get(option)}
    assert identity == {"name": folder, "revision": weights_hash(folders["two_class"])} | (
        {"settings": told} if told else {}
    )


def test_a_format_that_nothing_else_tells_is_part_of_the_identity(folders):
    identity = identify(str(folders["tag"]), format="tag")
    assert identity["settings"] == {"format": "tag"}
    assert identity == load_prm(str(folders["tag"]), format="tag").identity


def test_a_nano_prm_is_of_float32_everywhere_so_that_says_nothing():
    assert identify("nano-prm-shepherd", dtype="float32", format="tag") == identify("nano-prm-shepherd")
    assert identify("nano-prm-shepherd", dtype="bfloat16")["settings"] == {"dtype": "bfloat16"}
    assert identify("nano-prm-shepherd", backend="vllm", max_num_seqs=3)["settings"] == {"backend": "vllm"}


def test_identities_of_the_hub_are_commits(hub, folders, monkeypatch):
    """That of a card without asking the Hub; else that of the config.json in the cache."""
    pinned = "Qwen/Qwen2.5-Math-PRM-7B"
    assert identify(pinned) == {"name": pinned, "revision": PAPER_PRMS[pinned].revision}
    with pytest.raises(ValueError, match="is not in the local cache and HF_HUB_OFFLINE is set"):
        identify("Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B")
    monkeypatch.setattr("psutil.virtual_memory", Plenty)
    hub(folders["two_class"], pinned, PAPER_PRMS[pinned].revision)
    for number, (repo, kind, options) in enumerate([
        ("Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B", "value_head", {}),
        ("RLHFlow/Llama3.1-8B-PRM-Mistral-Data", "chat_turns", {"format_options": {"system": "Check."}}),
        ("someone/prm", "chat_turns", {"format": "chat_turns"}),
    ]):  # fmt: skip
        hub(folders[kind], repo, f"{number}" * 40)
        identity = identify(repo, **options)
        assert identity == load_prm(repo, **options).identity
        assert identity == {"name": repo, "revision": f"{number}" * 40} | ({"settings": options} if options else {})
    for options in ({}, {"format": "two_class", "format_options": {"system": "Check."}}):
        assert identify(pinned, **options) == load_prm(pinned, **options).identity


@pytest.mark.parametrize(("name", "options", "said"), [
    ("nano-prm-none", {}, "Unknown PRM"), ("nano-prm-shepherd", {"format": "other"}, "Unknown PRM format 'other'"),
    ("nano-prm-shepherd", {"dtype": "int3"}, "Unknown dtype"), ("nano-llama-0.1m", {}, "does not say how it is asked"),
    ("nano-prm-shepherd", {"backend": "tgi"}, "Unknown PRM backend"),
    ("nano-prm-qwen-m", {"backend": "vllm"}, "which vLLM does not score"),
])  # fmt: skip
def test_what_cannot_be_loaded_has_no_identity(name, options, said):
    with pytest.raises(ValueError, match=said):
        identify(name, **options)


def test_identities_import_no_engine(hub, folders, tmp_path):
    hub(folders["value_head"], "someone/prm", "a" * 40)
    program = """if True:
        import sys
        from ttslib.prms import FORMATS, identify
        for name in sys.argv[1:]:
            print(identify(name, dtype="float16")["revision"])
        print(*(module for module in ("torch", "transformers", "vllm") if module in sys.modules), len(FORMATS))
    """
    names = ["nano-prm-qwen-m", "Qwen/Qwen2.5-Math-PRM-7B", str(folders["two_class"]), "someone/prm"]
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, *names], env=environment, capture_output=True, text=True, check=True
    )
    revisions = [weights_hash(ZOO / names[0]), PAPER_PRMS[names[1]].revision, weights_hash(folders["two_class"])]
    assert done.stdout.splitlines() == [*revisions, "a" * 40, "4"]


def test_each_card_has_a_format_that_takes_its_options(folders):
    for card in PAPER_PRMS.values():
        tokenizer = AutoTokenizer.from_pretrained(folders[card.format])
        assert get_format(card.format)(tokenizer, **card.options).name == card.format


def test_a_prm_that_says_nothing_of_itself_has_the_defaults():
    class Mine(PRM):
        name = "mine"

    mine = Mine()
    mine.close()
    assert mine.identity == {"name": "mine", "revision": ""} and not mine.closed and mine.backend == ""
    assert mine.usage is mine.usage and mine.usage.tokens == 0
    with pytest.raises(NotImplementedError, match="Mine does not say how it scores: give it a method score"):
        scores_of(mine, path(["1"]))
    with pytest.raises(TypeError):
        mine.settings["dtype"] = "float16"


def test_a_missing_or_broken_file_is_named(folders, tmp_path):
    folder = shutil.copytree(folders["chat_turns"], tmp_path / "shards")
    tokenizer = (folder / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="has no tokenizer: none of tokenizer.json"):
        load_prm(str(folder), format="chat_turns")
    tokenizer.rename(folder / "tokenizer.json")
    last = sorted(folder.glob("*.safetensors"))[-1]
    last.write_bytes(last.read_bytes()[:-7])
    with pytest.raises(ValueError, match=rf"{last.name} cannot be read"):
        load_prm(str(folder), format="chat_turns")
    last.unlink()
    with pytest.raises(ValueError, match=rf"lacks {last.name}, one of \d+ files"):
        load_prm(str(folder), format="chat_turns")


def test_another_head_layout_is_named(folders, tmp_path):
    """The prefix that TRL's wrapper gives the body, a head that is not there, a format that has another head."""
    folder = shutil.copytree(folders["value_head"], tmp_path / "wrapped")
    weights = load_file(folder / "model.safetensors")
    wrapped = {name if "v_head" in name else f"pretrained_model.{name}": value for name, value in weights.items()}
    save_file(wrapped, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no tensor model.embed_tokens.weight.* has those of pretrained_model, v_head"):
        load_prm(str(folder))
    weights.pop("v_head.summary.bias")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no tensor v_head.summary.bias, which its PRM format needs"):
        load_prm(str(folder))
    with pytest.raises(ValueError, match="no tensor score.0.weight"):
        load_prm(str(folders["value_head"]), format="two_class")
    weights = load_file(folders["two_class"] / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    folder = shutil.copytree(folders["two_class"], tmp_path / "part")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no tensor model.layers.1.mlp.up_proj.weight"):
        load_prm(str(folder))


INNER = {1536: 8960, 3584: 18944, 8192: 29568}


@pytest.mark.parametrize("card", PAPER_PRMS.values(), ids=lambda card: card.name)
def test_the_parameters_of_a_card_are_those_of_its_architecture(card):
    sizes = {
        "vocab_size": card.vocabulary, "hidden_size": card.hidden_size, "num_hidden_layers": card.layers,
        "num_attention_heads": card.heads, "num_key_value_heads": card.kv_heads, "tie_word_embeddings": False,
    }  # fmt: skip
    assert card.heads * card.head_dim == card.hidden_size
    with torch.device("meta"):
        if card.format in ("two_class", "value_head"):
            config = Qwen2Config(**sizes, intermediate_size=INNER[card.hidden_size])
            network = get_format(card.format).network_class()(config)
        else:
            network = LlamaForCausalLM(LlamaConfig(**sizes, intermediate_size=14_336))
    assert sum(value.numel() for value in network.parameters()) == card.parameters


def test_the_paper_has_seven_prms_and_their_limits():
    assert len(PAPER_PRMS) == 7 and all(card.hub_id == key for key, card in PAPER_PRMS.items())
    assert {card.context for key, card in PAPER_PRMS.items() if "Qwen" in key} == {4096}
    assert all(card.revision == "main" or len(card.revision) == 40 for card in PAPER_PRMS.values())
    assert len({hash(card) for card in PAPER_PRMS.values()}) == 7
