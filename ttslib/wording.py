"""How tables say an estimate, in percent with its interval, and what it makes of a claim."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

NONE = "–"
"""What stands where there is no value."""


def interval(value: float, low: float, high: float, *, scale: float = 100.0, digits: int = 1) -> str:
    """ "34.5 [30.4, 38.9]"; by default in percent. Without ends the value alone, without a value a dash."""
    if math.isnan(value):
        return NONE
    said, *ends = (f"{scale * each:z.{digits}f}" for each in (value, low, high))
    return said if math.isnan(low) or math.isnan(high) else f"{said} [{', '.join(ends)}]"


def verdict(low: float, high: float, above: float = 0.0, below: float = math.inf) -> str:
    """What an interval makes of the claim that the true value lies between `above` and `below`.

    It "holds" if the whole interval does, "fails" if none of it does, and is "undecided" otherwise, also without one.
    """
    if above < low and high < below:
        return "holds"
    return "fails" if high <= above or low >= below else "undecided"


def solved(rows: pandas.DataFrame) -> str:
    """Of how many problems of each data set some row of a frame of results is right, and what follows if none is."""
    right = rows.groupby(["dataset", "problem"], sort=False).right.max().gt(0).groupby("dataset", sort=False)
    counts = ", ".join(f"{part.sum()} of {len(part)} problems of {dataset}" for dataset, part in right)
    none = " All accuracies are 0, so that nothing here tells one method from another."
    return f"Solved in some run: {counts}.{'' if rows.right.gt(0).any() else none}" if counts else "Nothing was run."
