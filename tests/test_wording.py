"""Estimates in words."""

from math import inf, nan

import pandas
from hypothesis import given
from hypothesis import strategies as st

from ttslib.wording import interval, solved, verdict


def test_an_estimate_is_said_in_percent_with_its_interval():
    assert interval(0.345, 0.304, 0.389) == "34.5 [30.4, 38.9]"
    assert interval(1.234, 1.1, 1.3, scale=1, digits=2) == "1.23 [1.10, 1.30]"
    assert interval(0.5, nan, nan) == "50.0" and interval(nan, nan, nan) == "–"
    assert interval(-0.0004, -0.0006, 0.0004) == "0.0 [-0.1, 0.0]"


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_a_claim_and_its_opposite_never_both_hold(low, width, bound):
    said, turned = verdict(low, low + width, bound), verdict(low, low + width, -inf, bound)
    if low <= bound <= low + width:
        assert "holds" not in (said, turned)
    else:
        assert {said, turned} == {"holds", "fails"}


def test_without_an_interval_nothing_is_decided():
    assert verdict(nan, nan) == verdict(nan, nan, -inf, 0.0) == "undecided"


def test_how_many_problems_were_solved_and_what_follows_if_none_was():
    rows = pandas.DataFrame(
        [("b", "1", 0.0), ("b", "1", 0.5), ("b", "2", 0.0), ("a", "1", 0.0), ("a", "2", nan)],
        columns=["dataset", "problem", "right"],
    )
    assert solved(rows) == "Solved in some run: 1 of 2 problems of b, 0 of 2 problems of a."
    nothing = "All accuracies are 0, so that nothing here tells one method from another."
    assert solved(rows[rows.dataset == "a"]) == f"Solved in some run: 0 of 2 problems of a. {nothing}"
    assert solved(rows[:0]) == "Nothing was run."
