"""Diverse verifier tree search: independent beam searches that keep one path each, their answers pooled."""

from __future__ import annotations

from dataclasses import replace

from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.beam_search import check_read, expected, grow, slots
from ttslib.search.calls import together
from ttslib.search.config import SearchConfig
from ttslib.search.method import Cost, Lengths, Look, Method, Shape
from ttslib.search.tree import Trajectory, Tree


class DVTS(Method):
    """n // width trajectories, one per subtree and in their order.

    Each subtree is a beam search with n = width, which keeps one path; see `beam_search` for its rules.
    Subtrees draw from independent seeds that do not depend on n, and the first one equals `beam_search` with
    n = width. Raises ValueError as `beam_search` does.
    """

    name = "dvts"
    look = Look("DVTS", "green", "D")
    uses = ("n", "width", "seed", "temperature", "top_p", "max_depth", "max_step_tokens", "max_tokens")
    needs_prm = True

    def shape(self, config: SearchConfig) -> Shape:
        return Shape(config.n, config.width, 1, slots(config, self.name))

    def expected(self, config: SearchConfig, lengths: Lengths, *, scored: bool = True) -> Cost:
        return expected(config, lengths)

    async def search(
        self, problem: Problem, policy: Policy, prm: PRM, config: SearchConfig, tree: Tree
    ) -> list[Trajectory]:
        forest = [Tree() for _ in range(config.n // config.width)]
        one = replace(config, n=config.width)
        answers = await together(
            grow(problem, policy, prm, one, part, subtree=index) for index, part in enumerate(forest)
        )
        pooled = []
        for part, found in zip(forest, answers, strict=True):
            shift = tree.extend(part)
            pooled += [replace(each, nodes=tuple(node + shift for node in each.nodes)) for each in found]
        check_read(problem, prm, tree, pooled)
        return pooled
