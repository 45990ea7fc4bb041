"""What test-time scaling gains over chain of thought and over majority vote: Table 5 of the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ttslib import stats
from ttslib.wording import NONE

if TYPE_CHECKING:
    import pandas

CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])


def gain(tts: float, cot: float) -> float:
    """(tts - cot) / cot, as Table 5 counts it; NaN if cot is 0."""
    return (tts - cot) / cot if cot else math.nan


def gains(frame: pandas.DataFrame, by: str | Sequence[str] = (), **sides: tuple) -> pandas.DataFrame:
    """The `gain` of one side over the other on the same problems, for each group that has both sides.

    Called like `stats.paired`, for example gains(rows, "policy", quantity=("tts", "cot")), and raises ValueError as it
    does. A row for each group: `by`, the column of the sides, "minus", `value`, `low`, `high` and the `n` problems that
    both decided. The 95 % interval is Fieller's (1954) of the ratio of two paired means, with half a problem more in
    each corner of right and wrong; `high` is infinite where the other side may be 0. It holds the truth in 93 to 99 %
    of simulations from 30 problems on, where a percentile bootstrap does so in 7 to 95 %.
    """
    import pandas

    column, (one, other), by, pairs = stats.paired_problems(frame, by, **sides)
    rows = []
    for key, a, b in pairs:
        values = np.column_stack([a.right, b.right]).astype(float)
        values = values[~np.isnan(values).any(axis=1)]
        rows.append((*key, one, other, *_ratio(values), len(values)))
    return pandas.DataFrame(rows, columns=[*by, column, "minus", "value", "low", "high", "n"])


def gain_against(
    numbers: Mapping[str, float], frame: pandas.DataFrame, by: str, *, draws: int = 1000, seed: int = 0, **sides: tuple
) -> stats.Estimate:
    """Spearman's rank correlation, over the groups of one column, of a number of each (its size) with its gain.

    `numbers`: value of `by` -> number; groups without one are left out. The 95 % interval is a bootstrap over the
    problems that all groups decided on both sides; it says nothing of other groups. A gain over 0 ranks above all
    others. NaN for less than three groups.
    Raises ValueError as `gains` does.
    """
    import pandas

    *_, pairs = stats.paired_problems(frame, by, **sides)
    parts = {key: (a.right, b.right) for (key,), a, b in pairs if key in numbers}
    tts, cot = (pandas.DataFrame({key: part[side] for key, part in parts.items()}) for side in (0, 1))
    known = (tts.notna() & cot.notna()).all(axis=1)
    n = int(known.sum()) if parts else 0
    if len(parts) < 3 or not n:
        return stats.Estimate(math.nan, math.nan, math.nan, n)
    weights = np.vstack([np.ones(n), np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)]) / n
    first, second = (np.round(weights @ each[known].to_numpy(float), 12) for each in (tts, cot))
    ratios = np.divide(first, second, out=np.full_like(first, np.inf), where=second > 0)
    rhos = _spearman(ratios, np.array([numbers[key] for key in parts], float))
    if np.isnan(rhos[0]):
        return stats.Estimate(math.nan, math.nan, math.nan, n)
    low, high = np.nanquantile(rhos, [0.025, 0.975])
    return stats.Estimate(float(rhos[0]), float(low), float(high), n)


def _spearman(rows: np.ndarray, against: np.ndarray) -> np.ndarray:
    """Rank correlation of each row with one vector; equals share their mean rank, NaN where all are equal."""
    import pandas

    first = pandas.DataFrame(rows).rank(axis=1).to_numpy()
    second = pandas.Series(against).rank().to_numpy()
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean()
    with np.errstate(invalid="ignore"):
        return first @ second / np.sqrt((first**2).sum(axis=1) * (second**2).sum())


def _ratio(values: np.ndarray) -> tuple[float, float, float]:
    """Gain of the first column over the second with the ends of its interval; NaN without rows."""
    if not len(values):
        return math.nan, math.nan, math.nan
    value = gain(*values.mean(axis=0))
    weights = np.concatenate([np.ones(len(values)), np.full(len(CORNERS), 0.5)])
    means = np.average(values_ := np.concatenate([values, CORNERS]), axis=0, weights=weights)
    errors = np.cov(values_, rowvar=False, aweights=weights, ddof=0) / weights.sum()
    # The ratios r at which the mean of tts - r cot is within z standard errors of 0: a r^2 - 2 b r + c <= 0.
    c, b, _, a = (np.outer(means, means) - stats.standard_errors(0.95) ** 2 * errors).ravel()
    root = math.sqrt(max(b * b - a * c, 0.0))
    if a > 0:
        low, high = (b - root) / a, (b + root) / a
    else:
        low, high = (b - root) / a if a < 0 < c else 0.0, math.inf
    low, high = max(low, 0.0) - 1, high - 1
    return (value, low, high) if math.isnan(value) else (value, min(low, value), max(high, value))


@dataclass(frozen=True)
class Efficiency:
    """How many times less budget test-time scaling needs: somewhere from `low` to `high`.

    They are equal where it is known; `high` is infinite where it is more than `low`, and `low` is 0 where the accuracy
    is not reached, so that it is less than `high`. From 0 to infinity it `is_open`: majority vote solves nothing, so
    that there is no accuracy to reach.
    """

    low: float
    high: float

    @property
    def value(self) -> float:
        """The number that Table 5 prints, with ">" if it `is_bound`; NaN where the accuracy is not reached."""
        return self.low or math.nan

    @property
    def is_bound(self) -> bool:
        return math.isinf(self.high) and self.low > 0

    @property
    def is_open(self) -> bool:
        return math.isinf(self.high) and not self.low

    def __str__(self) -> str:
        if self.is_open:
            return NONE
        if not self.low:
            return "not reached"
        return f"> {self.low:.1f}x" if self.is_bound else f"{self.low:.1f}x"


def efficiency(majority: Mapping[int, float], tts: Mapping[int, float]) -> Efficiency:
    """The author's efficiency (issue 11 of the paper's code), from two curves: N -> accuracy.

    The N at the highest point of the majority curve (of equals the smallest), over the budget at which the compute-
    optimal curve first reaches that accuracy, linear in N between its budgets. If it is there at its smallest budget
    already, that gives a bound (">"); with budgets from 4 to 256 that is 64 at most. Raises ValueError for an empty
    curve.
    """
    if not len(majority) or not len(tts):
        raise ValueError("An efficiency takes two curves with a point at least.")
    budgets, values = (np.array(each, float) for each in (sorted(tts), [tts[n] for n in sorted(tts)]))
    counts = sorted(majority)
    heights = np.array([[majority[n] for n in counts]], float)
    low, high = _efficiencies(np.array(counts, float), heights, budgets, values[None])
    return Efficiency(float(low[0]), float(high[0]))


def efficiencies(
    majority: pandas.DataFrame, tts: pandas.DataFrame, by: str | Sequence[str] = "policy", *, draws: int = 1000,
    seed: int = 0,
) -> pandas.DataFrame:  # fmt: skip
    """The `efficiency` of each group, from rows of a frame at several N: of majority votes, and of a strategy.

    A row for each group that is in both: the columns `by`, `efficiency` (an `Efficiency`), `low` and `high`, a 95 %
    interval, and `n`, the problems that are decided at every N of both. The interval is from a bootstrap over problems,
    in which a draw that gives a bound counts with both ends of what it allows, so `high` is often infinite and `low`
    often 0. Choices behind the strategy stay as they are.
    """
    import pandas

    by = [by] if isinstance(by, str) else list(by)
    rng, rows = np.random.default_rng(seed), []
    sides = [_curves(frame, by) for frame in (majority, tts)]
    for key in (key for key in sides[0] if key in sides[1]):
        both = pandas.concat([side[key] for side in sides], axis=1, keys=("majority", "tts")).dropna()
        n = len(both)
        if not n:
            continue
        weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), draws)]) / n
        curves = [both[name] for name in ("majority", "tts")]
        at = [np.array(each.columns, float) for each in curves]
        first, second = (np.round(weights @ each.to_numpy(float), 12) for each in curves)
        low, high = _efficiencies(at[0], first, at[1], second)
        ends = (np.quantile(each[1:], q, method="nearest") for each, q in ((low, 0.025), (high, 0.975)))
        rows.append((*key, Efficiency(float(low[0]), float(high[0])), *ends, n))
    return pandas.DataFrame(rows, columns=[*by, "efficiency", "low", "high", "n"])


def _curves(frame: pandas.DataFrame, by: list[str]) -> dict[tuple, pandas.DataFrame]:
    """Group -> problems x N, in ascending order of N."""
    problems = stats.per_problem(frame, [*by, "N"])
    parts = problems.groupby(by, sort=False, dropna=False) if by else [((), problems)]
    return {key: part.pivot(index=list(stats.PROBLEM), columns="N", values="right") for key, part in parts}


def _efficiencies(
    counts: np.ndarray, majority: np.ndarray, budgets: np.ndarray, tts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the efficiency for many pairs of curves: accuracies are draws x budgets."""
    target, peak = majority.max(axis=1), counts[majority.argmax(axis=1)]
    reached = tts >= target[:, None]
    first = reached.argmax(axis=1)
    before = np.maximum(first - 1, 0)
    draws = np.arange(len(tts))
    rise = tts[draws, first] - tts[draws, before]
    share = np.divide(target - tts[draws, before], rise, out=np.zeros_like(rise), where=first > 0)
    needed = budgets[before] + share * (budgets[first] - budgets[before])
    never, at_once = ~reached.any(axis=1), reached[:, 0]
    low = np.where(never, 0.0, peak / needed)
    high = np.where(never, peak / budgets[-1], np.where(at_once, np.inf, low))
    return np.where(target > 0, low, 0.0), high
