"""After a run: the tokens that were expected beside those that were used, per policy, method and budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.nano import NANO
from ttslib.plan.tokens import Expected, expected
from ttslib.records import Record

IDS = {r"test/\w+/\d+\.json$": "math500", r"2024-I{1,2}-\d+$": "aime24"}


@dataclass(frozen=True)
class Beside:
    """Cells of one policy, method, budget and benchmark: `expected` is None where no assumption covers the benchmark.

    Failed cells are counted in `failed` only: neither what they used nor what they would have used is in the tokens.
    As in the plan, Best-of-N on a stored pool is method "score", without the policy's tokens: the pool's row has them.
    """

    policy: str
    benchmark: str
    method: str
    n: int
    cells: int
    failed: int
    expected: Expected | None
    policy_tokens: int
    prm_tokens: int


def beside(
    records: Iterable[Record], policies: Mapping[str, Any] | None = None, assumptions: Assumptions = DEFAULT
) -> list[Beside]:
    """One row per group of `Store.records()` or of `Results`. `policies`: cards by name, to tell long reasoners."""
    groups: dict[tuple, list[Record]] = {}
    for record in records:
        benchmark = benchmark_of(record.problem["id"])
        scored = record.cell.get("prm") is not None
        method = "score" if record.pool else record.cell["method"]
        key = (record.cell["policy"]["name"], benchmark, method, record.N, scored)
        groups.setdefault(key, []).append(record)
    return [_row(*key, group, policies or {}, assumptions) for key, group in sorted(groups.items())]


def benchmark_of(problem_id: str) -> str:
    """The benchmark that a problem's id tells: "test/algebra/2584.json" is MATH's way, "2024-II-14" AIME's."""
    for pattern, benchmark in IDS.items():
        if re.match(pattern, problem_id):
            return benchmark
    return problem_id.split("/")[0]


def _row(
    policy: str, benchmark: str, method: str, n: int, scored: bool, group: list[Record], policies: Mapping[str, Any],
    assumptions: Assumptions,
) -> Beside:
    done = [record for record in group if not record.failed]
    used = NANO if benchmark in NANO.solution else assumptions
    try:
        one = expected(method, n, used.solution_tokens(policies.get(policy), benchmark), used, scored=scored)
        guess = Expected(one.policy * len(done), one.prm * len(done))
    except (KeyError, ValueError):
        guess = None
    return Beside(
        policy, benchmark, method, n, len(group), len(group) - len(done), guess,
        sum(record.policy_usage.get("tokens", 0) for record in done if not record.pool),
        sum(record.prm_usage.get("tokens", 0) for record in done),
    )  # fmt: skip
