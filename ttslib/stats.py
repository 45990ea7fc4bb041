"""Accuracies with intervals, paired differences, pass@k."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
SEED = 0


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


def accuracy(correct: Sequence[float | bool | None], *, level: float = 0.95) -> Estimate:
    """Mean of per-problem values in [0, 1] (right or wrong, or a pass@k) with a bootstrap interval over problems.

    None marks a failed problem: it is left out and counted in `failed`. Where every value is 0, or every value is 1,
    resampling says nothing (the interval would have width 0); the exact binomial (Clopper-Pearson) end is given there:
    high = 1 - (alpha/2)^(1/n), or low = (alpha/2)^(1/n). Raises ValueError for values outside [0, 1].
    """
    values = np.array([float(value) for value in correct if value is not None])
    failed = len(correct) - len(values)
    if len(values) and not (np.all(values >= 0) and np.all(values <= 1)):
        raise ValueError("Values of an accuracy lie in [0, 1]; at least one given does not.")
    value, low, high = _interval(values, level)
    if len(values) and np.all(values == 0):
        high = _unseen(len(values), level)
    elif len(values) and np.all(values == 1):
        low = 1 - _unseen(len(values), level)
    return Estimate(value, low, high, len(values), failed)


def paired_difference(
    a: Sequence[float | bool | None], b: Sequence[float | bool | None], *, level: float = 0.95
) -> Estimate:
    """Mean of a - b over the same problems in the same order, with a bootstrap interval over problems.

    Values lie in [0, 1]; a problem that is None in either is left out and counted in `failed`. Where every problem has
    the same difference d, resampling says nothing, as in `accuracy`: at most a share of p = 1 - (alpha/2)^(1/n) of all
    problems has another, which lies in [-1, 1], so the ends are d - p (1 + d) and d + p (1 - d). Raises ValueError if
    the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"A paired difference needs the same problems on both sides; got {len(a)} and {len(b)}.")
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    differences = np.array([float(x) - float(y) for x, y in pairs])
    value, low, high = _interval(differences, level)
    if len(differences) and abs(value) <= 1 and np.all(differences == differences[0]):
        other = _unseen(len(differences), level)
        low, high = value - other * (1 + value), value + other * (1 - value)
    return Estimate(value, low, high, len(pairs), len(a) - len(pairs))


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


def _unseen(n: int, level: float) -> float:
    """Exact binomial (Clopper-Pearson) upper end of the share of something that none of n problems shows."""
    return 1 - ((1 - level) / 2) ** (1 / n)


def _interval(values: np.ndarray, level: float) -> tuple[float, float, float]:
    """Mean and percentile bootstrap interval; the seed is fixed: the same values give the same interval."""
    if not len(values):
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(SEED)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, 1000):  # in parts: 1000 x problems numbers at a time
        picks = rng.integers(len(values), size=(1000, len(values)))
        means[start : start + 1000] = values[picks].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), float(low), float(high)
