"""Diverse verifier tree search: independent beam searches that keep one path each, their answers pooled."""

from __future__ import annotations

from dataclasses import replace

from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.beam_search import check_budget, check_read, grow
from ttslib.search.calls import together
from ttslib.search.tree import Trajectory, Tree


async def dvts(
    problem: Problem,
    policy: Policy,
    prm: PRM,
    *,
    n: int,
    width: int = 4,
    seed: int = 0,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_depth: int = 40,
    max_step_tokens: int = 2048,
    max_tokens: int = 8192,
    tree: Tree | None = None,
) -> list[Trajectory]:
    """n // width trajectories, one per subtree and in their order.

    Each subtree is a beam search with n = width, which keeps one path; see `beam_search` for its rules.
    Subtrees draw from independent seeds that do not depend on n, and the first one equals `beam_search` with
    n = width. Pass an empty `tree` to see every node. Raises ValueError as `beam_search` does.
    """
    check_budget(n, width, max_depth, prm)
    forest = [Tree() for _ in range(n // width)]
    answers = await together(
        grow(
            problem,
            policy,
            prm,
            n=width,
            width=width,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_depth=max_depth,
            max_step_tokens=max_step_tokens,
            max_tokens=max_tokens,
            tree=part,
            subtree=index,
        )
        for index, part in enumerate(forest)
    )
    tree = Tree() if tree is None else tree
    pooled = []
    for part, found in zip(forest, answers, strict=True):
        shift = tree.extend(part)
        pooled += [replace(each, nodes=tuple(node + shift for node in each.nodes)) for each in found]
    check_read(problem, prm, tree, pooled)
    return pooled
