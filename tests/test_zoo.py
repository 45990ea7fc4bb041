"""The shipped nano models: ordinary folders, small, each with its card; and PRMs that really check steps.

Run: python -m pytest tests/test_zoo.py
"""

import asyncio
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

import ttslib as tts
from ttslib.nano.generator import split_of
from ttslib.nano.mistakes import mistake
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.subjects import SUBJECTS
from ttslib.nano.tokenizer import build_tokenizer
from ttslib.policies import Path, Step
from ttslib.zoo import NANO, ZOO


def test_every_model_of_the_specs_is_shipped_and_no_other():
    assert set(NANO) == {*POLICIES, *PRMS}


def test_the_zoo_is_small_and_holds_no_code():
    files = [path for path in ZOO.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".jinja", ".safetensors", ".md"}
    assert sum(path.stat().st_size for path in files) < 66e6


@pytest.mark.parametrize("name", NANO)
def test_a_folder_is_complete(name):
    folder = ZOO / name
    config = json.loads((folder / "config.json").read_text())
    assert "auto_map" not in config and config["hidden_size"] // config["num_attention_heads"] == 32
    with safe_open(folder / "model.safetensors", "np") as weights:
        assert {weights.get_slice(key).get_dtype() for key in sorted(weights.keys())} == {"BF16"}
    training = json.loads((folder / "training.json").read_text())
    assert training["spec"]["name"] == name and training["curve"][-1]["loss"] < training["curve"][0]["loss"]
    assert "NanoMATH" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", POLICIES)
def test_a_shipped_tokenizer_is_the_one_that_the_script_builds(name):
    from transformers import AutoTokenizer

    shipped, built = AutoTokenizer.from_pretrained(ZOO / name), build_tokenizer(POLICIES[name].family)
    assert all(len(shipped.encode(str(number), add_special_tokens=False)) == 1 for number in range(100))
    text = "What is 36 + 19 modulo 8?\n\nSo the answer is \\boxed{7}."
    assert shipped.get_vocab() == built.get_vocab() and shipped.encode(text) == built.encode(text)


def pairs(style: str, count: int):
    """(problem, right prefix, right step, wrong step) on test problems of every subject, levels 2 to 4."""
    rng = random.Random(5)
    while count:
        worked = rng.choice(SUBJECTS)(rng, rng.choice((2, 3, 4)))
        if split_of(worked.question) != "test":
            continue
        place = rng.randrange(len(worked.facts))
        facts = list(worked.facts)
        facts[place] = mistake(facts[place], worked.question, rng)
        right, wrong = STYLES[style](worked), STYLES[style](replace(worked, facts=tuple(facts)))
        at = next(at for at, steps in enumerate(zip(right, wrong, strict=True)) if len(set(steps)) == 2)
        yield tts.Problem("x", worked.question, worked.answer), right[:at], right[at], wrong[at]
        count -= 1


OWN = {name: sorted({POLICIES[policy].style for policy in spec.rollouts}) for name, spec in PRMS.items()}


@pytest.mark.parametrize(("name", "style"), [(name, style) for name, styles in OWN.items() for style in styles])
def test_a_prm_tells_a_right_step_from_a_wrong_one_in_the_same_place(name, style):
    prm = tts.load_prm(name)

    async def judge():
        paths = [
            Path(problem, tuple(Step(text + SEPARATOR) for text in (*before, step)))
            for problem, before, *steps in pairs(style, 120)
            for step in steps
        ]
        return [scores[-1] for scores in await prm.score(paths)]

    scores = np.array(asyncio.run(judge())).reshape(-1, 2)
    assert np.mean(scores[:, 0] > scores[:, 1]) > 0.85
