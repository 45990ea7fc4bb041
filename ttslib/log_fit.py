"""Accuracy against the logarithm of a score, as in the paper's Figure 6, with intervals by bootstrap.

Problems are drawn again, the same ones for every point, since the points (PRMs) are measured on the same problems; and
so may the scores be, where they are measured too. The points themselves are not: intervals are about these PRMs, on
other problems like these. Ends are expanded percentiles (Hesterberg 2015, The American Statistician 69, 371): without
the expansion they hold the truth too seldom with few problems; with it, of seven points, in 92 to 95 % of 300
simulations with 12 to 200 problems.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ttslib.stats import Estimate, standard_errors

DRAWS = 2000


@dataclass(frozen=True)
class LogFit:
    """accuracy = slope x log(score) + intercept by least squares, with the natural logarithm.

    Attributes:
        slope, intercept: accuracy as it was given; NaN ends where drawing again changes nothing.
        rank: Spearman's rank correlation of score and accuracy, equals at their mean rank.
        lines: slope and intercept of each draw.
    """

    slope: Estimate
    intercept: Estimate
    rank: Estimate
    lines: np.ndarray

    def at(self, scores: Sequence[float]) -> np.ndarray:
        """Fitted accuracy and the ends of its interval at each score: scores x 3."""
        logs, n = np.log(np.asarray(scores, float)), self.slope.n
        low, high = _ends(self.lines[:, :1] * logs + self.lines[:, 1:], n)
        return np.stack([self.slope.value * logs + self.intercept.value, low, high], axis=1)


def log_fit(
    scores: Sequence[float], values: np.ndarray, *, score_draws: np.ndarray | None = None, draws: int = DRAWS,
    seed: int = 0,
) -> LogFit:  # fmt: skip
    """The fit through a point for each score.

    scores: above 0. values: problems x points, in any unit; a problem with a NaN is left out and counted as undecided.
    score_draws: the scores measured again, in as many rows as there are draws (see `first_error.f1_draws`), of which
    those that cannot be fitted are left out; else the scores are taken as exact.
    Raises ValueError for fewer than three points or different numbers of them, for scores that are not above 0 or all
    alike, and for score_draws of another shape.
    """
    scores, values = np.asarray(scores, float), np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] != len(scores):
        raise ValueError(f"There are {len(scores)} scores; give a table of problems x points with as many points.")
    if len(scores) < 3:
        raise ValueError(f"A fit needs at least three points; got {len(scores)}.")
    if not np.all(scores > 0) or np.ptp(scores) == 0:
        raise ValueError("Scores of a logarithmic fit are above 0 and not all alike.")
    if score_draws is not None and score_draws.shape != (draws, len(scores)):
        raise ValueError(f"score_draws has the shape {score_draws.shape}, not {(draws, len(scores))}.")
    whole = values[~np.isnan(values).any(axis=1)]
    n, undecided = len(whole), len(values) - len(whole)
    if not n:
        nothing = Estimate(math.nan, math.nan, math.nan, 0, 0, undecided)
        return LogFit(nothing, nothing, nothing, np.full((draws, 2), math.nan))
    drawn = resampled(whole, draws, seed)
    again = np.broadcast_to(scores, drawn.shape) if score_draws is None else score_draws
    kept = (again > 0).all(axis=1) & (np.ptp(again, axis=1) > 0)
    again, drawn = again[kept], drawn[kept]
    means = whole.mean(axis=0)
    lines, ranks = _least_squares(np.log(again), drawn), _rank_correlation(again, drawn)
    found = [*_least_squares(np.log(scores)[None], means[None])[0], _rank_correlation(scores[None], means[None])[0]]
    slope, intercept, rank = (
        Estimate(float(value), *map(float, _ends(each, n)), n, 0, undecided)
        for value, each in zip(found, (lines[:, 0], lines[:, 1], ranks), strict=True)
    )
    return LogFit(slope, intercept, rank, lines)


def resampled(values: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Means of the columns over rows drawn again with replacement, the same rows for all columns: draws x columns."""
    n = len(values)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    return counts @ values / n


def _least_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope and intercept of each row: rows x 2."""
    off = x - x.mean(axis=1, keepdims=True)
    slope = (off * y).sum(axis=1) / (off**2).sum(axis=1)
    return np.stack([slope, y.mean(axis=1) - slope * x.mean(axis=1)], axis=1)


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each row; NaN where all of it is alike."""
    a, b = (_ranks(each) for each in (x, y))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), spread, out=np.full(len(a), math.nan), where=spread > 0)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along each row, equals at their mean rank."""
    rounded = np.round(values, 9)
    below = (rounded[:, None, :] < rounded[:, :, None]).sum(axis=2)
    return below + ((rounded[:, None, :] == rounded[:, :, None]).sum(axis=2) - 1) / 2


def _ends(draws: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Expanded percentiles along the first axis; NaN where the draws do not differ, or n is 1."""
    if n < 2 or not len(draws):
        return (np.full(draws.shape[1:], math.nan),) * 2
    part = NormalDist().cdf(-math.sqrt(n / (n - 1)) * _t(n - 1))
    known = np.where(np.isnan(draws).all(axis=0), 0.0, draws)
    low, high = np.nanquantile(known, [part, 1 - part], axis=0)
    alike = (high - low < 1e-9 * (1 + np.abs(low))) | np.isnan(draws).all(axis=0)
    return np.where(alike, math.nan, low), np.where(alike, math.nan, high)


def _t(freedom: int) -> float:
    """Student's t that 2.5 % exceed, by its expansion about the normal one (Abramowitz and Stegun 26.7.5)."""
    z = standard_errors(0.95)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
