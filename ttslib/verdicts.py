"""Whether the paper's claims hold here: estimates with intervals against thresholds that were set before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ttslib.paper.claims import CLAIMS, CRITERIA, Criterion
from ttslib.stats import Estimate

if TYPE_CHECKING:
    import pandas

HOLDS, FAILS, UNDECIDED, NOT_RUN = "holds", "fails", "undecided", "not run"


def verdict(test: Criterion, estimate: Estimate | None) -> str:
    """ "holds" if the whole interval lies between the thresholds, "fails" if none of it does, else "undecided".

    "not run" without an estimate, or where it has no value.
    """
    if estimate is None or math.isnan(estimate.value):
        return NOT_RUN
    if test.above < estimate.low and estimate.high < test.below:
        return HOLDS
    if estimate.high <= test.above or estimate.low >= test.below:
        return FAILS
    return UNDECIDED


def together(verdicts: Iterable[str]) -> str:
    """Of a claim with several tests: "fails" if one fails, else the weakest: "not run", "undecided", "holds".

    "not run" without any.
    """
    found = set(verdicts)
    return next((each for each in (FAILS, NOT_RUN, UNDECIDED, HOLDS) if each in found), NOT_RUN)


def board(estimates: Mapping[str, Estimate | None]) -> pandas.DataFrame:
    """A row for each test of each claim, in the paper's order; a claim without tests has one row.

    Columns: claim (its number, from 1), question, text, test, says, unit, above, below, value, low, high, n, verdict
    (of the test) and claim_verdict. Raises ValueError for estimates of unknown tests, and for tests that were left out:
    what was not run is given as None.
    """
    import pandas

    if unknown := estimates.keys() - CRITERIA.keys():
        raise ValueError(f"There is no test {min(unknown)!r}: the tests are {', '.join(CRITERIA)}.")
    if left := CRITERIA.keys() - estimates.keys():
        raise ValueError(f"{', '.join(sorted(left))}: give an estimate, or None for what was not run.")
    rows = []
    for number, claim in enumerate(CLAIMS, start=1):
        overall = together(verdict(test, estimates[test.name]) for test in claim.tests)
        for test in claim.tests or (None,):
            found = test and estimates[test.name]
            rows.append({
                "claim": number, "question": claim.question, "text": claim.text, "test": test and test.name,
                "says": test and test.says, "unit": test and test.unit, "above": test and test.above,
                "below": test and test.below, **{
                    part: math.nan if found is None else getattr(found, part) for part in ("value", "low", "high", "n")
                },
                "verdict": verdict(test, found) if test else NOT_RUN, "claim_verdict": overall,
            })  # fmt: skip
    return pandas.DataFrame(rows)
