"""Ratios of sums over problems with their intervals: mean lengths, ratios of costs, slopes within a problem.

Each problem gives a pair of numbers, and the ratio is that of their sums. Its interval is over problems: the standard
error is that of the linearised ratio, from the residuals top - ratio x bottom of the problems (Cochran, Sampling
Techniques, 3rd ed., eq. 6.13), at Student's t with one degree of freedom less than there are problems. A slope is such
a ratio too, of the sums of cross products and of squares, and this standard error is the one that is robust to
whatever the samples of one problem have in common.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ttslib.stats import PROBLEM, Estimate

if TYPE_CHECKING:
    import pandas


def ratio(tops: Sequence[float], bottoms: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Sum of the first over sum of the second numbers, one of each a problem, with its interval over problems.

    NaN where the second ones sum to 0; without ends where there is only one problem. Raises ValueError if the lengths
    differ, and for numbers that are not finite.
    """
    top, bottom = np.asarray(tops, float), np.asarray(bottoms, float)
    if top.shape != bottom.shape:
        raise ValueError(f"A ratio takes two numbers of each problem; got {top.size} and {bottom.size}.")
    if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
        raise ValueError("A ratio is one of finite numbers; at least one given is not.")
    count, total = top.size, bottom.sum()
    if not count or not total:
        return Estimate(math.nan, math.nan, math.nan, count)
    value = float(top.sum() / total)
    if count == 1:
        return Estimate(value, math.nan, math.nan, 1)
    spread = math.sqrt(count / (count - 1) * float(((top - value * bottom) ** 2).sum())) / abs(float(total))
    reach = spread * student(count - 1, level)
    return Estimate(value, value - reach, value + reach, count)


def ratios(frame: pandas.DataFrame, top: str, bottom: str, by: str | Sequence[str] = ()) -> pandas.DataFrame:
    """`ratio` of two columns for each group of a frame: the columns `by`, then value, low, high and n problems.

    Rows of one problem are summed first. Groups keep their order of appearance. Problems whose bottom is 0 tell
    nothing and are left out.
    """
    import pandas

    by = [by] if isinstance(by, str) else list(by)
    keys = [*by, *(each for each in PROBLEM if each not in by)]
    sums = frame.groupby(keys, sort=False, dropna=False, observed=True)[[top, bottom]].sum().reset_index()
    groups = sums.groupby(by, sort=False, dropna=False, observed=True) if by else [((), sums)]
    rows = []
    for key, part in groups:
        part = part[part[bottom] != 0]
        found = ratio(part[top], part[bottom])
        rows.append((*key, found.value, found.low, found.high, found.n))
    return pandas.DataFrame(rows, columns=[*by, "value", "low", "high", "n"])


def slopes(
    frame: pandas.DataFrame, x: str, y: str, by: str | Sequence[str] = (), within: Sequence[str] = ()
) -> pandas.DataFrame:
    """Least-squares slope of the column y on x within a problem, for each group, as `ratios` gives it.

    Each problem has an intercept of its own; with `within` (columns) each combination of their values in it has. What
    does not vary in x says nothing and is left out, so that n counts the problems that say something.
    """
    by = [by] if isinstance(by, str) else list(by)
    keys = list(dict.fromkeys([*by, *PROBLEM, *within]))
    known = frame[frame[x].notna() & frame[y].notna()]
    means = known.groupby(keys, dropna=False, observed=True)[[x, y]].transform("mean")
    off_x, off_y = known[x] - means[x], known[y] - means[y]
    off_x = off_x.where(off_x.abs() > 1e-9 * known[x].abs().clip(lower=1.0), 0.0)  # a mean of equals is not exact
    return ratios(known.assign(_cross=off_x * off_y, _square=off_x**2), "_cross", "_square", by)


def student(freedom: int, level: float = 0.95) -> float:
    """How many standard errors an interval of that level reaches to each side with Student's t.

    From the distribution function for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). Raises
    ValueError for less than one.
    """
    if freedom < 1:
        raise ValueError(f"Student's t has at least one degree of freedom, not {freedom}.")
    low, high = 0.0, math.pi / 2  # of atan(t / sqrt(freedom))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < level else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _inside(angle: float, freedom: int) -> float:
    """Probability that |t| is below sqrt(freedom) tan(angle)."""
    sine, cosine, odd = math.sin(angle), math.cos(angle), freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
