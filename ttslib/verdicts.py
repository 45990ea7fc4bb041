"""Whether the paper's claims hold here: estimates with intervals against thresholds that were set before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from ttslib import plots, wording
from ttslib.paper.claims import CLAIMS, CRITERIA, POINTS, RANK, RATIO, SHARE, Criterion
from ttslib.stats import Estimate

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

HOLDS, FAILS, UNDECIDED, NOT_RUN = "holds", "fails", "undecided", "not run"


def verdict(test: Criterion, estimate: Estimate | None) -> str:
    """ "holds" if the whole interval lies between the thresholds, "fails" if none of it does, else "undecided".

    "not run" without an estimate, or where it is over no problem.
    """
    if estimate is None or not estimate.n:
        return NOT_RUN
    return wording.verdict(estimate.low, estimate.high, test.above, test.below)


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


LOOKS = {HOLDS: ("#0072B2", "o"), FAILS: ("#D55E00", "X"), UNDECIDED: ("#777777", "D")}
AXES = {POINTS: "Difference (percentage points)", SHARE: "Share (%)", RATIO: "Ratio", RANK: "Rank correlation"}


def picture(judged: pandas.DataFrame, title: str = "") -> plots.Picture:
    """The rows of `board` as estimates with their intervals and thresholds, a panel for each unit.

    What was not run has no place in it.
    """
    ran = judged[judged.verdict != NOT_RUN]
    units = [unit for unit in AXES if (ran.unit == unit).any()]
    heights = [max(1.2, float((ran.unit == unit).sum())) for unit in units] or [1.0]
    made, panels = plots.figure(
        9.2, 1.2 + 0.3 * sum(heights) + 0.55 * len(heights), rows=len(heights), height_ratios=heights
    )
    for axes, unit in zip(np.atleast_1d(panels), units, strict=False):
        _panel(axes, ran[ran.unit == unit], unit)
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", label=name)
        for name, (colour, marker) in LOOKS.items()
    ]
    handles.append(Line2D([], [], color="black", linestyle="--", linewidth=1, label="threshold"))
    made.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    made.suptitle(title, fontsize=10)
    return made


def _panel(axes: Axes, tests: pandas.DataFrame, unit: str) -> None:
    scale = 100 if unit in (POINTS, SHARE) else 1
    for at, row in enumerate(tests.itertuples()):
        colour, marker = LOOKS[row.verdict]
        value, low, high = scale * row.value, scale * row.low, scale * row.high
        axes.errorbar(value, at, xerr=[[value - low], [high - value]], color=colour, marker=marker, capsize=2.5)
        if math.isnan(value):
            axes.text(0.5, at, "no value", transform=axes.get_yaxis_transform(), ha="center", va="center", fontsize=8)
        for bound in (row.above, row.below):
            if math.isfinite(bound):
                axes.plot([scale * bound] * 2, [at - 0.4, at + 0.4], color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(tests)), [f"{row.claim}  {_short(row.says)}" for row in tests.itertuples()], fontsize=8)
    axes.set_ylim(len(tests) - 0.4, -0.6)
    axes.set_xlabel(AXES[unit])
    if unit == RATIO and (tests.value > 0).all() and tests.value.max() > 10:
        axes.set_xscale("log")


def _short(says: str) -> str:
    return says if len(says) <= 68 else says[:66].rsplit(" ", 1)[0] + " …"
