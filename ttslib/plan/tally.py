"""What runs have to compute: cells, tokens and FLOPs, each cell counted once. Nothing is loaded or asked of the Hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas

from ttslib.cells import Cell
from ttslib.cost import LENGTHS, cost_of, lengths_of
from ttslib.dry_run import counted
from ttslib.flops import search_flops, size_of
from ttslib.runs import Run


def tally(experiments: Mapping[str, Iterable[Run]]) -> pandas.DataFrame:
    """A row for the cells that each run adds to those of the runs before it, and one for the samples that they score.

    Columns: experiment, its name; policy and prm, the models in memory, "" for none; cells, one for each problem;
    policy_tokens, generated; prm_tokens, forwarded; policy_flops; prm_flops; and record_tokens, the policy's in the
    records, which those of scored samples repeat. Raises ValueError for a data set of which nobody knows how long
    solutions are, and for a model of unknown size.
    """
    rows, done = [], Counter()  # done: problems, by the cell of the first
    for name, runs in experiments.items():
        for run in runs:
            (cell,), _ = counted(replace(run, limit=1), asked=False)
            for one in (cell.pool, cell):
                if one and (count := run.size - done[one.key]) > 0:
                    rows.append({"experiment": name} | _row(run, one, count))
                    done[one.key] = run.size
    return pandas.DataFrame(rows)


def _row(run: Run, cell: Cell, count: int) -> dict[str, Any]:
    if (lengths := lengths_of(run)) is None:
        known = ", ".join(LENGTHS)
        raise ValueError(f"How long solutions on {run.problems} are is not known: plan with one of {known}.")
    policy = "" if cell.pool else run.policy.name
    prm = run.prm.name if cell.content["prm"] else ""
    cost = cost_of(cell, lengths)
    written, read = cost.policy * count, cost.prm * count
    flops = search_flops(
        policy and size_of(policy), written, size_of(prm) if prm else None, read,
        # A token stands behind the prompt and, on average, half a solution.
        context=lengths.prompt + lengths.solution / 2, prompts=count if policy else 0, prompt=lengths.prompt,
    )  # fmt: skip
    stored = cost_of(cell.pool, lengths).policy * count if cell.pool else written
    return {
        "policy": policy, "prm": prm, "cells": count, "policy_tokens": written, "prm_tokens": read,
        "policy_flops": flops.policy, "prm_flops": flops.prm, "record_tokens": stored,
    }  # fmt: skip
