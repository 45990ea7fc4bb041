"""A dry run: how many cells of some runs a store lacks, and what they would cost. Nothing is loaded or computed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ttslib.archive import is_archive, opened
from ttslib.cells import Cell, cells_of, config_of, make_cells
from ttslib.cost import cost_of, lengths_of
from ttslib.problems import Problem
from ttslib.records import FAILED
from ttslib.runs import Run
from ttslib.search import get_method

if TYPE_CHECKING:
    import pandas


def missing(runs: Iterable[Run], store: str | Path, *, retry_failed: bool = False) -> pandas.DataFrame:
    """A row for each run, without the cells that an earlier row has.

    Columns: benchmark, policy_role, policy, prm_role, prm, method, N, cells (problems), missing (cells that the store
    lacks, and with `retry_failed` those that failed), policy_tokens and prm_tokens expected for these (NaN where nobody
    knows how long solutions are), and note: why the store could not be asked, if problems or a model's revision cannot
    be had here; then all is missing. A store that is not there is not made.
    """
    import pandas

    path = Path(store)
    rows, seen = [], set()
    there = is_archive(path) or (path / "records.sqlite").is_file()
    with opened(path) if there else nullcontext() as records:
        for run in runs:
            cells, note = counted(run, asked=records is not None)
            new = {cell.key: cell for cell in cells if cell.key not in seen}
            pools = {cell.pool.key: cell.pool for cell in new.values() if cell.pool and cell.pool.key not in seen}
            seen |= new.keys() | pools.keys()
            status = records.status([*new, *pools]) if records and not note else {}
            known = {key for key, (state, _) in status.items() if not (retry_failed and state == FAILED)}
            lacking = [cell for key, cell in new.items() if key not in known]
            unsampled = [cell for key, cell in pools.items() if key not in known]
            policy_tokens, prm_tokens = expected(run, lacking, unsampled)
            rows.append({
                "benchmark": run.benchmark or (run.problems if isinstance(run.problems, str) else ""),
                "policy_role": run.policy_role, "policy": run.policy and run.policy.name,
                "prm_role": run.prm_role, "prm": run.prm and run.prm.name,
                "method": run.method, "N": cells[0].shape.N, "cells": len(cells), "missing": len(lacking),
                "policy_tokens": policy_tokens, "prm_tokens": prm_tokens, "note": note,
            })  # fmt: skip
    return pandas.DataFrame(rows)


def counted(run: Run, *, asked: bool) -> tuple[list[Cell], str]:
    """The cells of a run and, if they are `asked` for in a store and their addresses cannot be had here, why not.

    Then, and where there is no store to ask, problems and revisions are left out of the addresses: they only count.
    """
    note = ""
    if asked:
        try:
            return cells_of(run), ""
        except ValueError as error:
            note = str(error)
    policy, prm = ({"name": model.name, **model.options} if model else None for model in (run.policy, run.prm))
    if isinstance(run.problems, str):
        problems = [Problem(str(place), run.problems, "") for place in range(run.size)]
    else:
        problems = run.problems[: run.limit]
    return make_cells(problems, policy, prm, get_method(run.method), config_of(run)), note


def expected(run: Run, lacking: list[Cell], unsampled: list[Cell]) -> tuple[float, float]:
    """(policy, PRM) tokens of cells, and of the samples that they score."""
    if not lacking:
        return 0.0, 0.0
    if (lengths := lengths_of(run)) is None:
        return math.nan, math.nan
    costs = [cost_of(cell, lengths) for cell in (*lacking, *unsampled)]
    return sum(cost.policy for cost in costs), sum(cost.prm for cost in costs)
