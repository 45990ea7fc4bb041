"""Best-of-N: complete solutions, scored afterwards. Majority vote and pass@k use the same samples."""

from __future__ import annotations

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
    text has no steps), and all are scored in one call, equal texts once. Without a PRM, scores are empty.
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
    pieces = [split(each.text, policy.separator) for each in samples]
    scores: dict[tuple[str, ...], tuple[float, ...]] = {}
    if prm is not None:
        todo = [steps for steps in dict.fromkeys(pieces) if steps]
        scored = await score(prm, [Path(problem, tuple(Step(text) for text in steps)) for steps in todo])
        scores = {steps: path.scores for steps, path in zip(todo, scored, strict=True)}
    tree = Tree() if tree is None else tree
    return [
        chain(each, steps, scores.get(steps, ()), tree) for each, steps in zip(samples, pieces, strict=True)
    ]


def split(text: str, separator: str) -> tuple[str, ...]:
    """The steps of a whole solution, each with the separator that ended it; blank pieces are dropped."""
    *ended, last = text.split(separator)
    pieces = [(piece, separator) for piece in ended] + [(last, "")]
    return tuple(piece + mark for piece, mark in pieces if piece.strip())


def chain(whole: Step, steps: tuple[str, ...], scores: tuple[float, ...], tree: Tree) -> Trajectory:
    """Add one solution to the tree and return it as a trajectory."""
    end = "boxed" if boxed(whole.text) else "length" if whole.finish == "length" else "eos"
    nodes: list[int] = []
    for place, text in enumerate(steps):
        last = place == len(steps) - 1
        step = Step(text, whole.tokens, whole.finish, whole.logprob) if last else Step(text)
        node = tree.add(nodes[-1] if nodes else None, step, end=end if last else None)
        node.kept, node.score = True, scores[place] if scores else None
        nodes.append(node.id)
    return Trajectory(steps, scores, end, tuple(nodes), whole.logprob)
