"""Chain of thought: one solution, greedy for most models."""

from __future__ import annotations

from dataclasses import replace

from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.best_of_n import sample_then_score
from ttslib.search.config import SearchConfig
from ttslib.search.method import Cost, Lengths, Look, Method, Shape
from ttslib.search.tree import Trajectory, Tree


class CoT(Method):
    """One solution, in a list; scored if a PRM is given. Always one, at `cot_temperature`, whatever n and temperature
    are."""

    name = "cot"
    look = Look("CoT", "black", "x")
    uses = ("seed", "cot_temperature", "top_p", "max_tokens")

    def shape(self, config: SearchConfig) -> Shape:
        return Shape(1, 1, 1, 1)

    def expected(self, config: SearchConfig, lengths: Lengths, *, scored: bool = True) -> Cost:
        read = lengths.prompt + lengths.solution * lengths.prm_extra
        return Cost(lengths.solution, read if scored else 0.0)

    def address(self, config: SearchConfig) -> dict:
        """Greedily, top_p changes nothing."""
        return super().address(config if config.cot_temperature else replace(config, top_p=1.0))

    async def search(
        self, problem: Problem, policy: Policy, prm: PRM | None, config: SearchConfig, tree: Tree
    ) -> list[Trajectory]:
        greedy = replace(config, n=1, temperature=config.cot_temperature)
        return await sample_then_score(problem, policy, prm, greedy, tree)
