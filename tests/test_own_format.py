"""A PRM format of one's own: one file and one registration, and `load_prm` takes it.

Run: python -m pytest tests/test_own_format.py
"""

import asyncio
import json

import pytest
import torch
from toy_format import ToyFormat, write_toy_prm

from ttslib.policies import Path, Step, load_policy
from ttslib.prms import FORMATS, Format, get_format, identify, load_prm, register
from ttslib.problems import Problem

QUESTION, STEPS = "What is 1 + 2 + 3?", ("1 + 2 = 3\n\n", "3 + 3 = 6\n\n", "So it is 7.")


@pytest.fixture
def toy():
    register(ToyFormat)
    yield ToyFormat
    del FORMATS["toy"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy")
    write_toy_prm(path)
    return path


def rewritten(folder, target, **changes):
    """The checkpoint in `target`, with another config.json."""
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | changes))
    return target


def path(*steps: str, scores=()) -> Path:
    return Path(Problem("p", QUESTION, "6"), tuple(map(Step, steps)), tuple(scores))


def scores_of(prm, *paths: Path) -> list[list[float]]:
    return asyncio.run(prm.score(paths))


@torch.no_grad()
def by_hand(prm) -> list[float]:
    """One plain forward pass, the head at the last token of each step."""
    ids, ends = prm.format.tokenizer.encode(QUESTION, add_special_tokens=False), []
    for step in STEPS:
        ids += prm.format.tokenizer.encode(step.strip() + "!", add_special_tokens=False)
        ends.append(len(ids) - 1)
    hidden = prm.network.model(torch.tensor([ids])).last_hidden_state[0, ends]
    return prm.network.scorer(hidden)[:, 0].sigmoid().tolist()


def test_it_scores_a_path_whole_and_step_by_step(toy, folder):
    prm = load_prm(str(folder))
    expected = by_hand(prm)
    assert len({round(score, 3) for score in expected}) == 3
    assert scores_of(prm, path(*STEPS))[0] == pytest.approx(expected, abs=1e-5)
    found, prm = [], load_prm(str(folder))
    for depth in range(1, len(STEPS) + 1):
        found += scores_of(prm, path(*STEPS[:depth], scores=found))[0]
    assert found == pytest.approx(expected, abs=1e-5)


def test_it_is_found_by_its_architecture_by_its_name_in_the_config_and_by_what_is_told(toy, folder, tmp_path):
    named, silent = tmp_path / "named", tmp_path / "silent"
    for each in (named, silent):
        each.mkdir()
    rewritten(folder, named, architectures=["LlamaForCausalLM"], prm_format="toy")
    rewritten(folder, silent, architectures=["LlamaForCausalLM"])
    for prm in (load_prm(str(folder)), load_prm(str(named)), load_prm(str(silent), format="toy")):
        assert type(prm.format) is ToyFormat
        assert scores_of(prm, path(*STEPS))[0] == pytest.approx(by_hand(prm), abs=1e-5)
    with pytest.raises(ValueError, match="does not say how it is asked: give format='tag' or .* or 'toy'"):
        load_prm(str(silent))
    with pytest.raises(ValueError, match="is no policy"):
        load_policy(str(named), prompt="nano", backend="transformers")


def test_its_options_are_its_own_and_part_of_the_identity(toy, folder):
    prm = load_prm(str(folder), format_options={"ending": " ."})
    assert prm.format.ending == " ." and prm.identity["settings"] == {"format_options": {"ending": " ."}}
    assert prm.identity == identify(str(folder), format_options={"ending": " ."})
    assert scores_of(prm, path(*STEPS)) != scores_of(load_prm(str(folder)), path(*STEPS))


def test_a_missing_tensor_of_its_head_is_named(toy, tmp_path):
    from safetensors.torch import load_file, save_file

    write_toy_prm(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("scorer.bias")
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no tensor scorer.bias, which its PRM format needs"):
        load_prm(str(tmp_path))


def test_vllm_scores_it_only_where_it_says_so(toy, folder):
    with pytest.raises(ValueError, match="has the format 'toy', which vLLM does not score"):
        load_prm(str(folder), backend="vllm")


def test_what_is_not_registered_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="Unknown PRM format 'toy': give 'tag' or 'two_class' or 'chat_turns'"):
        load_prm(str(folder), format="toy")
    with pytest.raises(ValueError, match="Unknown PRM format 'toy'"):
        get_format("toy")
    with pytest.raises(ValueError, match="is LlamaForToyScores, which does not say how it is asked"):
        load_prm(str(folder))
    with pytest.raises(ValueError, match="has the PRM format 'toy', which is not known: register it"):
        load_prm(str(rewritten(folder, tmp_path, prm_format="toy")))


def test_a_name_or_an_architecture_means_one_format(toy):
    with pytest.raises(ValueError, match="There is a PRM format 'tag' in ttslib: give Mine a name of its own"):
        register(type("Mine", (ToyFormat,), {"name": "tag"}))
    again = register(type("Again", (ToyFormat,), {}))  # as a notebook's cell that is run again
    assert FORMATS["toy"] is again and register(ToyFormat) is FORMATS["toy"]
    with pytest.raises(ValueError, match="LlamaForToyScores means the PRM format 'toy' already"):
        register(type("Other", (ToyFormat,), {"name": "other"}))
    assert "other" not in FORMATS and FORMATS["toy"] is ToyFormat


@pytest.mark.parametrize(
    ("lacking", "said"),
    [({"name": ""}, "Part does not say its name"), ({"tensors": ()}, "Part does not say its tensors"),
     ({"scores": Format.scores}, "'part' has no scores")],
)
def test_a_format_that_lacks_a_part_is_refused(lacking, said):
    part = type("Part", (ToyFormat,), {"name": "part", "architectures": (), **lacking})
    with pytest.raises(ValueError, match=said):
        register(part)
    assert "part" not in FORMATS
