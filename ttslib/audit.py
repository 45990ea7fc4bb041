"""Recomputes a random part of an archive from nothing, and compares.

    python -m ttslib.audit --archive archive/full --share 0.02
    make audit

Where versions and hardware are those of a record, its answers and tokens are to come out as they were, and its step
scores but for their last bits: these depend on which searches share a batch, which differs from run to run. Elsewhere a
sample now and then becomes another one, and accuracies are to agree within their intervals. Exit code 1 if a record of
like hardware differs.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttslib import stats
from ttslib.archive import Archive
from ttslib.cells import Cell, cells_of
from ttslib.graded import light
from ttslib.records import Record, StoreError
from ttslib.results import Results
from ttslib.runs import Run

if TYPE_CHECKING:
    import pandas

    from ttslib.executors import Executor

TOLERANCE = 1e-4
"""Of a step score: float32 and other batches make differences of some 1e-6."""
COLUMNS = (
    "method", "cells", "like", "identical", "close", "different", "apart", "equal_answers", "archived", "recomputed",
    "difference", "low", "high",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """One cell, archived and recomputed.

    Attributes:
        method: its search method.
        like: versions and hardware are the same.
        same: so are all answers, ends and tokens.
        apart: the largest difference of two step scores; NaN if the paths are not the same.
        equal_answers: the share of trajectories, in their order, with the same answer.
    """

    method: str
    like: bool
    same: bool
    apart: float
    equal_answers: float

    @property
    def identical(self) -> bool:
        """To the bit."""
        return self.same and self.apart == 0

    @property
    def close(self) -> bool:
        """But for the last bits of scores."""
        return self.same and self.apart <= TOLERANCE


def drawn(archive: Archive, runs: Iterable[Run], share: float, seed: int = 0, limit: int | None = None) -> list[Run]:
    """Runs on a random part of the cells that an archive holds of these: that share, at most `limit`, at least one.

    Raises ValueError for a share that is none, and if the archive holds no cell of them.
    """
    if not 0 < share <= 1:
        raise ValueError(f"The share of cells is above 0 and at most 1, not {share}.")
    cells: dict[str, tuple[Run, Cell]] = {}
    for run in runs:
        cells |= {cell.key: (run, cell) for cell in cells_of(run)}
    there = [cells[key] for key in sorted(archive.status(cells))]
    if not there:
        raise ValueError(f"{archive.path} holds no cell of these runs.")
    count = min(max(1, round(share * len(there))), limit or len(there))
    problems: dict[Run, list] = {}
    for run, cell in random.Random(seed).sample(there, count):
        problems.setdefault(run, []).append(cell.problem)
    return [replace(run, problems=tuple(asked), limit=None) for run, asked in problems.items()]


def compare(archived: Record, again: Record) -> Compared:
    """A record of an archive, and the same cell computed now."""
    again = light(again)
    parts = [
        (each.brief.answers["math"], each.brief.answers["string"], each.ends(), each.step_tokens(), each.reason)
        for each in (archived, again)
    ]
    scores = [[score for path in each.step_scores() for score in path] for each in (archived, again)]
    same = parts[0] == parts[1] and [*map(bool, archived.step_scores())] == [*map(bool, again.step_scores())]
    apart = max((abs(a - b) for a, b in zip(*scores, strict=True)), default=0.0) if same else math.nan
    answers = [each.brief.answers["math"] for each in (archived, again)]
    agreed = sum(a == b for a, b in zip(*answers, strict=False)) / max(*map(len, answers), 1)
    return Compared(
        again.cell["method"], (archived.versions, archived.engines) == (again.versions, again.engines), same, apart,
        agreed if any(answers) else 1.0,
    )  # fmt: skip


def audit(
    archive: Archive, runs: Iterable[Run], store: Path, *, executor: Executor | None = None,
    progress: bool | None = None,
) -> tuple[list[Compared], pandas.DataFrame]:  # fmt: skip
    """Recompute runs in an empty store and compare: each cell, and a row for each method.

    Columns of the rows: `cells`; how many are of `like` hardware, `identical`, `close`, `different`; how
    far scores are `apart` at most; the mean share of `equal_answers`; and the accuracy by the last step's score (by
    majority without a PRM) as archived and as recomputed, and their paired difference with its interval.
    """
    import pandas

    from ttslib.runner import run

    runs = list(runs)
    done = run(runs, store=store, executor=executor, progress=progress)
    pairs: dict[str, list[tuple[Record, Record]]] = {}
    for each in runs:
        for record in done[each]:
            pairs.setdefault(each.method, []).append((archive.get(record.key), record))
    compared, rows = [], []
    for method, both in sorted(pairs.items()):
        found = [compare(*pair) for pair in both]
        compared += found
        close, identical = sum(each.close for each in found), sum(each.identical for each in found)
        rows.append({
            "method": method, "cells": len(found), "like": sum(each.like for each in found), "identical": identical,
            "close": close - identical, "different": len(found) - close,
            "apart": max((each.apart for each in found if each.same), default=math.nan),
            "equal_answers": sum(each.equal_answers for each in found) / len(found), **_accuracies(both),
        })  # fmt: skip
    return compared, pandas.DataFrame(rows, columns=COLUMNS)


def _accuracies(pairs: Iterable[tuple[Record, Record]]) -> Mapping[str, float]:
    rights = []
    for records in zip(*pairs, strict=True):
        votes = ["prm_last_vote" if record.cell.get("prm") else "majority_vote" for record in records]
        rights.append([Results([record]).correct(vote)[0] for record, vote in zip(records, votes, strict=True)])
    difference = stats.paired_difference(rights[1], rights[0])
    archived, recomputed = (stats.accuracy(right).value for right in rights)
    return {
        "archived": archived, "recomputed": recomputed,
        "difference": difference.value, "low": difference.low, "high": difference.high,
    }  # fmt: skip


def said(compared: Iterable[Compared]) -> tuple[str, int]:
    """What came out, in a line, and the exit code."""
    compared = list(compared)
    like = [each for each in compared if each.like]
    lost = sum(not each.close for each in like)
    close, identical = sum(each.close for each in compared), sum(each.identical for each in compared)
    line = (
        f"{len(compared)} cells recomputed: {identical} identical, {close - identical} but for last bits of scores, "
        f"{len(compared) - close} different; {len(like)} of them on like hardware"
    )
    if lost:
        return f"{line}, where {lost} differ: the archive does not hold what this code computes", 1
    return line + (", where none differs" if like else "; judge by the accuracies"), 0


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 2 for what cannot be done."""
    from ttslib.fill import wanted
    from ttslib.profiles import get_profile

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, default=Path("archive/full"))
    parser.add_argument("--share", type=float, default=0.02, help="of its cells")
    parser.add_argument("--seed", type=int, default=0, help="another one draws other cells")
    parser.add_argument("--cells", type=int, help="at most so many")
    options = parser.parse_args(arguments)
    try:
        archive = Archive(options.archive)
        profile = get_profile(archive.profile)
        runs = drawn(archive, wanted([], profile), options.share, options.seed, options.cells)
        with tempfile.TemporaryDirectory() as store:
            compared, table = audit(archive, runs, Path(store))
    except (ValueError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    line, code = said(compared)
    for column in ("equal_answers", "archived", "recomputed", "difference", "low", "high"):
        table[column] = [math.nan if value != value else round(100 * value, 1) for value in table[column]]
    table["apart"] = [f"{each:.0e}" if each else "0" for each in table.apart]
    print(table.to_string(index=False, na_rep="–"))
    print("(accuracies, their difference with its 95 % interval, and equal answers in percent)")
    print(line)
    return code


if __name__ == "__main__":
    sys.exit(main())
