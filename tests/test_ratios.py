"""Ratios over problems: against tables and other formulas, and how often their intervals hold."""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib.ratios import ratio, ratios, slopes, student


@pytest.mark.parametrize(
    ("freedom", "printed"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (29, 2.045), (120, 1.980)]
)
def test_students_t_is_that_of_the_tables(freedom, printed):
    assert student(freedom) == pytest.approx(printed, abs=5e-4)
    with pytest.raises(ValueError, match="degree of freedom"):
        student(0)


def test_over_ones_it_is_the_mean_with_its_t_interval():
    values = [3.0, 5.0, 4.0, 8.0]
    found = ratio(values, [1] * 4)
    error = np.std(values, ddof=1) / 2
    assert (found.value, found.n) == (5.0, 4)
    assert found.high - 5 == pytest.approx(3.182446 * error) and 5 - found.low == pytest.approx(3.182446 * error)


def test_where_there_is_nothing_to_tell_there_is_no_number():
    assert math.isnan(ratio([], []).value) and math.isnan(ratio([1, 2], [0, 0]).value)
    alone = ratio([6], [2])
    assert alone.value == 3 and math.isnan(alone.low) and math.isnan(alone.high)
    with pytest.raises(ValueError, match="two numbers of each problem"):
        ratio([1], [1, 2])
    with pytest.raises(ValueError, match="finite"):
        ratio([math.nan], [1])


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=2, max_size=12), st.integers(2, 9))
def test_it_scales_with_its_top_and_lies_in_its_interval(pairs, factor):
    tops, bottoms = zip(*pairs, strict=True)
    one, more = ratio(tops, bottoms), ratio([factor * top for top in tops], bottoms)
    assert more.value == pytest.approx(factor * one.value) and more.high == pytest.approx(factor * one.high)
    assert one.low <= one.value <= one.high


def test_the_interval_of_a_ratio_holds():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        bottoms = rng.lognormal(3, 0.5, 30)
        found = ratio(1.8 * bottoms * rng.lognormal(-0.02, 0.2, 30), bottoms)
        held += found.low <= 1.8 <= found.high
    assert held / 400 > 0.92


def frame(rows, *names):
    return pandas.DataFrame(rows, columns=list(names)).assign(benchmark="")


def test_of_a_frame_rows_of_a_problem_are_summed_and_groups_keep_their_order():
    rows = frame([("b", "p", 4, 1), ("b", "p", 2, 1), ("b", "q", 1, 1), ("b", "r", 9, 0), ("a", "p", 5, 2)],
                 "prm", "problem", "tokens", "count")  # fmt: skip
    found = ratios(rows, "tokens", "count", "prm")
    assert list(found.prm) == ["b", "a"] and list(found.n) == [2, 1]
    assert list(found.value) == pytest.approx([7 / 3, 2.5])
    assert ratios(rows, "tokens", "count").value[0] == pytest.approx((4 + 2 + 1 + 5) / 5)


@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_a_slope_is_found_whatever_the_levels_of_the_problems(seed, slope):
    rng = np.random.default_rng(seed)
    rows = [(f"p{p}", x, 10 * p + slope * x) for p in range(4) for x in rng.normal(p, 1, 5)]
    found = slopes(frame(rows, "problem", "x", "y"), "x", "y").iloc[0]
    assert found.value == pytest.approx(slope, abs=1e-6) and found.n == 4


def test_a_slope_within_depth_leaves_out_what_depth_explains():
    rows = [("p", depth, depth + turn, 7.0 * depth - turn) for depth in range(3) for turn in (0, 1)]
    known = frame(rows, "problem", "depth", "x", "y")
    assert slopes(known, "x", "y").value[0] > 0
    assert slopes(known, "x", "y", within=["depth"]).value[0] == pytest.approx(-1)


def test_a_problem_whose_lengths_are_all_alike_tells_nothing():
    known = frame([("p", 0.1 + 0.2, 1.0), ("p", 0.3, 2.0), ("q", 1.0, 1.0), ("q", None, 2.0)], "problem", "x", "y")
    found = slopes(known, "x", "y").iloc[0]
    assert math.isnan(found.value) and found.n == 0


def test_the_interval_of_a_slope_holds_though_samples_of_a_problem_have_their_own_slope():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        own = rng.normal(0.5, 0.3, 20)
        drawn = [(p, x) for p in range(20) for x in rng.normal(0, 1, 6)]
        rows = [(f"p{p}", x, own[p] * x + rng.normal(0, 0.5)) for p, x in drawn]
        found = slopes(frame(rows, "problem", "x", "y"), "x", "y").iloc[0]
        held += found.low <= 0.5 <= found.high
    assert held / 200 > 0.9
