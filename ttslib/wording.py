"""How tables say an estimate, in percent with its interval, and what it makes of a claim."""

from __future__ import annotations

import math

NONE = "–"
"""What stands where there is no value."""


def interval(value: float, low: float, high: float, *, scale: float = 100.0, digits: int = 1) -> str:
    """ "34.5 [30.4, 38.9]"; by default in percent. Without ends the value alone, without a value a dash."""
    if math.isnan(value):
        return NONE
    said, *ends = (f"{scale * each:.{digits}f}" for each in (value, low, high))
    return said if math.isnan(low) or math.isnan(high) else f"{said} [{', '.join(ends)}]"


def verdict(low: float, high: float, above: float = 0.0, below: float = math.inf) -> str:
    """What an interval makes of the claim that the true value lies between `above` and `below`.

    It "holds" if the whole interval does, "fails" if none of it does, and is "undecided" otherwise, also without one.
    """
    if above < low and high < below:
        return "holds"
    return "fails" if high <= above or low >= below else "undecided"
