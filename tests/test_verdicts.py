"""Claims, their criteria, and what estimates make of them."""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import plots, stats, verdicts
from ttslib.paper.claims import CLAIMS, CRITERIA, POINTS, RANK, RATIO, SHARE, Criterion
from ttslib.stats import Estimate

ABOVE, BELOW = Criterion("a", "more", above=0.0), Criterion("b", "less", below=0.0)
WITHIN = Criterion("c", "about the same", above=-0.05, below=0.05)


def estimate(low, high):
    return Estimate((low + high) / 2, low, high, 50)


@pytest.mark.parametrize(
    ("criterion", "low", "high", "expected"),
    [
        (ABOVE, 0.01, 0.2, "holds"), (ABOVE, -0.2, -0.01, "fails"), (ABOVE, -0.1, 0.1, "undecided"),
        (ABOVE, 0.0, 0.1, "undecided"), (ABOVE, -0.1, 0.0, "fails"),
        (BELOW, -0.2, -0.01, "holds"), (BELOW, 0.01, 0.2, "fails"), (BELOW, -0.1, 0.1, "undecided"),
        (WITHIN, -0.04, 0.04, "holds"), (WITHIN, 0.06, 0.2, "fails"), (WITHIN, -0.2, -0.05, "fails"),
        (WITHIN, 0.0, 0.06, "undecided"),
    ],
)  # fmt: skip
def test_an_interval_decides(criterion, low, high, expected):
    assert verdicts.verdict(criterion, estimate(low, high)) == expected


def test_without_an_interval_nothing_is_decided():
    assert verdicts.verdict(ABOVE, Estimate(0.5, math.nan, math.nan, 3)) == "undecided"
    for missing in (None, Estimate(math.nan, math.nan, math.nan, 0)):
        assert verdicts.verdict(ABOVE, missing) == "not run"
    assert verdicts.verdict(ABOVE, Estimate(math.nan, math.nan, math.nan, 3)) == "undecided"


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_mirrored_criteria_have_mirrored_verdicts(value, width, bound):
    found = Estimate(value, value - width, value + width, 10)
    mirrored = Estimate(-value, -value - width, -value + width, 10)
    above, below = Criterion("a", "", above=bound), Criterion("b", "", below=-bound)
    assert verdicts.verdict(above, found) == verdicts.verdict(below, mirrored)


def test_a_claim_is_as_good_as_its_worst_test():
    assert verdicts.together(["holds", "holds"]) == "holds"
    assert verdicts.together(["holds", "undecided"]) == "undecided"
    assert verdicts.together(["not run", "undecided", "fails"]) == "fails"
    assert verdicts.together([]) == "not run"


def test_every_claim_can_be_judged_and_at_least_twenty_are():
    assert sum(bool(claim.tests) for claim in CLAIMS) >= 20
    assert len(CRITERIA) == sum(len(claim.tests) for claim in CLAIMS)
    for criterion in CRITERIA.values():
        assert criterion.unit in (POINTS, RATIO, SHARE, RANK)
        assert criterion.above < criterion.below
        assert math.isfinite(criterion.above) or math.isfinite(criterion.below)


def test_the_board_has_a_row_for_each_test_and_says_what_was_not_run():
    found = dict.fromkeys(CRITERIA)
    found["gain"] = estimate(0.1, 0.3)
    board = verdicts.board(found)
    assert set(board.test.dropna()) == set(CRITERIA) and board.claim.nunique() == len(CLAIMS)
    row = board[board.test == "gain"].iloc[0]
    assert (row.verdict, row.claim_verdict, row.low, row.n) == ("holds", "not run", 0.1, 50)
    assert set(board[board.test != "gain"].verdict) == {"not run"}
    with pytest.raises(ValueError, match="no test 'pain'"):
        verdicts.board(found | {"pain": None})
    with pytest.raises(ValueError, match="gain: give an estimate"):
        verdicts.board({name: None for name in CRITERIA if name != "gain"})


def test_the_picture_shows_what_was_run():
    found = dict.fromkeys(CRITERIA) | {"gain": estimate(0.1, 0.3), "rlhflow-tokens": estimate(0.9, 1.1)}
    picture = verdicts.picture(verdicts.board(found))
    assert [axes.get_xlabel() for axes in picture.axes] == ["Difference (percentage points)", "Ratio"]
    assert verdicts.picture(verdicts.board(dict.fromkeys(CRITERIA))).axes


def test_the_picture_says_where_there_is_no_value():
    found = dict.fromkeys(CRITERIA) | {"prm-quality": Estimate(math.nan, math.nan, math.nan, 4)}
    picture = verdicts.picture(verdicts.board(found))
    assert [text.get_text() for text in picture.axes[0].texts] == ["no value"]
    assert plots.rendered(picture, "png")


def test_a_resampled_statistic_has_an_interval_over_problems():
    rng = np.random.default_rng(0)
    table = pandas.DataFrame(rng.random((200, 2)), columns=["a", "b"])
    table.loc[3, "a"] = math.nan
    found = stats.resampled(table, lambda means: means[0] - means[1])
    exact = stats.paired_difference(list(table.a.dropna()), list(table.b[table.a.notna()]))
    assert found.n == 199 and found.undecided == 1
    assert (found.value, found.low, found.high) == pytest.approx((exact.value, exact.low, exact.high), abs=0.01)
    few = stats.resampled(table[4:9], lambda means: means[0])
    assert few.n == 5 and math.isnan(few.low) and few.value == pytest.approx(table.a[4:9].mean())
    assert math.isnan(stats.resampled(table[:0], lambda means: means[0]).value)
