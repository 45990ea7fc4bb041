"""Accuracies with intervals, paired differences, pass@k; by group of a frame too (`estimate`, `paired`).

Intervals are over problems. That of a mean is Wilson's with continuity correction, of as many right or wrong problems
as would spread as far as the values do: n p (1 - p) / s2 of them. Mean p and variance s2 are taken with z²/2 further
problems of value 0 and as many of value 1 (as Agresti and Coull do), so that values which happen to be alike do not
prove that all are. Of right or wrong values that is the number n itself.

That of a paired difference of right or wrong values is Tango's (1998), corrected likewise; of other values it is that
of the mean of (1 + difference) / 2. Newcombe's, and Wilson's without the correction, hold the truth too seldom (at
n = 30 in 90 and 85 %). How often these do, in percent, at the worst place of a grid, is printed by
python tests/interval_coverage.py (500 simulations where not exact):

    problems                          30      60     100     500
    right or wrong                  95.7    95.3    95.1    95.0
    two values in [0, 1]            94.6    94.4    94.5    94.7
    pass@k, pool of 64              95.6    95.8    95.6    94.4
    paired right or wrong           96.6    96.2    95.9    94.8
    paired pass@k                  100.0    99.8    99.4    96.6
    F1                              96.1    95.2    96.0    94.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Estimate:
    """A mean over problems with its 95 % interval.

    Attributes:
        value: the mean; NaN if there is no problem to take it over.
        low, high: ends of the interval.
        n: problems the mean is over; failed ones are not among them.
        failed: problems left out because their cell failed.
        undecided: problems left out because they could not be decided (see `Results`).
    """

    value: float
    low: float
    high: float
    n: int
    failed: int = 0
    undecided: int = 0

    def __str__(self) -> str:
        out = "".join(f", {count} {why}" for why in ("failed", "undecided") if (count := getattr(self, why)))
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.n}{out})"

    def apart(self, failed: int) -> Estimate:
        """With what it leaves out told apart: that many failed, and the others are undecided."""
        return replace(self, failed=failed, undecided=self.failed + self.undecided - failed)


def accuracy(correct: Sequence[float | bool | None], *, level: float = 0.95) -> Estimate:
    """Mean of per-problem values in [0, 1] (right or wrong, or a pass@k) with its interval over problems.

    None marks a failed problem: it is left out and counted in `failed`. Raises ValueError for values outside [0, 1].
    """
    values = np.array([float(value) for value in correct if value is not None])
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("Values of an accuracy lie in [0, 1]; at least one given does not.")
    return Estimate(*_interval(values, level), len(values), len(correct) - len(values))


def paired_difference(
    a: Sequence[float | bool | None], b: Sequence[float | bool | None], *, level: float = 0.95
) -> Estimate:
    """Mean of a - b over the same problems in the same order, with its interval over problems.

    Values lie in [0, 1]; a problem that is None in either is left out and counted in `failed`. Raises ValueError if
    the lengths differ, and for values outside [0, 1].
    """
    if len(a) != len(b):
        raise ValueError(f"A paired difference needs the same problems on both sides; got {len(a)} and {len(b)}.")
    pairs = np.array([(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None], float)
    if not np.all((pairs >= 0) & (pairs <= 1)):
        raise ValueError("A paired difference is one of values in [0, 1]; at least one given is not.")
    differences = pairs.reshape(-1, 2) @ [1, -1]
    value, low, high = (2 * end - 1 for end in _interval((1 + differences) / 2, level))
    if len(pairs) and np.all(np.isin(differences, (-1, 0, 1))):
        gains, losses = (int((differences == sign).sum()) for sign in (1, -1))
        low, high = _score_interval(gains, losses, len(pairs), standard_errors(level))
    return Estimate(value, low, high, len(pairs), len(a) - len(pairs))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two means over different problems, with the interval that follows from theirs.

    Its ends are as far from a - b as the root of the summed squares of the distances to the ends that matter (Zou and
    Donner 2008; of two Wilson intervals that is Newcombe's of 1998). `n`, `failed` and `undecided` are sums. Of values
    on the same problems it is too wide: there, use `paired_difference`.
    """
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Estimate(value, low, high, a.n + b.n, a.failed + b.failed, a.undecided + b.undecided)


def pass_at_k(n: int, c: int, k: int) -> float:
    """Probability that at least one of k samples is right, estimated without bias from n samples of which c
    are.

    1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, eq. 1). Raises ValueError unless 0 <= c <= n
    and 1 <= k <= n.
    """
    if not 0 <= c <= n:
        raise ValueError(f"Of {n} samples {c} cannot be right.")
    if not 1 <= k <= n:
        raise ValueError(
            f"pass@{k} needs at least {max(k, 1)} samples and k of at least 1; there are {n} samples."
        )
    return 1 - math.comb(n - c, k) / math.comb(n, k)


FEW = 10  # problems; of fewer a bootstrap says nothing


def resampled(
    table: pandas.DataFrame, statistic: Callable[[np.ndarray], float], *, draws: int = 2000, seed: int = 0,
    level: float = 0.95,
) -> Estimate:  # fmt: skip
    """A statistic of the column means of a table of problems x quantities, with its bootstrap interval over problems.

    Problems without a value somewhere are left out and counted in `undecided`. The ends are percentiles over `draws` of
    as many problems with replacement, which lie too close below 100 problems; below `FEW` there are none. Draws without
    a value (a correlation of equals) are left out of them. NaN where no problem is left.
    """
    values = table.dropna().to_numpy(float)
    n, left = len(values), len(table) - len(values)
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, undecided=left)
    draws = draws if n >= FEW else 0
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.array([statistic(means) for means in weights @ values])
        value = float(statistic(values.mean(axis=0)))
    found = found[~np.isnan(found)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]) if len(found) else (math.nan, math.nan)
    return Estimate(value, float(low), float(high), n, undecided=left)


# -- of frames -------------------------------------------------------------------------------------

PROBLEM = ("benchmark", "problem")
# What must not vary among the rows of one problem in a group: their mean would be a mean over runs or rules.
SETTINGS = ("policy", "prm", "method", "N", "M", "settings", "policy_role", "prm_role", "vote")


def estimate(frame: pandas.DataFrame, by: str | Sequence[str] = ()) -> pandas.DataFrame:
    """Mean of the column `right` with its interval over problems, for each group of a frame of results.

    A row for each group, in order of appearance: the columns `by`, then those of `Estimate`. Rows of one problem that
    differ in their seed are averaged first. Raises ValueError if they differ in more, so in what `by` lacks.
    """
    import pandas

    by = _columns(by)
    names = [*by, *Estimate.__dataclass_fields__]
    rows = ((*key, *vars(_estimate(problems)).values()) for key, problems in _groups(frame, by))
    return pandas.DataFrame(rows, columns=names)


def paired(frame: pandas.DataFrame, by: str | Sequence[str] = (), **sides: tuple) -> pandas.DataFrame:
    """Paired differences of the column `right` on the same problems, for each group that has both sides.

    The sides are two values of one column, for example paired(frame, "N", method=("dvts", "best_of_n")): "dvts" minus
    "best_of_n" at each N. A row for each group: the columns `by`, that column with the first value, "minus" with the
    second, then those of `Estimate`. Raises ValueError if the problems of two sides differ, if no group has both sides,
    and as `estimate` does.
    """
    import pandas

    column, (one, other), by, pairs = paired_problems(frame, by, **sides)
    rows = []
    for key, a, b in pairs:
        difference = paired_difference(_values(a), _values(b)).apart(int((a.failed | b.failed).sum()))
        rows.append((*key, one, other, *vars(difference).values()))
    return pandas.DataFrame(rows, columns=[*by, column, "minus", *Estimate.__dataclass_fields__])


def paired_problems(
    frame: pandas.DataFrame, by: str | Sequence[str] = (), **sides: tuple
) -> tuple[str, tuple, list[str], list[tuple[tuple, pandas.DataFrame, pandas.DataFrame]]]:
    """What `paired` compares: the column of the sides, its two values, the columns `by` without it, and of each group
    its key and the problems of both sides in the same order (`right`, `failed`). Raises ValueError as `paired` does."""
    if len(sides) != 1 or len(next(iter(sides.values()))) != 2:
        raise ValueError('The sides are two values of one column: give them as in method=("dvts", "best_of_n").')
    (column, (one, other)), by = *sides.items(), [each for each in _columns(by) if each not in sides]
    first, second = (dict(_groups(frame[frame[column] == side], by)) for side in (one, other))
    pairs = []
    for key in (key for key in first if key in second):
        a, b = first[key], second[key]
        if len(a) != len(b) or not a.index.isin(b.index).all():
            group = ", ".join(f"{name} {value}" for name, value in zip(by, key, strict=True))
            raise ValueError(f"{one} and {other} were not run on the same problems{group and f' at {group}'}.")
        pairs.append((key, a, b.loc[a.index]))
    if not pairs:
        raise ValueError(f"No group has both {column} {one} and {column} {other}.")
    return column, (one, other), by, pairs


def contrast(plus: Sequence[pandas.DataFrame], minus: Sequence[pandas.DataFrame]) -> Estimate:
    """Sum of the means of the column `right` over the frames `plus`, minus that over as many frames `minus`.

    One frame on each side is a paired difference of two groups of runs; two are a difference of differences:
    contrast([search, other_sampling], [sampling, other_search]) is how much more search gains in the first case. A
    frame may hold several rows of a problem (methods, PRMs, seeds): they are averaged problem by problem. The interval
    is over the problems that all frames have; one with a row that failed or is undecided is left out and counted.
    Without a problem, so where a frame is empty, all is NaN. Raises ValueError if the sides are not equally long.
    """
    import pandas

    if not plus or len(plus) != len(minus):
        raise ValueError(f"A contrast needs as many frames on both sides; got {len(plus)} and {len(minus)}.")
    groups = [frame.groupby(list(PROBLEM), observed=True) for frame in (*plus, *minus)]
    means = [each.right.mean().where(each.right.count() == each.size()) for each in groups]
    rights = pandas.concat(means, axis=1, join="inner", keys=range(len(means))).astype(float)
    failed = pandas.concat([each.failed.any() for each in groups], axis=1, join="inner").any(axis=1)
    sides = [side.mean(axis=1, skipna=False) for side in (rights.iloc[:, : len(plus)], rights.iloc[:, len(plus) :])]
    a, b = ([None if math.isnan(value) else value for value in side] for side in sides)
    found = paired_difference(a, b).apart(int(failed.sum()))
    return replace(found, **{name: len(plus) * getattr(found, name) for name in ("value", "low", "high")})


def _columns(by: str | Sequence[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def per_problem(frame: pandas.DataFrame, by: str | Sequence[str] = ()) -> pandas.DataFrame:
    """A row for each group and problem of a frame of results: the columns `by` and `PROBLEM`, then `right`, the mean
    over seeds, and whether all of them `failed`.

    Raises ValueError if rows of one problem in a group differ in more than their seed.
    """
    by = _columns(by)
    keys = list(dict.fromkeys([*by, *PROBLEM]))
    alike = list(dict.fromkeys([*keys, "seed"]))
    if frame.duplicated(alike).any():
        varied = frame.groupby(alike, dropna=False)[[each for each in SETTINGS if each not in alike]].nunique().max()
        also = [name for name, count in varied.items() if count > 1]
        raise ValueError(
            f"Rows of one problem differ in {', '.join(also)}: group by that too, or choose among them." if also
            else "The frame holds the same rows twice: give each run once, and runs that differ in a setting without a "
            "column one that tells them apart."
        )  # fmt: skip
    return frame.groupby(keys, sort=False, dropna=False, observed=True).agg(
        right=("right", "mean"), failed=("failed", "all")
    ).reset_index()  # fmt: skip


def _groups(frame: pandas.DataFrame, by: list[str]) -> Iterator[tuple[tuple, pandas.DataFrame]]:
    """For each group its key and its problems, as `per_problem` gives them."""
    problems = per_problem(frame, by)
    groups = problems.groupby(by, sort=False, dropna=False) if by else [((), problems)] if len(problems) else []
    for key, part in groups:
        yield key, part.set_index(list(PROBLEM))


def _estimate(problems: pandas.DataFrame) -> Estimate:
    return accuracy(_values(problems)).apart(int(problems.failed.sum()))


def _values(problems: pandas.DataFrame) -> list[float | None]:
    return [None if math.isnan(value) else value for value in problems.right]


# --------------------------------------------------------------------------------------------------


def _interval(values: np.ndarray, level: float) -> tuple[float, float, float]:
    """Mean of values in [0, 1], and the ends of its interval; NaN without values."""
    count = len(values)
    if not count:
        return math.nan, math.nan, math.nan
    z = standard_errors(level)
    mean, added = float(values.mean()), z * z / 2
    centre = (count * mean + added) / (count + 2 * added)
    squares = float(((values - centre) ** 2).sum()) + added * (centre**2 + (1 - centre) ** 2)
    size = count * centre * (1 - centre) * (count + 2 * added) / squares
    return mean, low_end(mean, size, z), 1 - low_end(1 - mean, size, z)


def _score_interval(gains: int, losses: int, n: int, z: float) -> tuple[float, float]:
    """Ends of Tango's interval of (gains - losses) / n; the correction is half of what one problem more could change.
    """
    mean = (gains - losses) / n

    def errors(d: float) -> float:
        """Standard errors between what was seen and a true difference d, at its likeliest share of losses."""
        b = (2 * n - gains + losses) * d - gains - losses
        lost = (math.sqrt(max(0.0, b * b + 8 * n * losses * d * (1 - d))) - b) / (4 * n)
        off = max(0.0, n * abs(mean - d) - (1 + abs(mean)) / 2)
        return off / math.sqrt(max(n * (2 * lost + d * (1 - d)), 1e-300))

    def end(outside: float) -> float:
        inside = mean
        for _ in range(50):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if errors(middle) <= z else (inside, middle)
        return inside

    return end(-1.0), end(1.0)


def standard_errors(level: float) -> float:
    """How many of them an interval of that level reaches to each side: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def low_end(share: float, n: float, z: float) -> float:
    """Lower end of Wilson's interval with continuity correction, at `z` standard errors; 0 for less than one hit of n.

    The upper end is 1 - low_end(1 - share, n, z).
    """
    if n * share < 1 - 1e-9:
        return 0.0
    root = math.sqrt(z * z - 2 - 1 / n + 4 * share * (n * (1 - share) + 1))
    return max(0.0, (2 * n * share + z * z - 1 - z * root) / (2 * (n + z * z)))
