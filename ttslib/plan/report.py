"""The plan as text, at most `WIDTH` columns wide. Rows are those of `tally`, with the columns `fits` and `hours`."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

import pandas

from ttslib.cost import LENGTHS
from ttslib.executors.hardware import Machine
from ttslib.executors.placement import cards_of, gpus_needed, weight_bytes
from ttslib.paper import Experiment
from ttslib.paper.roles import role_name
from ttslib.policies.registry import PAPER_POLICIES
from ttslib.prms.registry import PAPER_PRMS
from ttslib.runs import Run

WIDTH = 100
NANO_RECORD_BYTES, RECORD_BYTES = 2.3, 6.0
"""On disk per policy token: measured with nano models, and a guess for the vocabularies of the paper's."""


def summary(rows: pandas.DataFrame, runs: Iterable[Run], machine: Machine, *, gpu: bool, advice: str) -> str:
    """What there is to do, whether it fits and the hours, if speeds were measured, else the `advice`. gpu: whether
    the models need one."""
    total = rows.sum(numeric_only=True)
    models, asked = sorted({*rows.policy, *rows.prm} - {""}), {run.problems for run in runs}
    lengths = ", ".join(f"{each.solution:,.0f} on {name}" for name, each in LENGTHS.items() if name in asked)
    disk, gpus = f"{total.record_tokens * NANO_RECORD_BYTES / 1e9:.2g} GB of records", "none needed"
    if gpu:
        weights = sum(map(weight_bytes, cards_of(*models)))
        records = f"{total.record_tokens * RECORD_BYTES / 1e9:,.0f} GB of records (a guess)"
        disk, gpus = f"{weights / 1e9:,.0f} GB of weights in bf16, {records}", "every pair fits"
        if not machine.count:
            gpus = "needed, and there is none; plan for others, as in GPUS=8xA100-80GB"
        elif not rows.fits.all():
            held = f"{rows.cells[rows.fits].sum():,} of {total.cells:,.0f} cells fit"
            gpus = f"{held}; a number above {machine.count} in the table does not"
    lines = {
        "cells": f"{total.cells:,.0f}, each one problem searched or scored; {len(models)} models",
        "policy tokens": f"{_amount(total.policy_tokens)} (a solution: {lengths}; ttslib/cost.py)",
        "PRM tokens": f"{_amount(total.prm_tokens)}, equal solutions each time",
        "FLOPs": f"{total.policy_flops:.1e} of policies, {total.prm_flops:.1e} of PRMs",
        "disk": disk, "GPUs": gpus, "hours": _hours(rows[rows.fits], advice),
    }  # fmt: skip
    return "\n".join(fill(f"{name:15}{said}", WIDTH, subsequent_indent=" " * 15) for name, said in lines.items())


def _hours(rows: pandas.DataFrame, advice: str) -> str:
    known = rows[rows.hours.notna()]
    if known.empty:
        return f"not measured: {advice}"
    hours = known.hours.sum()
    said = f"{hours:,.1f}" if hours >= 1 else f"{hours:.2g}"
    if len(known) < len(rows):
        return f"{said} for {known.cells.sum():,} of {rows.cells.sum():,} cells; the others not measured: {advice}"
    return f"{said} at the speeds of the store's records"


def gpu_table(rows: pandas.DataFrame, machine: Machine) -> str:
    """How many of the machine's GPUs each policy takes, without a PRM and with each, and each PRM alone: a dash where
    `placement.ENOUGH` are too few, nothing where the two are not in memory at once."""
    counts = {
        pair: str(gpus_needed(cards_of(*pair), machine) or "-") for pair in zip(rows.policy, rows.prm, strict=True)
    }
    policies, prms = ([name for name in (*known, "") if name in set(column)]
                      for known, column in ((PAPER_POLICIES, rows.policy), (PAPER_PRMS, rows.prm)))  # fmt: skip
    heads = [PAPER_PRMS[prm].name.replace("-PRM", "").split("-") if prm else ["alone"] for prm in prms]
    deep = max(map(len, heads))
    table = pandas.DataFrame(
        [[counts.get((policy, prm), "") for prm in prms] for policy in policies],
        [role_name(PAPER_POLICIES[policy].name) if policy else "alone" for policy in policies],
        pandas.MultiIndex.from_tuples([(*[""] * (deep - len(head)), *head) for head in heads]),
    )
    return "\n".join(map(str.rstrip, table.to_string(sparsify=False).splitlines()))


def experiment_table(rows: pandas.DataFrame) -> str:
    """A line for each experiment that has cells which none before it has."""
    shown = {
        "cells": ("new cells", "{:,.0f}".format), "policy_tokens": ("policy tokens", _amount),
        "prm_tokens": ("PRM tokens", _amount), "policy_flops": ("policy FLOPs", "{:.1e}".format),
        "prm_flops": ("PRM FLOPs", "{:.1e}".format), "hours": ("hours", "{:,.1f}".format),
    }  # fmt: skip
    total = rows.groupby("experiment", sort=False)[[*shown]].agg(lambda part: part.sum(skipna=False))
    total = total.rename_axis(None).rename(columns={name: title for name, (title, _) in shown.items()})
    return total.to_string(formatters=dict(shown.values()), na_rep="-")


def notes(experiments: Iterable[Experiment]) -> str:
    """What is chosen where the paper does not say."""
    said = [f"{each.name}: {each.note}" for each in experiments if each.note]
    return "\n".join(fill(line, WIDTH, subsequent_indent="  ") for line in said)


def _amount(number: float) -> str:
    """1,234,567 as 1.2 million."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:,.1f} {word}"
    return f"{number:,.0f}"
