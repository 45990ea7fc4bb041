"""Tokens and minutes of the notebooks at the nano profiles, on two cores."""

from __future__ import annotations

from collections.abc import Iterable

from ttslib.plan.assumptions import Assumptions
from ttslib.plan.experiments import Run
from ttslib.plan.tokens import expected

NANO = Assumptions(solution={"nanomath": 69.0}, prompt=34.0, step=14.0, prm_extra=1.0)
"""Measured with nano-llama-0.4m on the first 100 problems: 6,889 tokens in 100 greedy solutions, 10,374 of the PRM."""

TOKENS_PER_SECOND = (4000, 6000)
"""Policy tokens per second in searches on two cores, the PRM's time included (measured: `make bench`)."""
START_SECONDS = 30.0
"""Imports, and loading policy and PRM, per notebook."""


def tokens(runs: Iterable[Run]) -> tuple[float, float]:
    """(policy, PRM) tokens of the runs."""
    one = [(run.problems, expected(run.method, run.n, NANO.solution[run.benchmark], NANO)) for run in runs]
    return sum(count * each.policy for count, each in one), sum(count * each.prm for count, each in one)


def minutes(policy_tokens: float) -> tuple[float, float]:
    """(fewest, most) minutes of one notebook that generates that many tokens."""
    slow, fast = TOKENS_PER_SECOND
    return tuple((START_SECONDS + policy_tokens / rate) / 60 for rate in (fast, slow))
