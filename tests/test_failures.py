"""Failures of PRMs by hand and as properties, exact labels of nano samples, and solutions as pictures.

Run: python -m pytest tests/test_failures.py
"""

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import annotated, failures
from ttslib.annotated import Annotated
from ttslib.failures import CRITICISM, LENGTH, NEGLECT, PLACE, length_occasions, occasions, recut
from ttslib.nano.benchmark import nanoaime, nanomath
from ttslib.nano.labels import first_wrong
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.problems import Problem
from ttslib.records import Record
from ttslib.results import Results


def record(*paths, problem="p", failed=False):
    """A record of solutions that a PRM read: (steps, scores) pairs."""
    return Record(
        key=problem, cell={"method": "read", "prm": {"name": "judge"}, "seed": 0},
        problem={"id": problem, "question": "1 + 1?", "answer": "2", "subject": "", "level": 1},
        N=1, M=1, kept=1, subtrees=1, error={"type": "OSError", "message": "gone", "where": ""} if failed else None,
        trajectories=[{"steps": list(steps), "scores": list(scores)} for steps, scores in paths],
    )  # fmt: skip


def frame(*known):
    """A frame of solutions to problems of their own: (steps, scores, first) triples."""
    rows = [("role", "judge", "", "set", f"p{at}", "?", tuple(steps), tuple(scores), first)
            for at, (steps, scores, first) in enumerate(known)]  # fmt: skip
    return pandas.DataFrame(rows, columns=failures.SOLUTIONS)


def one(found, kind):
    [row] = found[found.kind == kind].itertuples()
    return row


def test_solutions_are_distinct_labelled_and_stripped():
    run = Results([
        record((["a\n\n", "b"], [0.9, 0.1]), (["a", "b\n"], [0.9, 0.1]), (["a", "c"], [0.9, 0.8]), (["d"], [])),
        record((["a", "b"], [0.5, 0.5]), problem="q"), record(problem="r", failed=True),
    ], labels={"prm_role": "role", "benchmark": "set"})  # fmt: skip

    def label(record, steps):
        return {"b": 1, "c": -1, "d": 0}[steps[-1]] if record.problem["id"] == "p" else None

    found = failures.solutions([run], label)
    assert list(found.columns) == list(failures.SOLUTIONS)
    assert list(found.steps) == [("a", "b"), ("a", "c"), ("d",)] and list(found["first"]) == [1, -1, 0]
    assert found.scores[2] == () and set(found.source) == {"set"} and set(found.problem) == {"p"}
    assert len(failures.solutions([run], label, most=2)) == 1
    assert failures.solutions([], label).empty and failures.solutions([run], lambda *_: None).empty


def test_each_kind_by_hand():
    found = occasions(frame(("abc", (0.2, 0.9, 0.4), 1)), low=0.3, high=0.7)
    right, wrong, place = (one(found, kind) for kind in (CRITICISM, NEGLECT, PLACE))
    assert (right.step, right.score, right.failing) == (0, 0.2, True)
    assert (wrong.step, wrong.score, wrong.failing) == (1, 0.9, True)
    assert (place.step, place.failing) == (0, True)
    assert (place.extent, place.chance) == pytest.approx((0.7, 2 / 3))
    good = occasions(frame(("ab", (0.9, 0.1), 1)), low=0.3, high=0.7)
    assert not good.failing.any() and len(good) == 3
    assert one(good, PLACE).step == 1 and one(good, PLACE).extent == 0


def test_a_threshold_is_no_failure_and_a_tie_no_wrong_place():
    found = occasions(frame(("abc", (0.3, 0.7, 0.7), 1), ("xyz", (0.5, 0.4, 0.4), 1)), low=0.3, high=0.7)
    assert not found[found.kind.isin([CRITICISM, NEGLECT])].failing.any()
    assert list(found[found.kind == PLACE].failing) == [True, False]


def test_what_solutions_share_counts_once():
    both = frame(("ab", (0.1, 0.9), 1), ("ac", (0.1, 0.2), -1)).assign(problem="p")
    found = occasions(both, low=0.3, high=0.7)
    assert list(found[found.kind == CRITICISM].step) == [0, 1]
    assert len(occasions(both.assign(prm=["a", "b"]), low=0.3, high=0.7)) == len(found) + 1


def test_what_was_not_read_is_no_occasion():
    assert occasions(frame(("ab", (), 1)), low=0.3, high=0.7).empty
    assert occasions(frame(), low=0.3, high=0.7).empty
    alone = occasions(frame(("a", (0.9,), 0)), low=0.3, high=0.7)
    assert list(alone.kind) == [NEGLECT], "a solution of one step has no other place"


@pytest.mark.parametrize(("low", "high"), [(0.7, 0.3), (-0.1, 0.5), (0.5, 1.1)])
def test_thresholds_in_order(low, high):
    with pytest.raises(ValueError, match="at most a high one"):
        occasions(frame(), low=low, high=high)


@st.composite
def labelled(draw):
    scores = draw(st.lists(st.floats(0, 1), min_size=1, max_size=6))
    return [str(step) for step in range(len(scores))], scores, draw(st.integers(-1, len(scores) - 1))


@given(st.lists(labelled(), min_size=1, max_size=6), st.floats(0, 0.5), st.floats(0.5, 1))
@settings(deadline=None, max_examples=40)
def test_occasions_are_counted_and_wider_thresholds_fail_more(known, low, high):
    found = occasions(frame(*known), low=low, high=high)
    counts = found.kind.value_counts()
    assert counts.get(CRITICISM, 0) == sum(len(s) if first < 0 else first for s, _, first in known)
    assert counts.get(NEGLECT, 0) == sum(first >= 0 for *_, first in known)
    assert counts.get(PLACE, 0) == sum(first >= 0 and len(s) > 1 for s, _, first in known)
    wide = occasions(frame(*known), low=0.5, high=0.5)
    assert (wide.failing >= found.failing).all()
    place = found[found.kind == PLACE]
    assert (place.failing == (place.extent > 0)).all()


STEPS = ("a", "b\n\n", "c", "end")


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, STEPS), (2, ("a b", "c", "end")), (3, ("a b c", "end")), (9, ("a b c", "end"))],
)
def test_a_solution_in_longer_steps(size, expected):
    problem = Problem("p", "?", "1", "s", 2, STEPS)
    found = recut(problem, size)
    assert found.steps == expected and (found.question, found.level) == ("?", 2)
    assert (found.id == "p") == (size == 1)
    assert recut(Problem("p", "?", "1", steps=("end",)), size).steps == ("end",)


def test_nothing_to_recut():
    with pytest.raises(ValueError, match="from 1"):
        recut(Problem("p", "?", "1", steps=STEPS), 0)
    with pytest.raises(ValueError, match="without a solution"):
        recut(Problem("p", "?", "1"), 2)


def test_scoring_bias_by_hand():
    short = frame(("abc", (0.9, 0.9, 0.8), -1), ("abd", (0.9, 0.9, 0.8), -1), ("abe", (), -1), ("abf", (0.5,) * 3, -1))
    long = frame((("a b", "d"), (0.9, 0.9), -1), (("a b", "c"), (0.9, 0.3), -1), (("a b", "e"), (0.1, 0.1), -1))
    found = length_occasions(short, long, gap=0.4)
    assert list(found.failing) == [True, False] and list(found.extent) == pytest.approx([0.5, 0.1])
    assert set(found.kind) == {LENGTH} and list(found.step) == [1, 1] and list(found.score) == [0.3, 0.9]
    assert list(found.solution) == [1, 0] and list(found.against) == [0, 1]
    assert length_occasions(short, long.assign(prm="another"), gap=0.4).empty
    assert length_occasions(frame(), frame(), gap=0.4).empty


# -- labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "style"), [("nano-llama-1m", "llama"), ("runs/zoo/nano-qwen-0.4m", "qwen")])
@pytest.mark.parametrize("worked", [nanomath()[3], nanoaime()[0]], ids=["math", "aime"])
def test_a_worked_solution_is_right_and_a_changed_step_the_first_wrong_one(policy, style, worked):
    steps = [step + SEPARATOR for step in STYLES[style](worked)]
    assert first_wrong(worked.question, policy, steps) == -1
    assert first_wrong(worked.question, policy, [steps[0], steps[1] + " 7", *steps[2:]]) == 1


def test_what_nobody_can_label():
    worked = nanomath()[3]
    steps = STYLES["llama"](worked)
    assert first_wrong("What is love?", "nano-llama-1m", steps) is None
    assert first_wrong(worked.question, "meta-llama/Llama-3.2-1B-Instruct", steps) is None
    assert first_wrong(worked.question, "nano-r1-qwen-1m", steps) is None
    assert first_wrong(worked.question, "", steps) is None
    assert first_wrong(worked.question, "nano-llama-1m", ["", ""]) is None


# -- pictures ----------------------------------------------------------------------------------------


def test_a_picture_of_any_text():
    long = tuple(f"Step {k} costs $5 and $x^{{2}}{{ " + "word " * 60 for k in range(20))
    cases = [
        Annotated("over-criticism", "How much? " * 50, long, (0.5,) * 20, 12, 18),
        Annotated("error neglect", "?", ("a", ""), (0.0, 1.0), 1, 1),
    ]
    assert list(cases[0].places) == list(range(12, 20)) and list(cases[1].places) == [0, 1]
    assert [cases[0].label(place) for place in (11, 12, 13)] == ["right", "wrong", "after a wrong step"]
    picture = annotated.draw(cases, low=0.3, high=0.7)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert ["12 of 20 steps not shown" in axes.get_title("right") for axes in picture.axes] == [True, False]


def test_pictures_need_solutions_and_their_scores():
    with pytest.raises(ValueError, match="no solution"):
        annotated.draw([], low=0.3, high=0.7)
    with pytest.raises(ValueError, match="one score a step"):
        Annotated("", "", ("a", "b"), (0.1,), -1, 0)
