"""The plan of the nano profiles: the cells of the notebooks 00 to 02 and the minutes they take on two cores."""

from __future__ import annotations

from collections.abc import Iterable

from ttslib.plan.assumptions import Assumptions
from ttslib.plan.experiments import Run
from ttslib.plan.tokens import expected
from ttslib.profiles import Profile

NANO = Assumptions(solution={"nanomath": 69.0}, prompt=34.0, step=14.0, prm_extra=1.0)
"""Measured with nano-llama-0.4m on the first 100 problems: 6,889 tokens in 100 greedy solutions, 10,374 of the PRM."""

TOKENS_PER_SECOND = (4000, 6000)
"""Policy tokens per second in searches on two cores, the PRM's time included (measured: `make bench`)."""
START_SECONDS = 30.0
"""Imports, and loading policy and PRM, per notebook."""

QUICKSTART_PROBLEMS, QUICKSTART_N, DIAGRAM_N, SMALL_N = 60, 16, 8, 64
TREES = ("best_of_n", "beam_search", "dvts")


def notebooks(profile: Profile) -> dict[str, list[Run]]:
    """The runs of each notebook, those left out that an earlier one has stored."""
    def run(method: str, n: int, problems: int) -> Run:
        return Run("nano", "nano", method, n, profile.dataset, problems)

    searches = [run(method, n, profile.problems) for method in TREES[1:] for n in profile.budgets]
    return {
        "00_quickstart": [run("cot", 1, QUICKSTART_PROBLEMS), *(run(method, QUICKSTART_N, 1) for method in TREES)],
        "01_tts_methods": [
            run("cot", 1, max(0, profile.problems - QUICKSTART_PROBLEMS)),
            run("best_of_n", profile.pool, profile.problems), *searches,
            *(run(method, DIAGRAM_N, 1) for method in TREES),
        ],
        "02_nano_zoo": [
            run("cot", 1, profile.problems), run("dvts", min(SMALL_N, profile.pool), profile.problems),
        ],
    }  # fmt: skip


def tokens(runs: Iterable[Run]) -> tuple[float, float]:
    """(policy, PRM) tokens of the runs."""
    one = [(run.problems, expected(run.method, run.n, NANO.solution[run.benchmark], NANO)) for run in runs]
    return sum(count * each.policy for count, each in one), sum(count * each.prm for count, each in one)


def minutes(policy_tokens: float) -> tuple[float, float]:
    """(fewest, most) minutes of one notebook that generates that many tokens."""
    slow, fast = TOKENS_PER_SECOND
    return tuple((START_SECONDS + policy_tokens / rate) / 60 for rate in (fast, slow))
