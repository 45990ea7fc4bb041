"""Two methods at equal cost, from a frame of results: accuracies against cost, compared where neither has a point.

A curve is the mean of `right` against the mean cost over the same problems, at each budget N, and linear in the
logarithm of cost between neighbouring budgets. It is not continued beyond its ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas

from ttslib.stats import PROBLEM, Estimate, paired_difference

LEVEL = 0.95


@dataclass(frozen=True)
class Curve:
    """One method: budgets, and matrices of budgets x problems: what each problem gives (NaN: unknown) and costs."""

    budgets: np.ndarray
    right: np.ndarray
    cost: np.ndarray

    def of(self, places: np.ndarray) -> Curve:
        """Only these problems."""
        return Curve(self.budgets, self.right[:, places], self.cost[:, places])

    def at(self, costs: Sequence[float]) -> np.ndarray:
        """What each problem gives at these mean costs: costs x problems. Beyond an end that is what the end gives."""
        knots = np.log(self.cost.mean(axis=1))
        order = np.argsort(knots)
        return np.array([
            [np.interp(math.log(cost), knots[order], values) for values in self.right[order].T] for cost in costs
        ])  # fmt: skip


def at_equal_cost(
    frame: pandas.DataFrame, by: str | Sequence[str] = (), *, cost: str, method: tuple[str, str]
) -> pandas.DataFrame:
    """The first method at each of its budgets minus the second at the same mean cost, on the same problems.

    `frame` has a row for each problem, method and N of a group, as `Results.frame` with one vote gives them; `cost` is
    a column of it. A row for each group that has both methods, and budget of the first: the columns `by`, N, cost
    (mean), method, minus, those of `stats.Estimate` (see `stats.paired_difference`), and covered: whether the second
    one's curve reaches that cost; where it does not, its nearest end stands for it. A problem that is unknown at any
    budget of either is left out, as undecided or failed. Raises ValueError if the frame holds rows of one problem
    twice.
    """
    rows = []
    for key, (one, other), left_out in _pairs(frame, by, cost, method):
        none = not one.right.size
        costs = np.full(len(one.budgets), math.nan) if none else one.cost.mean(axis=1)
        others = one.right if none else other.at(costs)
        low, high = (math.nan, math.nan) if none else _range(np.log(other.cost.mean(axis=1)))
        for at, budget in enumerate(one.budgets):
            found = paired_difference([*one.right[at], *[None] * left_out], [*others[at], *[None] * left_out]).apart(0)
            covered = bool(low - 1e-9 <= np.log(costs[at]) <= high + 1e-9)
            rows.append((*key, budget, costs[at], *method, *vars(found).values(), covered))
    names = [*_columns(by), "N", cost, "method", "minus", *Estimate.__dataclass_fields__, "covered"]
    return pandas.DataFrame(rows, columns=names)


def stays_ahead(
    frame: pandas.DataFrame, by: str | Sequence[str] = (), *, cost: str, method: tuple[str, str], draws: int = 1000,
    seed: int = 0,
) -> pandas.DataFrame:  # fmt: skip
    """The cost from which on the first method stays ahead of the second, as far as both curves reach.

    A row for each group that has both methods and a common range of costs: the columns `by`, method, minus, value, low
    and high of that cost (0: all along; infinite: it is not ahead at the end), n problems, the ends `first` and `last`
    of the common range, and the shares of bootstrap draws over problems in which it is ahead `always`, `later` (from
    some cost within the range on) and `never` at the end. low and high are quantiles of the draws, of 95 % between
    them, so they too may be 0 or infinite. Being level is not being ahead. Raises ValueError as `at_equal_cost` does.
    """
    rows = []
    for key, (one, other), _ in _pairs(frame, by, cost, method):
        count = one.right.shape[1]
        if not count:
            continue
        weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws) / count
        first, last = _common(*(np.log(each.cost.mean(axis=1)) for each in (one, other)))
        if first >= last:
            continue
        means = [[np.log(weights @ each.cost.T), weights @ each.right.T] for each in (one, other)]
        starts = np.array([
            _overtakes(*((costs[at], right[at]) for costs, right in means)) for at in range(draws)
        ])  # fmt: skip
        value = _overtakes(*((np.log(each.cost.mean(axis=1)), each.right.mean(axis=1)) for each in (one, other)))
        low, high = np.quantile(starts, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
        always, never = (starts == 0).mean(), np.isinf(starts).mean()
        rows.append((*key, *method, value, low, high, count, math.exp(first), math.exp(last), always,
                     1 - always - never, never))  # fmt: skip
    names = [*_columns(by), "method", "minus", "value", "low", "high", "n", "first", "last", "always", "later", "never"]
    return pandas.DataFrame(rows, columns=names)


def _overtakes(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    """The cost from which on one curve (log costs, values) stays above another; see `stays_ahead`."""
    first, last = _common(one[0], other[0])
    if first >= last:
        return math.inf
    inner = [knot for knot in (*one[0], *other[0]) if first < knot < last]
    grid = np.array(sorted({first, *inner, last}))
    values = [np.interp(grid, costs[order], right[order])
              for costs, right in (one, other) for order in [np.argsort(costs)]]  # fmt: skip
    ahead = values[0] - values[1]
    ahead[np.abs(ahead) < 1e-12] = 0.0
    if ahead[-1] <= 0:
        return math.inf
    behind = np.flatnonzero(ahead <= 0)
    if not len(behind):
        return 0.0
    at = behind[-1]
    return math.exp(grid[at] - ahead[at] * (grid[at + 1] - grid[at]) / (ahead[at + 1] - ahead[at]))


def _common(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The range that both cover; the first above the last if there is none."""
    (a, b), (c, d) = _range(one), _range(other)
    return max(a, c), min(b, d)


def _range(costs: np.ndarray) -> tuple[float, float]:
    return float(costs.min()), float(costs.max())


def _pairs(
    frame: pandas.DataFrame, by: str | Sequence[str], cost: str, method: tuple[str, str]
) -> Iterator[tuple[tuple, list[Curve], int]]:
    """Of each group with both methods: its key, their curves on the problems known at all points, how many are not."""
    by = _columns(by)
    keys = [*by, "method", "N", *(each for each in PROBLEM if each not in by)]
    rows = frame[frame.method.isin(method)]
    if rows.duplicated([*keys, "seed"]).any():
        raise ValueError("The frame holds a problem twice at the same budget: choose one vote, and group by the rest.")
    means = rows.groupby(keys, sort=False, dropna=False, observed=True)[["right", cost]].mean().reset_index()
    for key, group in means.groupby(by, sort=False, dropna=False, observed=True) if by else [((), means)]:
        parts = [group[group.method == each] for each in method]
        if any(part.empty for part in parts):
            continue
        tables = [[part.pivot(index="N", columns=list(PROBLEM), values=each) for each in ("right", cost)]
                  for part in parts]  # fmt: skip
        problems = tables[0][0].columns.intersection(tables[1][0].columns)
        curves = [Curve(right.index.to_numpy(), *(each.reindex(columns=problems).to_numpy(float)
                                                  for each in (right, spent))) for right, spent in tables]  # fmt: skip
        places = np.flatnonzero(np.all([np.isfinite(each.right + each.cost).all(axis=0) for each in curves], axis=0))
        yield key, [curve.of(places) for curve in curves], len(problems) - len(places)


def _columns(by: str | Sequence[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(by)
