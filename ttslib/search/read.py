"""Read: no search; a PRM scores the solution that a problem comes with."""

from __future__ import annotations

from ttslib.policies.base import Policy, Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.best_of_n import score_samples
from ttslib.search.config import SearchConfig
from ttslib.search.method import Cost, Lengths, Look, Method, Shape
from ttslib.search.tree import Trajectory, Tree


class Read(Method):
    """`Problem.steps` as one trajectory with the PRM's scores: () if it cannot read them, and its last node says why.

    So labelled solutions (ProcessBench) and worked examples are scored, stored and found again like any search.
    """

    name = "read"
    look = Look("Given solution", "black", "+")
    uses = ()
    needs_prm = True
    needs_policy = False

    def shape(self, config: SearchConfig) -> Shape:
        return Shape(1, 1, 1, 1)

    def expected(self, config: SearchConfig, lengths: Lengths, *, scored: bool = True) -> Cost:
        return Cost(0.0, lengths.prompt + lengths.solution * lengths.prm_extra)

    async def search(
        self, problem: Problem, policy: Policy | None, prm: PRM, config: SearchConfig, tree: Tree
    ) -> list[Trajectory]:
        if not problem.steps:
            raise ValueError(f"{problem.id} comes without a solution to read: give Problem its steps.")
        nodes: list[int] = []
        for place, text in enumerate(problem.steps):
            last = place == len(problem.steps) - 1
            node = tree.add(nodes[-1] if nodes else None, Step(text), end="eos" if last else None)
            node.kept = True
            nodes.append(node.id)
        given = Trajectory(problem.steps, (), "eos", tuple(nodes), 0.0)
        return await score_samples(problem, prm, [given], tree)
