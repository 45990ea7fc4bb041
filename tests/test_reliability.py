"""Scores by depth and shares of votes against right and wrong: by hand, and as properties.

Run: python -m pytest tests/test_reliability.py
"""

import itertools
import math

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import stats
from ttslib.frames import SAMPLES
from ttslib.reliability import CELL, auc_by_depth, vote_shares


def samples(problems, **labels):
    """A frame as of `Results.samples`: per problem its trajectories (answer, right, scores)."""
    rows = []
    for problem, paths in problems.items():
        leaders = {}
        for sample, (answer, right, scores) in enumerate(paths):
            group = leaders.setdefault(answer, sample)
            rows.append({
                "policy": "a", "prm": "b", "method": "best_of_n", "N": len(paths), "M": 1, "kept": 1, "subtrees": 1,
                "seed": 0, "settings": "", "benchmark": "MATH-500", "dataset": "", "policy_role": "", "prm_role": "",
                "problem": problem, "level": 1, "subject": "", "sample": sample, "answer": answer, "group": group,
                "right": right, "end": "boxed", "scores": tuple(scores), "tokens": (1,) * len(scores), **labels,
            })  # fmt: skip
    frame = pandas.DataFrame(rows, columns=SAMPLES)
    frame["answer"] = pandas.Series([row["answer"] for row in rows], dtype=object)
    return frame


def test_auc_by_hand():
    frame = samples({
        "p": [("1", 1, [0.9, 0.2]), ("2", 0, [0.1, 0.8]), ("1", 1, [0.1]), ("3", 0, [0.5, 0.2])],
        "alike": [("1", 1, [0.9, 0.9]), ("1", 1, [0.1, 0.9])],
        "short": [("1", 1, [0.9]), ("2", 0, [0.1]), ("?", math.nan, [0.0, 0.0, 0.0]), ("2", 0, [])],
    })  # fmt: skip
    rows = auc_by_depth(frame).set_index(["problem", "depth"])
    assert list(rows.columns[-3:]) == ["right", "pairs", "failed"] and len(rows) == 6
    assert rows.right["p", 1] == pytest.approx((1 + 1 + 0.5 + 0) / 4) and rows.pairs["p", 1] == 4
    assert rows.right["p", 2] == pytest.approx((0 + 0.5) / 2) and rows.pairs["p", 2] == 2
    assert rows.right["short", 1] == 1 and rows.pairs["short", 1] == 1
    for none in (("alike", 1), ("alike", 2), ("short", 2)):
        assert math.isnan(rows.right[none]) and rows.pairs[none] == 0
    table = stats.estimate(rows.reset_index(), by="depth")
    assert list(table.n) == [2, 1] and list(table.undecided) == [1, 2]
    [change] = stats.paired(rows.reset_index(), depth=(2, 1)).value
    assert change == pytest.approx(0.25 - 0.625)


PATHS = st.lists(
    st.tuples(st.sampled_from(["1", "2", None]), st.sampled_from([0.0, 1.0, math.nan]),
              st.lists(st.sampled_from([0.1, 0.5, 0.9]), max_size=3)),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=3))
def test_auc_is_the_share_of_pairs_in_order(problems):
    rows = auc_by_depth(samples({f"p{at}": paths for at, paths in enumerate(problems)}))
    assert not rows.duplicated([*CELL, "depth"]).any()
    for row in rows.itertuples():
        at = [(right, scores[row.depth - 1]) for _, right, scores in problems[int(row.problem[1:])]
              if len(scores) >= row.depth]  # fmt: skip
        pairs = [(a, b) for (x, a), (y, b) in itertools.product(at, at) if x == 1 and y == 0]
        assert row.pairs == len(pairs)
        if pairs:
            assert row.right == pytest.approx(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs))
        else:
            assert math.isnan(row.right)


def test_without_scores_there_is_no_depth():
    rows = auc_by_depth(samples({"p": [("1", 1, []), ("2", 0, [])]}))
    assert rows.empty and "depth" in rows


def test_vote_shares_by_hand():
    rows = vote_shares(samples({
        "p": [("2", 0, []), ("1", 1, []), ("1", 1, []), (None, 0, [])],
        "tied": [("2", 0, []), ("1", 1, [])],
        "silent": [(None, 0, []), (None, 0, [])],
        "open": [("x", math.nan, [])],
    })).set_index("problem")  # fmt: skip
    assert rows.share.to_dict() == {"p": 0.5, "tied": 0.5, "silent": 0.0, "open": 1.0}
    assert rows.answer.to_dict() == {"p": "1", "tied": "2", "silent": None, "open": "x"}
    assert rows.distinct.to_dict() == {"p": 2, "tied": 2, "silent": 0, "open": 1}
    assert rows.right.to_dict() == pytest.approx({"p": 1, "tied": 0, "silent": 0, "open": math.nan}, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=7), min_size=1, max_size=3))
def test_the_share_is_that_of_the_most_frequent_answer(ballots):
    problems = {f"p{at}": [(answer, float(answer == "1"), []) for answer in each] for at, each in enumerate(ballots)}
    rows = vote_shares(samples(problems))
    assert len(rows) == len(ballots)
    for row, ballot in zip(rows.itertuples(), ballots, strict=True):
        counts = {answer: ballot.count(answer) for answer in ballot if answer is not None}
        assert row.share == pytest.approx(max(counts.values(), default=0) / len(ballot))
        assert row.answer == max(counts, key=counts.get, default=None)  # the first seen of equals
        assert row.right == float(row.answer == "1") and row.distinct == len(counts)
