"""Estimates in words."""

from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from ttslib.wording import interval, verdict


def test_an_estimate_is_said_in_percent_with_its_interval():
    assert interval(0.345, 0.304, 0.389) == "34.5 [30.4, 38.9]"
    assert interval(1.234, 1.1, 1.3, scale=1, digits=2) == "1.23 [1.10, 1.30]"
    assert interval(0.5, nan, nan) == "50.0" and interval(nan, nan, nan) == "–"


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_a_claim_and_its_opposite_never_both_hold(low, width, bound):
    said, turned = verdict(low, low + width, bound), verdict(low, low + width, -inf, bound)
    if low <= bound <= low + width:
        assert "holds" not in (said, turned)
    else:
        assert {said, turned} == {"holds", "fails"}


def test_without_an_interval_nothing_is_decided():
    assert verdict(nan, nan) == verdict(nan, nan, -inf, 0.0) == "undecided"
