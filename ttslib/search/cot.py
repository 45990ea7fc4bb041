"""Chain of thought: one solution, greedy unless it is told a temperature."""

from __future__ import annotations

from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.best_of_n import best_of_n
from ttslib.search.tree import Trajectory, Tree


async def cot(
    problem: Problem,
    policy: Policy,
    prm: PRM | None = None,
    *,
    n: int = 1,
    width: int = 4,
    seed: int = 0,
    temperature: float = 0.0,
    top_p: float = 1.0,
    max_depth: int = 40,
    max_step_tokens: int = 2048,
    max_tokens: int = 8192,
    tree: Tree | None = None,
) -> list[Trajectory]:
    """One solution, in a list; scored if a PRM is given.

    The signature is that of the other methods, but the result is always one sample: `n` and the settings of the tree
    searches have no effect, and at temperature 0 nor has `top_p`.
    """
    return await best_of_n(
        problem, policy, prm, n=1, seed=seed, temperature=temperature, top_p=top_p if temperature else 1.0,
        max_tokens=max_tokens, tree=tree,
    )
