"""Runs as data: what they hold, how many problems they have, and what they refuse."""

import json
import os
import pickle

import pytest

from ttslib.problems import Problem, load_problems
from ttslib.runs import ModelSpec, Run

SPEC = ModelSpec("nano-qwen-3m", {"prompt": "qwen2.5"})


def run(**other) -> Run:
    return Run(**{"method": "cot", "policy": "nano-qwen-3m", "prm": None, "problems": "nanomath"} | other)


def lines(path, count):
    path.write_text("\n".join(json.dumps({"problem": f"1 + {i}?", "answer": str(1 + i)}) for i in range(count)))
    return path


def test_a_model_is_a_name_or_a_mapping():
    assert ModelSpec.of("a/model") == ModelSpec("a/model") and str(SPEC) == "nano-qwen-3m"
    assert ModelSpec.of({"model": "nano-qwen-3m", "prompt": "qwen2.5"}) == ModelSpec.of(SPEC) == SPEC
    assert dict(**SPEC.options) == {"prompt": "qwen2.5"}
    swapped = ModelSpec("a", {"x": 1, "y": [2]}), ModelSpec("a", {"y": [2], "x": 1})
    assert len(set(swapped)) == 1 and list(swapped[0].options) == ["x", "y"]
    assert ModelSpec("a", {"x": 1}) != ModelSpec("a", {"x": 2})


def test_a_run_is_a_key_that_survives_pickling():
    first = run(method="beam_search", prm=SPEC, n=16, settings={"top_p": 0.9, "max_depth": 3})
    again = run(method="beam_search", prm=SPEC, n=16, settings={"max_depth": 3, "top_p": 0.9})
    assert {first: 1}[again] == 1 and pickle.loads(pickle.dumps(first)) == first
    assert first != run(method="beam_search", prm=SPEC, n=16) and first.policy == ModelSpec("nano-qwen-3m")
    with pytest.raises(AttributeError):
        first.n = 4
    with pytest.raises(TypeError):
        first.settings["max_depth"] = 4


@pytest.mark.parametrize(
    ("problems", "limit", "size"),
    [("nanomath", None, 500), ("nanomath", 60, 60), ("nanoaime", 60, 30), ("math500", None, 500), ("aime24", 200, 30)],
)
def test_the_size_of_a_benchmark_is_known_without_reading_it(problems, limit, size, monkeypatch):
    monkeypatch.setattr("ttslib.runs.load_problems", lambda name: pytest.fail("read"))
    assert run(problems=problems, limit=limit).size == size


def test_the_built_in_benchmarks_have_the_size_that_is_said_of_them():
    for name in ("nanomath", "nanoaime"):
        every = run(problems=name)
        assert len(every.load()) == len(load_problems(name)) == every.size
    assert run(limit=7).load() == load_problems("nanomath", limit=7)


def test_a_file_is_read_and_an_edited_one_read_again(tmp_path):
    path = lines(tmp_path / "mine.jsonl", 3)
    mine = run(problems=path)
    assert mine.size == 3 and [problem.answer for problem in mine.load()] == ["1", "2", "3"]
    assert run(problems=path, limit=2).size == 2 and run(problems=path, limit=9).size == 3
    mine.load().clear()
    assert len(mine.load()) == 3
    os.utime(lines(path, 5), (1, 1))
    assert mine.size == 5


def test_problems_may_be_given_themselves():
    problems = [Problem(str(i), "?", "1") for i in range(3)]
    assert run(problems=problems).load() == problems and run(problems=problems, limit=2).size == 2


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"problems": "mathx"}, "Unknown problem set 'mathx'"),
        ({"problems": ()}, "at least one tts.Problem"),
        ({"problems": [1]}, "at least one tts.Problem"),
        ({"problems": 5}, "at least one tts.Problem"),
        ({"limit": 0}, "a whole number from 1"),
        ({"limit": True}, "a whole number from 1"),
        ({"limit": 2.0}, "a whole number from 1"),
        ({"policy": 3}, "A model is a name"),
        ({"policy": " "}, "a Hub id or a path"),
        ({"prm": {"prompt": "r1"}}, "names no model"),
        ({"settings": [("top_p", 1)]}, "The settings of cot are a mapping"),
        ({"prm": {"model": "a", 3: 4}}, "The options of a are a mapping"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(other, says):
    with pytest.raises(ValueError, match=says) as raised:
        run(**other)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_a_missing_file_is_named_when_it_is_read():
    with pytest.raises(ValueError, match="No problem file at .*nowhere.jsonl"):
        _ = run(problems="nowhere.jsonl").size
