"""Best-of-N: complete solutions, scored afterwards. Majority vote and pass@k use the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM, Unread
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
    solution that the PRM cannot read: its last node says why.
    `end` is "boxed" if the solution holds a closed box with an answer, else "eos" or "length" as the policy says. In
    the tree a solution is a chain whose last step carries the tokens and log-probability of the whole, and a dropped
    piece a node that is not kept. `width`, `max_depth` and `max_step_tokens` belong to the tree searches and have no
    effect here.
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
    found = [chain(each, policy.separator, tree) for each in samples]
    return found if prm is None else await score_samples(problem, prm, found, tree)


async def score_samples(problem: Problem, prm: PRM, found: Sequence[Trajectory], tree: Tree) -> list[Trajectory]:
    """The second half of `best_of_n`: its unscored solutions with the scores of `prm`, which their `tree` gets too."""
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
