"""Best-of-N: complete solutions, scored afterwards. Majority vote and pass@k use the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.calls import sample, score
from ttslib.search.tree import Trajectory, Tree, boxed, sample_seed


async def best_of_n(
    problem: Problem,
    policy: Policy,
    prm: PRM | None = None,
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
    """`n` independent solutions, in sampling order.

    Each is cut into steps at the policy's separator, pieces without text are dropped (a solution without any
    text has no steps), and all are scored in one call, equal texts once. Scores are empty without a PRM, and of a
    solution that is longer than the PRM can read.
    `end` is "boxed" if the solution holds a closed box, else "eos" or "length" as the policy says. In the
    tree a solution is a chain whose last node carries the tokens and log-probability of the whole. `width`,
    `max_depth` and `max_step_tokens` belong to the tree searches and have no effect here.
    """
    if n < 1:
        raise ValueError(f"The budget n={n} must be 1 or more.")
    samples = await sample(
        policy,
        Path(problem),
        n=n,
        seed=sample_seed(seed, problem.id),
        stop=None,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
    )
    tree = Tree() if tree is None else tree
    found = [chain(each, split(each.text, policy.separator), tree) for each in samples]
    return found if prm is None else await score_samples(problem, prm, found, tree)


async def score_samples(problem: Problem, prm: PRM, found: Sequence[Trajectory], tree: Tree) -> list[Trajectory]:
    """The second half of `best_of_n`: its unscored solutions with the scores of `prm`, which their `tree` gets too."""
    todo = [steps for steps in dict.fromkeys(each.steps for each in found) if steps]
    scored = await score(prm, [Path(problem, tuple(Step(text) for text in steps)) for steps in todo])
    scores = {steps: path.scores for steps, path in zip(todo, scored, strict=True)}
    found = [replace(each, scores=scores.get(each.steps, ())) for each in found]
    for each in found:
        for node, value in zip(each.nodes, each.scores, strict=bool(each.scores)):
            tree.nodes[node].score = value
    return found


def split(text: str, separator: str) -> tuple[str, ...]:
    """The steps of a whole solution, each with the separator that ended it; blank pieces are dropped."""
    *ended, last = text.split(separator)
    pieces = [(piece, separator) for piece in ended] + [(last, "")]
    return tuple(piece + mark for piece, mark in pieces if piece.strip())


def chain(whole: Step, steps: tuple[str, ...], tree: Tree) -> Trajectory:
    """Add one solution to the tree and return it as a trajectory, without scores."""
    end = "boxed" if boxed(whole.text) else "length" if whole.finish == "length" else "eos"
    nodes: list[int] = []
    for place, text in enumerate(steps):
        last = place == len(steps) - 1
        step = Step(text, whole.tokens, whole.finish, whole.logprob) if last else Step(text)
        node = tree.add(nodes[-1] if nodes else None, step, end=end if last else None)
        node.kept = True
        nodes.append(node.id)
    return Trajectory(steps, (), end, tuple(nodes), whole.logprob)
