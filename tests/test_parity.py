r"""Votes as in the paper's code: what its extractor finds and how it spells it, and results shown both ways."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM, problems

from ttslib import grading, tables
from ttslib.parity import extract_answer
from ttslib.policies.base import Step
from ttslib.runner import solve
from ttslib.voting import RULES, vote


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So \boxed{3}. The final answer is $4$. I hope it is correct.", "4"),
        ("The final answer is $4$. I hope so. The final answer is $5$. I hope so.", "4"),
        (r"First \boxed{3}, then \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"The answer is 5, that is \boxed{12", "12"),
        (r"\boxed{\sqrt{2", r"\sqrt{2"),
        (r"Thus $\boxed 5$ it is.", "5"),
        (r"The answer is 5: \boxed{}", None),
        ("nearly boxed", None),
        ("The answer is 42.", "42"),
        ("The answer is 1. No, the answer is 2", "2"),
        ("My final answer is: 7/8.", r"\frac{7}{8}"),
        ("We get 3 and then 1,234 in all.", "1234"),
        ("It is 5 - 8 = -3", "-3"),
        ("That leaves .5 of it", "0.5"),
        ("I do not know.", None),
        ("", None),
        ("The answer is  \n", None),
        ("3 ки\nThe answer is 4 ки", "4"),
    ],
)
def test_what_is_taken_for_the_answer(text, answer):
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    "forms",
    [
        (r"\frac{1}{2}", r"\dfrac{1}{2}", r"\tfrac12", r"\frac1{2}", "1/2"),
        ("5", "x=5", "k = 5", "5.", "5.00", r"5\%", "$5$", r"5\text{ cm}", r"5^\circ", r"5^{\circ}"),
        ("(1,2)", r"\left(1, 2\right)", r"(1,\!2)"),
        (r"\text{east}", "east"),
        (r"\sqrt3", r"\sqrt{3}"),
        (r"\frac{\sqrt{3}}{2}", r"\sqrt{3}/2"),
        (r"\infty", "infinity", "inf"),
        (r"x \le 3", r"x\leq 3"),
    ],
)
def test_forms_that_are_spelled_alike(forms):
    assert {extract_answer(rf"\boxed{{{form}}}") for form in forms} == {extract_answer(rf"\boxed{{{forms[0]}}}")}


@pytest.mark.parametrize("forms", [("0.5", "1/2"), (r"\sqrt{8}", r"2\sqrt{2}"), ("a+b", "b+a"), ("1,2", "2,1")])
def test_equal_answers_that_stay_apart(forms):
    answers = [extract_answer(rf"\boxed{{{form}}}") for form in forms]
    assert answers[0] != answers[1]


PIECES = [
    "boxed{", "boxed", "{", "}", "the answer is ", "final answer is $", "$. I hope", "1", "1.", "1.0", "0", "-", ".",
    ",", "\n", " ", "=", "x=", "^", "/", "\\", r"\text{", r"\mbox{", r"\frac1", r"\sqrt", r"\begin{array}{", "ки",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)))
def test_any_text_has_an_answer_or_none(pieces):
    answer = extract_answer("".join(pieces))
    assert answer is None or (answer and "\n" not in answer)


@pytest.mark.parametrize("piece", PIECES)
def test_long_texts_take_linear_time(piece):
    started = time.monotonic()
    for before in ("", "the answer is ", r"\boxed{"):
        extract_answer(before + piece * (400_000 // len(piece)))
    assert time.monotonic() - started < 10


class Says(ScriptedPolicy):
    """The solutions in `texts`, in this order."""

    def __init__(self, *texts):
        super().__init__()
        self.texts = texts

    def _step(self, path, seed, i, stop):
        return Step(self.texts[i], (1,) * 3, "eos")


class Believes(ScriptedPRM):
    """One score for each solution: the number behind its "@"."""

    async def score(self, paths):
        return [[float(path.steps[-1].text.rpartition("@")[2])] * len(path.steps) for path in paths]


def said(tmp_path, *texts, prm=None, count=1):
    options = {"method": "best_of_n", "n": len(texts), "store": tmp_path, "progress": False}
    return solve(problems(count), Says(*texts), prm, **options)


def test_results_are_shown_both_ways(tmp_path):
    texts = [r"\boxed{7} @0.1", "No box. @0.9", r"\boxed{0} @0.2", "So it is 0 @0.3", r"\boxed{0.0} @0.4", "Sure. @0.8"]
    run = said(tmp_path, *texts, prm=Believes())
    parity = run.parity()
    assert run.candidates(0)[0] == ["7", None, "0", None, "0.0", None]
    assert parity.candidates(0)[0] == ["7", "0.9", "0", "0.3", "0", "0.8"]
    assert run.answers("majority_vote") == ["0"] and run.answers("prm_last_max") == ["0.0"]
    assert parity.answers("prm_last_max") == ["0.9"]  # the last number of a text without an answer
    assert (run.correct("prm_last_max"), parity.correct("prm_last_max")) == ([1.0], [0.0])
    assert parity.parity().answers() == parity.answers() and "paper's code" in repr(parity)
    for rule in RULES:
        assert list(run.frame([rule], parity=True).right) == parity.correct(rule)


def test_no_answer_is_a_vote_in_the_papers_code(tmp_path):
    run = said(tmp_path, "I give up.", "Who knows?", r"\boxed{0}")
    assert run.answers() == ["0"] and run.parity().answers() == [None]
    assert (run.correct(), run.parity().correct()) == ([1.0], [0.0])
    assert run.parity().chosen() == [None]


def test_strings_split_what_mathematics_joins(tmp_path):
    run = said(tmp_path, r"\boxed{3}", r"\boxed{3}", r"\boxed{\frac{0}{4}}", r"\boxed{0}", r"\boxed{2-2}")
    assert run.correct() == [1.0] and run.parity().correct() == [0.0]
    assert [len(tables.ballot(each)) for each in (run, run.parity())] == [2, 4]
    assert run.parity().undecided == 0


def test_views_can_be_combined_and_change_nothing_in_the_results(tmp_path):
    run = solve(problems(6), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=16, store=tmp_path, progress=False)
    before = run.correct("prm_last_vote")
    for rule in RULES:
        one, other = run.parity().subsample(4, draws=5), run.subsample(4, draws=5).parity()
        assert one.correct(rule) == other.correct(rule)
        # These solutions have a box each, with a plain number in it: nothing differs but the comparison.
        answers = [vote(*run.candidates(place), rule, same="string") for place in range(6)]
        assert run.parity().answers(rule) == answers
        right = [float(grading.equivalent(p.answer, a)) for p, a in zip(problems(6), answers, strict=True)]
        assert run.parity().correct(rule) == right
    assert run.correct("prm_last_vote") == before and run.parity().tokens == run.tokens
    assert run.parity().minus(run, "prm_last_max").n == 6
