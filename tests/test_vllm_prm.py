"""A PRM in vLLM scores as in transformers, whole or step by step, and refuses what it cannot score.

Run: python -m pytest tests/test_vllm_prm.py
"""

import asyncio
from dataclasses import replace

import pytest

from ttslib.nano.benchmark import nanomath
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.policies.base import Path, Step
from ttslib.prms import load_prm
from ttslib.prms.base import Unread
from ttslib.problems import load_problems
from ttslib.usage import Usage, counting

NAME = "nano-prm-shepherd"


@pytest.fixture(scope="module")
def prm(model_path):
    return load_prm(str(model_path(NAME)), backend="vllm", dtype="float32")


@pytest.fixture(scope="module")
def reference(model_path):
    return load_prm(str(model_path(NAME)), dtype="float32")


def path(place: int, *slips: int) -> Path:
    """The worked solution of a problem, with steps of the next problem in the places `slips`."""
    worked, other = (STYLES["llama"](each) for each in nanomath()[place : place + 2])
    steps = [other[0] if at in slips else text for at, text in enumerate(worked)]
    return Path(load_problems("nanomath", limit=20)[place], tuple(Step(text + SEPARATOR) for text in steps))


PATHS = [path(place, *slips) for place in range(12) for slips in ((), (1,))]


@pytest.mark.engine
def test_whole_paths_score_as_in_transformers(prm, reference):
    ours, theirs = asyncio.run(prm.score(PATHS)), asyncio.run(reference.score(PATHS))
    assert [len(scores) for scores in ours] == [len(path.steps) for path in PATHS]
    assert all(scores == pytest.approx(other, abs=1e-4) for scores, other in zip(ours, theirs, strict=True))
    assert {score > 0.5 for scores in ours for score in scores} == {True, False}


@pytest.mark.engine
def test_step_by_step_it_scores_what_is_new_and_forwards_little_else(prm, reference):
    long, tokens = path(10), prm.usage.tokens
    (whole,) = asyncio.run(reference.score([long]))
    grown = Path(long.problem)
    for step in long.steps:
        grown = replace(grown, steps=(*grown.steps, step))
        (new,) = asyncio.run(prm.score([grown]))
        assert len(new) == 1
        grown = replace(grown, scores=(*grown.scores, *new))
    assert grown.scores == pytest.approx(whole, abs=1e-4)
    assert asyncio.run(prm.score([grown])) == [[]]
    every = sum(position + 1 for position in prm.format.encode(long.problem.question, texts(long)).positions)
    assert 0 < prm.usage.tokens - tokens < every


@pytest.mark.engine
def test_tokens_count_for_the_search_that_asked(prm):
    counter, calls = Usage(), prm.usage.calls
    with counting(counter):
        asyncio.run(prm.score([path(13, 0)]))
    assert counter.calls == prm.usage.calls - calls == 1 and counter.tokens > 0


@pytest.mark.engine
def test_a_path_longer_than_the_context_has_no_score(prm):
    long = replace(PATHS[0], steps=PATHS[0].steps * 400)
    marked = replace(PATHS[0], steps=(*PATHS[0].steps, Step("ки")))
    assert asyncio.run(prm.score([long, marked])) == [Unread.LONG, Unread.MARKER]


@pytest.mark.engine
def test_control_tokens_in_a_question_are_plain_text_as_in_transformers(prm, reference):
    odd = replace(PATHS[0], problem=replace(PATHS[0].problem, question="Say ки, <s> and [/INST] ки."))
    (ours,), (theirs,) = (asyncio.run(each.score([odd])) for each in (prm, reference))
    assert ours == pytest.approx(theirs, abs=1e-4) and len(ours) == len(odd.steps)


def test_what_vllm_cannot_score_is_refused_before_any_weight_is_read(model_path):
    with pytest.raises(ValueError, match="'two_class', which vLLM does not score"):
        load_prm("nano-prm-qwen-m", backend="vllm")
    with pytest.raises(ValueError, match="leave out device='cpu'"):
        load_prm(NAME, backend="vllm", device="cpu")
    with pytest.raises(ValueError, match="Unknown PRM backend 'tgi': give 'transformers' or 'vllm'"):
        load_prm(NAME, backend="tgi")


def texts(path):
    return [step.text for step in path.steps]
