"""Scores of first wrong steps by hand and as properties; NanoProcessBench's labels derived anew from its text."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nano_solver import solve
from scripted import ScriptedPRM, rng

import ttslib as tts
from ttslib.first_error import best_threshold, first_below, held_out, judge, judge_held_out, step_scores
from ttslib.nano import processbench as builder
from ttslib.nano.benchmark import nanoaime, nanomath
from ttslib.nano.generator import generate, normalise_question, split_of
from ttslib.nano.specs import POLICIES
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.nano.subjects import Worked
from ttslib.policies import Step
from ttslib.prms.base import Unread
from ttslib.problems import load_problems
from ttslib.processbench import NANOPROCESSBENCH, LabelledSolution, load_processbench
from ttslib.stats import Estimate, accuracy

needs_file = pytest.mark.skipif(
    not NANOPROCESSBENCH.is_file(), reason="nanoprocessbench.jsonl is not made yet: python -m ttslib.nano.processbench"
)

# -- scores ------------------------------------------------------------------------------------------

# Four solutions; at a threshold of 0.5 the second wrong step is found too early and the last right one doubted.
LABELS = [1, 2, -1, -1]
SCORES = [[0.9, 0.2, 0.1], [0.4, 0.8, 0.3], [0.6, 0.7], [0.95, 0.45]]


@st.composite
def judged(draw, each=1):
    """Labels and scores of solutions, `each` or more with a wrong step and as many right ones."""
    score = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)
    labels, scores = [], []
    for wrong in [True, False] * each + draw(st.lists(st.booleans(), max_size=12)):
        steps = draw(st.lists(score, min_size=1, max_size=5))
        labels.append(draw(st.integers(0, len(steps) - 1)) if wrong else -1)
        scores.append(steps)
    return labels, scores


@pytest.mark.parametrize(
    ("scores", "threshold", "expected"),
    [([0.9, 0.2, 0.1], 0.5, 1), ([0.9, 0.5], 0.5, -1), ([0.9, 0.2], 0.2, -1), ([0.0], 0.0, -1), ([0.1, 0.9], 0.2, 0)],
)
def test_the_first_step_below_the_threshold_is_named(scores, threshold, expected):
    assert first_below(scores, threshold) == expected


def test_f1_by_hand():
    found = judge(LABELS, SCORES, 0.5)
    assert (found.wrong.value, found.right.value, found.f1.value) == (0.5, 0.5, 0.5)
    assert (found.wrong.n, found.right.n, found.f1.n, found.threshold) == (2, 2, 4, 0.5)
    # At 0.425: the right ones are both left alone, the same wrong one found; at 0.35 both wrong ones.
    assert judge(LABELS, SCORES, 0.425).f1.value == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert judge(LABELS, SCORES, 0.35).f1.value == 1.0
    assert judge(LABELS, SCORES, 0.05).f1 == judge(LABELS, SCORES, 0.0).f1
    assert judge(LABELS, SCORES, 0.05).f1.value == 0.0


def test_the_best_threshold_by_hand():
    assert best_threshold(LABELS, SCORES) == pytest.approx(0.35)  # half way between 0.3 and 0.4
    # 0.3 and 0.7 are both perfect half ways: the lower one is taken.
    assert best_threshold([0, -1], [[0.2], [0.8, 0.4, 0.6]]) == pytest.approx(0.3)
    assert best_threshold([0, -1], [[0.5], [0.5]]) == 0.5  # nothing can be told apart


def plain_f1(labels, scores, threshold):
    hits = {True: [], False: []}
    for label, steps in zip(labels, scores, strict=True):
        below = [index for index, value in enumerate(steps) if value < threshold]
        hits[label >= 0].append(label == (below[0] if below else -1))
    a, b = (sum(each) / len(each) for each in hits.values())
    return 2 * a * b / (a + b) if a + b else 0.0


@given(judged())
@settings(deadline=None)
def test_no_threshold_does_better_than_the_best_one(case):
    labels, scores = case
    best = best_threshold(labels, scores)
    others = {value for steps in scores for value in steps} | {0.0, 0.3, 0.5, 1.0, 2.0}
    assert plain_f1(labels, scores, best) >= max(plain_f1(labels, scores, other) for other in others) - 1e-12
    assert best == best_threshold(labels[::-1], scores[::-1])


@given(judged(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
@settings(deadline=None, max_examples=30)
def test_f1_lies_between_its_parts_and_in_its_interval(case, threshold):
    found = judge(*case, threshold)
    parts = found.wrong.value, found.right.value
    assert found.f1.value == pytest.approx(plain_f1(*case, threshold))
    assert min(parts) - 1e-12 <= found.f1.value <= max(parts) + 1e-12
    assert 0 <= found.f1.low <= found.f1.value + 1e-12 and found.f1.value - 1e-12 <= found.f1.high <= 1
    assert found.f1.n == len(case[0]) and found == judge(*case, threshold)


def test_the_interval_is_about_that_of_resampled_solutions():
    wrong, right = [1] * 40 + [0] * 20, [1] * 60 + [0] * 30
    labels = [0] * 60 + [-1] * 90
    scores = [[0.1 if hit else 0.9] for hit in wrong] + [[0.9 if hit else 0.1] for hit in right]
    found, draw = judge(labels, scores, 0.5).f1, np.random.default_rng(7)
    a, b = (draw.choice(hits, size=(4000, len(hits))).mean(axis=1) for hits in (wrong, right))
    assert found.value == pytest.approx(2 / 3)
    assert [found.low, found.high] == pytest.approx(list(np.quantile(2 * a * b / (a + b), [0.025, 0.975])), abs=0.02)


def test_f1_of_two_kinds_is_surer_than_either():
    labels, scores = [0] * 50 + [-1] * 50, ([[0.1]] * 40 + [[0.9]] * 10) + ([[0.9]] * 40 + [[0.1]] * 10)
    found = judge(labels, scores, 0.5)
    assert found.f1.value == pytest.approx(found.wrong.value)
    assert found.wrong.low < found.f1.low < found.f1.high < found.wrong.high


def test_all_found_or_none_found_is_not_certain():
    labels, scores = [0] * 20 + [-1] * 20, [[0.1]] * 20 + [[0.9]] * 20
    every, none = judge(labels, scores, 0.5).f1, judge(labels, scores, 0.0).f1
    assert (every.value, every.high) == (1, 1) and accuracy([1] * 20).low < every.low < accuracy([1] * 40).low
    share = accuracy([0] * 20).high
    assert (none.value, none.low) == (0, 0) and none.high == pytest.approx(2 * share / (1 + share))
    half = judge(labels, [[0.1]] * 20 + [[0.9], [0.1]] * 10, 0.5).f1
    assert half.low < 2 * 0.5 / 1.5 < half.high < 1


@given(judged(each=2), st.sampled_from([0.01, 0.25, 0.5, 0.99]), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_the_threshold_comes_from_the_part_held_out_and_f1_from_the_rest(case, share, seed):
    labels, scores = case
    held = held_out(labels, share, seed)
    rest = [place for place in range(len(labels)) if place not in held]
    for part in (held, rest):
        assert {labels[place] >= 0 for place in part} == {True, False}
    found = judge_held_out(labels, scores, share=share, seed=seed)
    assert found.threshold == best_threshold([labels[i] for i in held], [scores[i] for i in held])
    assert found == judge([labels[i] for i in rest], [scores[i] for i in rest], found.threshold)
    kinds = Counter(label >= 0 for label in labels)
    assert Counter(labels[i] >= 0 for i in held) == {
        kind: min(max(1, round(share * n)), n - 1) for kind, n in kinds.items()
    }


@pytest.mark.parametrize("act", [lambda *case: judge(*case, 0.5), best_threshold, judge_held_out])
@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([], [], "no label is -1"),
        ([0, 0], [[0.1], [0.2]], "needs a solution without a wrong step"),
        ([-1, -1], [[0.1], [0.2]], "needs a solution with a wrong step"),
        ([0, -1], [[0.1]], "got 2 and 1"),
        ([1, -1], [[0.1], [0.2]], "Solution 0 has 1 scores, which the label 1 does not fit"),
        ([0, -2], [[0.1], [0.2]], "label -2"),
        ([0, -1], [[0.1], []], "Solution 1 has 0 scores"),
    ],
)
def test_bad_input_is_one_sentence(act, labels, scores, words):
    with pytest.raises(ValueError, match=words) as caught:
        act(labels, scores)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        judge_held_out(LABELS, SCORES, share=share)


def test_a_part_to_hold_out_needs_two_solutions_of_each_kind():
    with pytest.raises(ValueError, match="two or more of each kind"):
        judge_held_out(LABELS[1:], SCORES[1:])


# -- a PRM -------------------------------------------------------------------------------------------

SOLUTIONS = [LabelledSolution(f"s{i}", f"{i}?", tuple(f"{i}.{k}" for k in range(1 + i % 4)), -1) for i in range(9)]


def scored(prm, store, solutions=SOLUTIONS):
    given = [each.as_problem() for each in solutions]
    return step_scores(tts.solve(given, None, prm, method="read", store=store, progress=False))


def test_a_prm_scores_every_step_in_order_and_once(tmp_path):
    prm = ScriptedPRM()
    expected = [tuple(rng(step).random() for step in each.steps) for each in SOLUTIONS]
    assert scored(prm, tmp_path) == scored(prm, tmp_path) == expected
    assert (prm.usage.tokens, prm.usage.calls) == (sum(len(each.steps) for each in SOLUTIONS), len(SOLUTIONS))


@pytest.mark.parametrize("reason", [None, Unread.LONG, Unread.MARKER])
def test_a_solution_that_cannot_be_read_is_named_and_the_rest_is_judged(reason, tmp_path):
    class Some(ScriptedPRM):
        async def score(self, paths):
            return [reason if path.problem.id == "s3" else [0.9] * (len(path.steps) - 1) + [0.1] for path in paths]

    scores = scored(Some(), tmp_path)
    assert scores.left_out == {"s3": reason or Unread.LONG} and scores[3] == () and len(scores) == 9
    labels = [len(each.steps) - 1 if at % 2 else -1 for at, each in enumerate(SOLUTIONS)]
    judged = judge(*scores.read(labels), 0.5)
    assert (judged.wrong.n, judged.right.n, judged.wrong.value, judged.right.value) == (3, 5, 1.0, 0.0)


@pytest.mark.parametrize("reply", [[0.5, 0.5], [], [1.5], [float("nan")]])
def test_a_prm_that_leaves_a_step_out_is_refused(reply, tmp_path):
    class Wrong(ScriptedPRM):
        async def score(self, paths):
            return [reply for _ in paths]

    with pytest.raises(ValueError, match="scripted-prm should give 1 scores .* for problem s0"):
        scored(Wrong(), tmp_path, SOLUTIONS[:1])


# -- the builder -------------------------------------------------------------------------------------


class Slips:
    """A policy that solves from the text: right, a slip in the first or last step, no box, or words after the box."""

    def __init__(self, name):
        self.style = POLICIES[name].style

    async def sample(self, path, *, n, seed, temperature, max_tokens):
        facts, answer = solve(path.problem.question)
        steps = STYLES[self.style](Worked("", 0, "", answer, tuple(facts)))
        kind = seed % 5
        if kind == 1:
            steps[0] += "0"
        elif kind == 2:
            steps[-1] = steps[-1].replace(answer, "0" + answer)
        elif kind == 3:
            steps.pop()
        elif kind == 4:
            steps.append("And so on.")
        return [Step(SEPARATOR.join(steps), finish="eos")]


@pytest.fixture
def scripted_zoo(monkeypatch):
    monkeypatch.setattr(builder, "load_policy", lambda path, prompt: Slips(path.rpartition("/")[2]))


def test_a_file_is_built_balanced_labelled_and_the_same_again(scripted_zoo, tmp_path):
    sources = ("nano-llama-0.4m", "nano-qwen-1m", "nano-deepseek-1m")
    files = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for file in files:
        builder.build(tmp_path, file, sources, 40)
    assert files[0].read_bytes() == files[1].read_bytes()
    check(files[0], sources, 40)
    first = [json.loads(line) for line in files[0].read_text().splitlines()[:6]]
    assert [row["policy"] for row in first] == [name for name in sources for _ in range(2)]
    assert list(first[0]) == ["id", "problem", "steps", "label", "policy", "subject", "level"]


def test_a_policy_that_is_never_wrong_is_one_sentence(scripted_zoo, monkeypatch):
    monkeypatch.setattr(builder, "MOST", 128)
    problems = builder.fresh(0, set())
    with pytest.raises(ValueError, match="nano-llama-1m gave [0-9]+ pairs .* on 128 problems, not 500"):
        builder.pairs(Slips("nano-llama-1m"), "nano-llama-1m", problems, 500)


def test_fresh_problems_are_of_the_test_split_and_never_come_twice():
    used = {normalise_question(worked.question) for worked in nanomath()}
    found = [worked.question for seed in (1, 1, 2) for worked in itertools.islice(builder.fresh(seed, used), 300)]
    assert all(split_of(question) == "test" for question in found)
    assert len({normalise_question(question) for question in found} | used) == len(used) == 500 + 900


# -- labels, from the text alone ---------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
def test_worked_solutions_follow_from_the_text_of_the_question(split):
    for worked in (*nanomath(), *nanoaime(), *itertools.islice(generate(8, split), 1500)):
        assert solve(worked.question) == (list(worked.facts), worked.answer)


def first_difference(solution: LabelledSolution) -> int:
    facts, answer = solve(solution.problem)
    expected = STYLES[POLICIES[solution.policy].style](Worked("", 0, "", answer, tuple(facts)))
    both = itertools.zip_longest(solution.steps, expected)
    return next((index for index, (step, right) in enumerate(both) if step != right), -1)


def check(file, sources, size):
    """Half right and half wrong, balanced, exactly labelled, ended by a box, and in no other benchmark or training."""
    found = load_processbench(file)
    assert len(found) == size
    assert [each.label for each in found] == [first_difference(each) for each in found]
    counts = Counter((each.policy, each.label >= 0) for each in found)
    assert set(counts) == {(name, wrong) for name in sources for wrong in (True, False)}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert all(counts[name, True] == counts[name, False] for name in sources)
    for each in found:
        assert ["\\boxed{" in step for step in each.steps] == [False] * (len(each.steps) - 1) + [True]
    questions = {normalise_question(each.problem) for each in found}
    assert len(questions) == size and all(split_of(question) == "test" for question in questions)
    others = {normalise_question(p.question) for name in ("nanomath", "nanoaime") for p in load_problems(name)}
    others |= {normalise_question(worked.question) for worked in itertools.islice(generate(0, "train"), 5000)}
    assert not questions & others


@needs_file
def test_the_shipped_file_is_what_it_says():
    check(NANOPROCESSBENCH, builder.SOURCES, builder.SOLUTIONS)
    assert load_processbench("nanoprocessbench") == load_processbench(NANOPROCESSBENCH)


@needs_file
def test_subjects_and_levels_say_nothing_of_the_label_in_the_shipped_file():
    rows = [json.loads(line) for line in NANOPROCESSBENCH.read_text(encoding="utf-8").splitlines()]
    cells = [
        Counter((row["policy"], row["subject"], row["level"]) for row in rows if (row["label"] >= 0) == wrong)
        for wrong in (True, False)
    ]
    assert cells[0] == cells[1]


@needs_file
def test_a_judge_that_knows_the_labels_is_perfect_and_one_that_knows_nothing_is_not():
    labels = [each.label for each in load_processbench("nanoprocessbench")]
    steps = [len(each.steps) for each in load_processbench("nanoprocessbench")]
    known = [[0.1 if k == label else 0.9 for k in range(n)] for label, n in zip(labels, steps, strict=True)]
    chance = [[rng(i, k).random() for k in range(n)] for i, n in enumerate(steps)]
    assert judge_held_out(labels, known).f1 == Estimate(1.0, judge_held_out(labels, known).f1.low, 1.0, 300)
    assert judge_held_out(labels, chance).f1.value < 0.4
