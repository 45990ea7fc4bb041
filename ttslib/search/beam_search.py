"""Beam search over steps, guided by a PRM (section 2.2 of the paper; details follow its published code)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.search.calls import sample, score, together
from ttslib.search.tree import Node, Trajectory, Tree, boxed, sample_seed


@dataclass(frozen=True)
class Branch:
    """A path with its place in the tree: node ids, and the sampling index of each step among its siblings."""

    path: Path
    nodes: tuple[Node, ...] = ()
    position: tuple[int, ...] = ()

    @property
    def cut(self) -> bool:
        """Its newest step was cut by the token limit before it held an answer."""
        return self.nodes[-1].finish == "length" and self.nodes[-1].end == "length"


def check_budget(n: int, width: int, max_depth: int, prm: PRM | None) -> None:
    """Raise ValueError, in words, for settings no tree search can run with."""
    if width < 1 or n < 1 or n % width:
        raise ValueError(
            f"The budget n={n} must be a positive multiple of width={width}; "
            f"change n or width (n // width beams are kept)."
        )
    if max_depth < 1:
        raise ValueError(f"max_depth={max_depth} leaves no room for a step; use 1 or more.")
    if prm is None:
        raise ValueError("Tree search ranks steps by their PRM score; pass a PRM.")


async def beam_search(
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
    """Up to n // width trajectories, in the order in which they were finished (best first within a depth).

    At first `n` steps are sampled. At every depth the candidates of all live beams are ranked together by
    the score of their newest step and the best n // width are kept. A kept path that has ended becomes an
    answer and takes up its slot for good; every other kept path gets `width` continuations. The search stops
    when no live path is left: all slots hold answers, or `max_depth` is reached.

    - A path ends at a closed \\boxed{...}, at the end of the model's text, at `max_depth` steps, or when its
      steps have used up `max_tokens`; `Trajectory.end` says which. An ended path is ranked like any other.
    - A step cut by the token limit (`finish` "length", no closed box) is recorded but neither scored nor
      kept, unless all candidates of that depth were cut: then they are ranked and end as "length".
    - A path that is longer than the PRM can read is recorded but neither scored nor kept.
    - Identical siblings are scored and expanded once (`Node.copies` counts them), so fewer than n // width
      trajectories may come out.
    - Equal scores are ranked in sampling order: children of the better-ranked parent first, then as sampled.

    Pass an empty `tree` to see every node. Raises ValueError if n is no multiple of width.
    """
    check_budget(n, width, max_depth, prm)
    return await grow(
        problem,
        policy,
        prm,
        n=n,
        width=width,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        max_depth=max_depth,
        max_step_tokens=max_step_tokens,
        max_tokens=max_tokens,
        tree=Tree() if tree is None else tree,
    )


async def grow(
    problem: Problem,
    policy: Policy,
    prm: PRM,
    *,
    n: int,
    width: int,
    seed: int,
    temperature: float,
    top_p: float,
    max_depth: int,
    max_step_tokens: int,
    max_tokens: int,
    tree: Tree,
    subtree: int = 0,
) -> list[Trajectory]:
    """One beam search that keeps n // width; `subtree` tells its samples from those of other searches."""
    slots = n // width

    async def continuations(branch: Branch) -> list[tuple[int, Step, int]]:
        used = sum(len(step.tokens) for step in branch.path.steps)
        steps = await sample(
            policy,
            branch.path,
            n=width if branch.nodes else n,
            temperature=temperature,
            top_p=top_p,
            seed=sample_seed(seed, problem.id, subtree, branch.position),
            stop=policy.separator,
            max_tokens=min(max_step_tokens, max_tokens - used),
        )
        return distinct(steps)

    def child(branch: Branch, index: int, step: Step, copies: int) -> Branch:
        path = Path(problem, (*branch.path.steps, step), branch.path.scores)
        end = why_ended(path, max_depth, max_tokens)
        node = tree.add(
            branch.nodes[-1].id if branch.nodes else None, step, end=end, copies=copies, subtree=subtree
        )
        return Branch(path, (*branch.nodes, node), (*branch.position, index))

    answers: list[Branch] = []
    live = [Branch(Path(problem))]
    while live:
        sampled = await together(continuations(branch) for branch in live)
        candidates = [child(branch, *one) for branch, new in zip(live, sampled, strict=True) for one in new]
        candidates = [each for each in candidates if not each.cut] or candidates
        paths = await score(prm, [each.path for each in candidates])
        candidates = [
            replace(each, path=path)
            for each, path in zip(candidates, paths, strict=True) if len(path.scores) == len(path.steps)
        ]
        for each in candidates:
            each.nodes[-1].score = each.path.scores[-1]
        # A stable sort leaves ties in sampling order.
        ranked = sorted(candidates, key=lambda each: -each.path.scores[-1])
        kept = ranked[: slots - len(answers)]
        for each in kept:
            each.nodes[-1].kept = True
        answers += [each for each in kept if each.nodes[-1].end]
        live = [each for each in kept if not each.nodes[-1].end]
    return [trajectory(answer, subtree) for answer in answers]


def distinct(steps: list[Step]) -> list[tuple[int, Step, int]]:
    """(index of the first copy, step, number of copies) of each different step, in sampling order."""
    first: dict[tuple[str, str], int] = {}
    copies: dict[int, int] = {}
    for index, step in enumerate(steps):
        index = first.setdefault((step.text, step.finish), index)
        copies[index] = copies.get(index, 0) + 1
    return [(index, steps[index], count) for index, count in copies.items()]


def why_ended(path: Path, max_depth: int, max_tokens: int) -> str | None:
    """Why the path ends with its newest step; None if it can go on."""
    if boxed("".join(step.text for step in path.steps)):
        return "boxed"
    if path.steps[-1].finish in ("eos", "length"):
        return path.steps[-1].finish
    if len(path.steps) >= max_depth:
        return "depth"
    return "length" if sum(len(step.tokens) for step in path.steps) >= max_tokens else None


def trajectory(branch: Branch, subtree: int) -> Trajectory:
    """The finished branch as an answer."""
    steps = branch.path.steps
    return Trajectory(
        tuple(step.text for step in steps),
        branch.path.scores,
        branch.nodes[-1].end,
        tuple(node.id for node in branch.nodes),
        sum(step.logprob for step in steps),
        subtree,
    )
