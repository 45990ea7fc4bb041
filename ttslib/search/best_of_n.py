"""Best-of-N: complete solutions, scored afterwards. Majority vote and pass@k use the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM, Unread
from ttslib.problems import Problem
from ttslib.search.calls import sample, score
from ttslib.search.config import SearchConfig
from ttslib.search.method import Cost, Lengths, Look, Method, Shape
from ttslib.search.tree import Trajectory, Tree, boxed, sample_seed


class BestOfN(Method):
    """`n` independent solutions, in sampling order.

    Each is cut into steps at the policy's separator, pieces without text are dropped (a solution without any
    text has no steps), and all are scored in one call, equal texts once. Scores are empty without a PRM, and of a
    solution that the PRM cannot read: its last node says why.
    `end` is "boxed" if the solution holds a closed box with an answer, else "eos" or "length" as the policy says. In
    the tree a solution is a chain whose last step carries the tokens and log-probability of the whole, and a dropped
    piece a node that is not kept.
    """

    name = "best_of_n"
    look = Look("BoN", "blue", "o")
    uses = ("n", "seed", "temperature", "top_p", "max_tokens")
    samples_first = True

    def shape(self, config: SearchConfig) -> Shape:
        """A sample of a whole solution is a subtree of width 1 that keeps 1."""
        return Shape(config.n, 1, 1, config.n)

    def expected(self, config: SearchConfig, lengths: Lengths, *, scored: bool = True) -> Cost:
        """N solutions; the PRM reads each once behind its prompt."""
        written = config.n * lengths.solution
        return Cost(written, config.n * lengths.prompt + written * lengths.prm_extra if scored else 0.0)

    async def search(
        self, problem: Problem, policy: Policy, prm: PRM | None, config: SearchConfig, tree: Tree
    ) -> list[Trajectory]:
        return await sample_then_score(problem, policy, prm, config, tree)

    async def score(self, problem: Problem, prm: PRM, found: list[Trajectory], tree: Tree) -> list[Trajectory]:
        return await score_samples(problem, prm, found, tree)


async def sample_then_score(
    problem: Problem, policy: Policy, prm: PRM | None, config: SearchConfig, tree: Tree
) -> list[Trajectory]:
    """`config.n` whole solutions, with the scores of the PRM if there is one."""
    samples = await sample(
        policy,
        Path(problem),
        n=config.n,
        seed=sample_seed(config.seed, problem.id),
        stop=None,
        temperature=config.temperature,
        top_p=config.top_p if config.temperature else 1.0,
        max_tokens=config.max_tokens,
    )
    found = [chain(each, policy.separator, tree) for each in samples]
    return found if prm is None else await score_samples(problem, prm, found, tree)


async def score_samples(problem: Problem, prm: PRM, found: Sequence[Trajectory], tree: Tree) -> list[Trajectory]:
    """Unscored solutions with the scores of `prm`, which their `tree` gets too."""
    todo = [steps for steps in dict.fromkeys(each.steps for each in found) if steps]
    scored = await score(prm, [Path(problem, tuple(Step(text) for text in steps)) for steps in todo])
    read = dict(zip(todo, scored, strict=True))
    done = []
    for each in found:
        path = read.get(each.steps)
        if isinstance(path, Unread):
            tree.nodes[each.nodes[-1]].unread = path.value
            path = None
        done.append(replace(each, scores=path.scores if path else ()))
        for node, value in zip(each.nodes, done[-1].scores, strict=bool(path)):
            tree.nodes[node].score = value
    return done


def split(text: str, separator: str) -> tuple[str, ...]:
    """A whole solution cut behind each separator, blank pieces too."""
    *ended, last = text.split(separator)
    return (*(piece + separator for piece in ended), *([last] if last else []))


def chain(whole: Step, separator: str, tree: Tree) -> Trajectory:
    """Add one solution to the tree and return it as a trajectory, without scores."""
    end = "boxed" if boxed(whole.text) else "length" if whole.finish == "length" else "eos"
    cut = split(whole.text, separator)
    last = max((place for place, text in enumerate(cut) if text.strip()), default=len(cut) - 1)
    nodes: list[int] = []
    for place, text in enumerate(cut):
        step = Step(text, whole.tokens, whole.finish, whole.logprob) if place == last else Step(text)
        node = tree.add(nodes[-1] if nodes else None, step, end=end if place == last else None)
        if not node.blank:
            node.kept = True
            nodes.append(node.id)
    return Trajectory(tuple(tree.nodes[node].text for node in nodes), (), end, tuple(nodes), whole.logprob)
