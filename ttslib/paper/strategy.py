"""The author's compute-optimal strategy, fixed by benchmark and size of the policy (issue 4 of the paper's code)."""

from __future__ import annotations

from ttslib.paper.roles import BENCHMARKS, R1, size

THRESHOLDS = {"easy": 0.5, "medium": 0.1, "hard": 0.0}
"""Level -> the least Pass@1 of its problems (SC, RV, KB).

Not stated: whose Pass@1 it is (the policy's own, or a strong reference model's), of how many samples, and to which
level a value on the boundary belongs; here to the easier one."""
LEVELS = tuple(THRESHOLDS)


def level(pass_at_1: float) -> str:
    """ "easy", "medium" or "hard", by a Pass@1 in [0, 1]."""
    return next(name for name, least in THRESHOLDS.items() if pass_at_1 >= least)


def rule(benchmark: str, policy: str, level: str | None = None) -> str:
    """The method that the author uses for a policy's role on a benchmark's, and on MATH-500 from 7B to 32B by level.

    R1-Distill has "best_of_n" with majority vote (issues 1 and 3). On easy problems of MATH-500 the paper's own figures
    prefer Best-of-N below 7B, which this rule does not. Raises ValueError for another benchmark, a level that is none,
    and where a level is needed and not given.
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(f"The author's rule is for {' and '.join(BENCHMARKS)}, not {benchmark!r}.")
    if level is not None and level not in LEVELS:
        raise ValueError(f"Unknown level {level!r}: give one of {', '.join(LEVELS)}.")
    if policy in R1:
        return "best_of_n"
    if benchmark == "AIME24":
        return "dvts" if size(policy) < 14 else "best_of_n"
    if size(policy) < 7:
        return "beam_search"
    if size(policy) > 32:
        return "best_of_n"
    if level is None:
        raise ValueError(f"The author's rule for {policy} on {benchmark} needs a level: give {', '.join(LEVELS)}.")
    return "beam_search" if level == "hard" else "dvts"


def rule_methods(benchmark: str, policy: str) -> tuple[str, ...]:
    """All methods that the rule uses for that policy and benchmark, whatever the level."""
    return tuple(dict.fromkeys(rule(benchmark, policy, level) for level in LEVELS))
