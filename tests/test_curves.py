"""Two methods at equal cost: known curves, and the bootstrap where nothing or everything varies.

Run: python -m pytest tests/test_curves.py
"""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.curves import at_equal_cost, stays_ahead


def frame(**methods):
    """Rows of each method: {N: (cost, [right of each problem])}."""
    rows = [
        {"policy": "a", "benchmark": "MATH-500", "problem": f"p{at}", "seed": 0, "method": method, "N": n,
         "right": value, "flops": cost * (1 + 0.1 * at)}
        for method, curve in methods.items() for n, (cost, right) in curve.items() for at, value in enumerate(right)
    ]  # fmt: skip
    return pandas.DataFrame(rows)


def alike(value, count=3):
    return [value] * count


STEEP = {4: (100.0, alike(0.0)), 16: (10_000.0, alike(1.0))}
LEVEL = {1: (10.0, alike(0.5)), 64: (100_000.0, alike(0.5))}


def test_the_second_method_is_taken_at_the_cost_of_the_first():
    rows = at_equal_cost(frame(dvts=STEEP, best_of_n=LEVEL), "policy", cost="flops", method=("dvts", "best_of_n"))
    assert list(rows.N) == [4, 16] and list(rows.value) == pytest.approx([-0.5, 0.5])
    assert list(rows.flops) == pytest.approx([110, 11_000]) and list(rows.covered) == [True, True]
    assert list(rows.n) == [3, 3] and rows.low.lt(rows.value).all() and rows.high.gt(rows.value).all()
    # The other way round: half way of a logarithmic scale, and beyond the ends what stands there.
    rows = at_equal_cost(frame(dvts=STEEP, best_of_n=LEVEL | {8: (1000.0, alike(0.5))}), cost="flops",
                         method=("best_of_n", "dvts"))  # fmt: skip
    assert list(rows.value) == pytest.approx([0.5, 0.0, -0.5]) and list(rows.covered) == [False, True, False]


def test_a_crossing_lies_where_the_curves_meet():
    [row] = stays_ahead(frame(dvts=STEEP, best_of_n=LEVEL), "policy", cost="flops",
                        method=("dvts", "best_of_n"), draws=50).itertuples()  # fmt: skip
    assert row.value == pytest.approx(1100) and (row.later, row.n) == (1, 3)
    assert 999 < row.low <= row.value <= row.high < 1201  # the draws differ in their costs only
    assert (row.first, row.last) == pytest.approx((110, 11_000))
    [row] = stays_ahead(frame(dvts=STEEP, best_of_n=LEVEL), cost="flops", method=("best_of_n", "dvts")).itertuples()
    assert math.isinf(row.value) and math.isinf(row.low) and row.never == 1  # it is ahead before, not at the end


def test_ahead_all_along_or_level():
    low = {1: (10.0, alike(0.1)), 64: (1e5, alike(0.2))}
    [row] = stays_ahead(frame(dvts=low, best_of_n=LEVEL), cost="flops", method=("best_of_n", "dvts")).itertuples()
    assert (row.value, row.low, row.high, row.always) == (0, 0, 0, 1)
    [row] = stays_ahead(frame(dvts=LEVEL, best_of_n=LEVEL), cost="flops", method=("best_of_n", "dvts")).itertuples()
    assert math.isinf(row.value) and row.never == 1


def test_what_cannot_be_compared_has_no_row():
    alone = frame(dvts=STEEP)
    apart = frame(dvts=STEEP, best_of_n={1: (1e6, alike(1.0)), 2: (1e7, alike(1.0))})
    unknown = frame(dvts=STEEP, best_of_n={1: (1e3, alike(math.nan)), 2: (1e4, alike(1.0))})
    for rows in (alone, apart, unknown):
        assert stays_ahead(rows, "policy", cost="flops", method=("dvts", "best_of_n")).empty
    assert at_equal_cost(alone, cost="flops", method=("dvts", "best_of_n")).empty
    lost = at_equal_cost(unknown, cost="flops", method=("dvts", "best_of_n"))
    assert list(lost.n) == [0, 0] and list(lost.undecided) == [3, 3] and lost.value.isna().all()
    with pytest.raises(ValueError, match="choose one vote"):
        at_equal_cost(pandas.concat([alone, alone]), cost="flops", method=("dvts", "best_of_n"))


def test_the_interval_of_a_crossing_holds_it():
    """One curve rises by 1 over the common range, the other is level at 0.5: they cross half way."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(60):
        coins = [[float(x) for x in rng.random(60) < share] for share in (0.1, 0.9)]
        rising = {4: (100.0, coins[0]), 16: (10_000.0, coins[1])}
        level = {n: (cost, [0.5] * 60) for n, cost in [(1, 10.0), (64, 100_000.0)]}
        rows = frame(dvts=rising, best_of_n=level)
        rows["flops"] /= 1 + 0.1 * rows.problem.str[1:].astype(int)
        [row] = stays_ahead(rows, cost="flops", method=("dvts", "best_of_n"), draws=200).itertuples()
        held += row.low <= 1000 <= row.high
    assert held >= 52


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=4))
def test_both_cannot_stay_ahead(points):
    """At most one is ahead at the end, and where it starts to be the curves are level or that is the first cost."""
    one, other = ({2**at: (10.0 ** (at + 1), [pair[side]]) for at, pair in enumerate(points)} for side in (0, 1))
    rows = frame(dvts=one, best_of_n=other)
    values = [stays_ahead(rows, cost="flops", method=pair, draws=2).value[0]
              for pair in [("dvts", "best_of_n"), ("best_of_n", "dvts")]]  # fmt: skip
    assert np.isinf(values).any()
    for start in values:
        if 0 < start < math.inf:
            knots = np.log([10.0 ** (at + 1) for at in range(len(points))])
            a, b = (np.interp(math.log(start), knots, [pair[side] for pair in points]) for side in (0, 1))
            assert a == pytest.approx(b, abs=1e-6)
