"""After a run: tokens and hours that were expected beside those that were used, per pair, method and budget."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.experiments import Run
from ttslib.plan.hardware import NO_GPU, Machine
from ttslib.plan.nano import NANO
from ttslib.plan.placement import Placement, alone, best
from ttslib.plan.schedule import Cards, busy_hours
from ttslib.plan.tokens import Expected, expected
from ttslib.provenance import busy_seconds
from ttslib.records import Record

NO_CARDS = Cards({}, {})

IDS = {r"test/\w+/\d+\.json$": "math500", r"2024-I{1,2}-\d+$": "aime24"}


@dataclass(frozen=True)
class Beside:
    """Cells of one policy, PRM ("" for none), method, budget and benchmark.

    `expected` is None where no assumption covers the benchmark, `expected_hours` where the models or the GPUs are not
    known. Failed cells are counted in `failed` only: neither what they used nor what they would have used is in the
    tokens. As in the plan, Best-of-N on a stored pool is method "score", without the policy's tokens: the pool's row
    has them. `hours`: during which at least one of the cells was under way; loading the models is not in it, nor in
    `expected_hours`.
    """

    policy: str
    prm: str
    benchmark: str
    method: str
    n: int
    cells: int
    failed: int
    expected: Expected | None
    policy_tokens: int
    prm_tokens: int
    hours: float
    expected_hours: float | None


def beside(
    records: Iterable[Record], cards: Cards = NO_CARDS, machine: Machine = NO_GPU, assumptions: Assumptions = DEFAULT
) -> list[Beside]:
    """One row per group of `Store.records()` or of `Results`. `cards` tell long reasoners, and the hours that are
    expected on a `machine` where `load_models` puts the models."""
    groups: dict[tuple, list[Record]] = {}
    for record in records:
        benchmark = benchmark_of(record.problem["id"])
        prm = (record.cell.get("prm") or {}).get("name", "")
        method = "score" if record.pool else record.cell["method"]
        key = (record.cell["policy"]["name"], prm, benchmark, method, record.N)
        groups.setdefault(key, []).append(record)
    return [_row(*key, group, cards, machine, assumptions) for key, group in sorted(groups.items())]


def benchmark_of(problem_id: str) -> str:
    """The benchmark that a problem's id tells: "test/algebra/2584.json" is MATH's way, "2024-II-14" AIME's."""
    for pattern, benchmark in IDS.items():
        if re.match(pattern, problem_id):
            return benchmark
    return problem_id.split("/")[0]


def _row(
    policy: str, prm: str, benchmark: str, method: str, n: int, group: list[Record], cards: Cards, machine: Machine,
    assumptions: Assumptions,
) -> Beside:
    done = [record for record in group if not record.failed]
    used = NANO if benchmark in NANO.solution else assumptions
    try:
        length = used.solution_tokens(cards.policies.get(policy), benchmark)
        one = expected(method, n, length, used, scored=bool(prm))
        guess = Expected(one.policy * len(done), one.prm * len(done))
    except (KeyError, ValueError):
        guess = None
    return Beside(
        policy, prm, benchmark, method, n, len(group), len(group) - len(done), guess,
        sum(record.policy_usage.get("tokens", 0) for record in done if not record.pool),
        sum(record.prm_usage.get("tokens", 0) for record in done),
        busy_seconds((record.started, record.seconds) for record in group) / 3600,
        _hours(Run(policy, prm or None, method, n, benchmark, len(done)), cards, machine, assumptions),
    )  # fmt: skip


def _hours(run: Run, cards: Cards, machine: Machine, assumptions: Assumptions) -> float | None:
    known = run.policy in cards.policies and (run.prm is None or run.prm in cards.prms)
    if not known or machine.gpu is None or run.benchmark not in assumptions.solution:
        return None
    policy, prm = cards.of(run)
    if prm:
        place = best(policy, prm, machine, assumptions)
    else:
        seat = next(alone(policy, machine, assumptions), None)
        place = seat and Placement(seat, None, False, seat.engine.gpus)
    return place and busy_hours(place, [run], cards, Machine(place.gpus, machine.gpu), assumptions)
