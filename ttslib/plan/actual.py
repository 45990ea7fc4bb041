"""After a run: tokens and hours that were expected beside those that were used, per pair, method and budget."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields

from ttslib.dry_run import counted
from ttslib.plan.hardware import NO_GPU, Machine
from ttslib.plan.placement import best
from ttslib.plan.schedule import busy_hours, cards_of
from ttslib.plan.tally import Part, known_lengths
from ttslib.provenance import busy_seconds
from ttslib.records import Record
from ttslib.runs import ModelSpec, Run
from ttslib.search import Cost, SearchConfig

IDS = {r"test/\w+/\d+\.json$": "math500", r"2024-I{1,2}-\d+$": "aime24"}
SETTINGS = tuple(field.name for field in fields(SearchConfig))


@dataclass(frozen=True)
class Beside:
    """Cells of one policy, PRM ("" for none), method, budget and benchmark.

    `expected` is None where nobody knows how long solutions are, `expected_hours` where the models are not the paper's
    or there is no GPU. Failed cells are counted in `failed` only: neither what they used nor what they would have used
    is in the tokens. As in the plan, samples that a PRM scores are the policy's where they were drawn: rows of method
    "score" have none of its tokens. `hours`: during which at least one of the cells was under way; loading the models
    is not in it, nor in `expected_hours`.
    """

    policy: str
    prm: str
    benchmark: str
    method: str
    n: int
    cells: int
    failed: int
    expected: Cost | None
    policy_tokens: int
    prm_tokens: int
    hours: float
    expected_hours: float | None


def beside(records: Iterable[Record], machine: Machine = NO_GPU) -> list[Beside]:
    """One row per group of `Store.records()` or of `Results`; hours are expected on a `machine` where a run puts the
    models."""
    groups: dict[tuple, list[Record]] = {}
    for record in records:
        policy, prm = ((record.cell.get(part) or {}).get("name", "") for part in ("policy", "prm"))
        method = "score" if record.pool else record.cell["method"]
        key = (policy, prm, benchmark_of(record.problem["id"]), method, record.N)
        groups.setdefault(key, []).append(record)
    return [_row(*key, group, machine) for key, group in sorted(groups.items())]


def benchmark_of(problem_id: str) -> str:
    """The benchmark that a problem's id tells: "test/algebra/2584.json" is MATH's way, "2024-II-14" AIME's."""
    for pattern, benchmark in IDS.items():
        if re.match(pattern, problem_id):
            return benchmark
    return problem_id.split("/")[0]


def _row(
    policy: str, prm: str, benchmark: str, method: str, n: int, group: list[Record], machine: Machine
) -> Beside:
    done = [record for record in group if not record.failed]
    part = hours = None
    with suppress(ValueError):  # a method that is not here, a benchmark or a model that nobody knows
        part = _part(policy, prm, benchmark, group[0].cell, len(done))
        hours = _hours(policy, prm, part, machine)
    return Beside(
        policy, prm, benchmark, method, n, len(group), len(group) - len(done),
        part and Cost(part.cost.policy * len(done), part.cost.prm * len(done)),
        sum(record.policy_usage.get("tokens", 0) for record in done if not record.pool),
        sum(record.prm_usage.get("tokens", 0) for record in done),
        busy_seconds((record.started, record.seconds) for record in group) / 3600, hours,
    )  # fmt: skip


def _part(policy: str, prm: str, benchmark: str, cell: dict, count: int) -> Part:
    settings = {name: cell[name] for name in SETTINGS if name in cell}
    own = {name: settings.pop(name) for name in ("n", "width", "seed") if name in settings}
    run = Run(cell["method"], policy or None, prm or None, benchmark, 1, settings=settings, **own)
    return Part(counted(run, asked=False)[0][0], count, known_lengths(run))


def _hours(policy: str, prm: str, part: Part, machine: Machine) -> float | None:
    """Without the policy where samples that were drawn before are scored."""
    sampling = ModelSpec(policy) if part.cost.policy else None
    way = best(*cards_of(sampling, ModelSpec(prm) if prm else None), machine)
    return way and busy_hours(way, [part], Machine(way.gpus, machine.gpu))
