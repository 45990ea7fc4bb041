"""Beam search over steps, guided by a PRM (section 2.2 of the paper).

Where the paper does not say, the rules are those of its published code (RyanLiu112/compute-optimal-tts; "there"), but
for these:

- A path ends at a closed box with an answer; there at the word "\\boxed", whatever stands in it.
- A step that was cut behind such a box is a whole one; there every cut step is passed over.
- A step without text is passed over, or ends its path if the model ended its text there; there it is a step.
- Steps keep the tokens that were sampled; there a step's text is stripped and encoded again. Siblings are told apart by
  the stripped text in both.
- Where the first steps of three tries were all cut, those of the third are ranked and end; there the next try is taken
  whole, cut steps and duplicates too.
- Paths end when they have used up `max_tokens`; there a step has its limit, and a path only the model's context.
- A path that the PRM cannot read is passed over; there a path with the wrong number of scores has the score 0.
- The number kept at a depth is n // width less all answers so far; `published_slots` is the rule there (see `grow`).
- Equal scores of one path's continuations are in sampling order; there as a heap has them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ttslib.policies.base import Path, Policy, Step
from ttslib.prms.base import PRM, Unread
from ttslib.problems import Problem
from ttslib.search.calls import sample, score, together
from ttslib.search.config import SearchConfig
from ttslib.search.method import Cost, Lengths, Look, Method, Shape
from ttslib.search.tree import Node, Trajectory, Tree, boxed, sample_seed

TRIES = 3
Siblings = list[tuple[int, Step, int, bool]]
"""Of each different step: index of its first copy, the step, number of copies, whether it can be ranked."""


@dataclass(frozen=True)
class Branch:
    """A path with its place in the tree: node ids, and the sampling index of each step among its siblings.

    `end` says why it ended, None if it can go on. `leaf` is the node sampled last: its newest step, or the blank behind
    it at which the model ended its text.
    """

    path: Path
    nodes: tuple[Node, ...] = ()
    position: tuple[int, ...] = ()
    end: str | None = None
    leaf: Node | None = None


class BeamSearch(Method):
    """Up to n // width trajectories, in the order in which they were finished (best first within a depth).

    At first `n` steps are sampled. At every depth the candidates of all live beams are ranked together by
    the score of their newest step and the best n // width are kept. A kept path that has ended becomes an
    answer and takes up its slot for good; every other kept path gets `width` continuations. The search stops
    when no live path is left: all slots hold answers, or `max_depth` is reached.

    - A path ends at a closed box with an answer, at the end of the model's text, at `max_depth` steps, or when its
      steps have used up `max_tokens`; `Trajectory.end` says which. An ended path is ranked like any other.
    - A step without text is no step: it is dropped. Where the model ended its text there, the path before it ends and
      is ranked with the score that it has.
    - A step cut by the token limit (`finish` "length", no box with an answer) is recorded but neither scored nor kept.
    - Where all continuations of a path were cut or dropped they are sampled again, up to 3 times in all; then the path
      itself is an answer and its end is "length". First steps that were all cut are ranked, and end as "length".
    - A path that the PRM cannot read is recorded but neither scored nor kept; `Node.unread` says why.
    - Siblings with the same text, blanks around it aside, are scored and expanded once (`Node.copies` counts them), so
      fewer than n // width trajectories may come out.
    - Equal scores are ranked in sampling order: children of the better-ranked parent first, then as sampled.

    With `published_slots` a path that has ended frees nothing for the paths ranked above it: see `grow`.

    Raises ValueError if n is no multiple of width, and where no answer was found because the PRM could not read the
    paths.
    """

    name = "beam_search"
    look = Look("Beam search", "vermillion", "^")
    uses = (
        "n", "width", "seed", "temperature", "top_p", "max_depth", "max_step_tokens", "max_tokens", "published_slots",
    )  # fmt: skip
    needs_prm = True

    def shape(self, config: SearchConfig) -> Shape:
        return Shape(config.n, config.width, slots(config, self.name), 1)

    def expected(self, config: SearchConfig, lengths: Lengths, *, scored: bool = True) -> Cost:
        return expected(config, lengths)

    async def search(
        self, problem: Problem, policy: Policy, prm: PRM, config: SearchConfig, tree: Tree
    ) -> list[Trajectory]:
        answers = await grow(problem, policy, prm, config, tree)
        check_read(problem, prm, tree, answers)
        return answers


def slots(config: SearchConfig, name: str) -> int:
    """n / width; ValueError unless that is a whole number."""
    if config.n % config.width:
        raise ValueError(
            f"{name} keeps N/M paths, so N (n={config.n}) must be a multiple of M (width={config.width}): change one."
        )
    return config.n // config.width


def expected(config: SearchConfig, lengths: Lengths) -> Cost:
    """Tokens of a tree search: as many as N whole solutions, whatever the width; the PRM reads every step once, and the
    prompt once.

    At each of the solution's depths there are N candidates: the first N samples, then N / M kept x M. That bounds it
    from above: a path that ends early takes up its slot, and identical siblings are scored once.
    """
    written = config.n * lengths.solution
    return Cost(written, lengths.prompt + written * lengths.prm_extra)


async def grow(
    problem: Problem, policy: Policy, prm: PRM, config: SearchConfig, tree: Tree, subtree: int = 0
) -> list[Trajectory]:
    """One beam search that keeps n // width; `subtree` tells its samples from those of other searches.

    The number kept at a depth is n // width less the answers found so far. With `published_slots` it is that as it
    stood when the last live path was visited, in rank order: an ended path below it frees its slot a depth later. Then
    more paths may be under way than slots are left, and the search stops when the slots are full. (There the paths kept
    at that depth are continued once more, to no effect; here they are not.)
    """
    n, width, max_depth, max_tokens = config.n, config.width, config.max_depth, config.max_tokens
    full = n // width

    async def tries(branch: Branch) -> list[Siblings]:
        """The continuations of each try: the last one, and no other, has some that can be ranked, if any has."""
        used = sum(len(step.tokens) for step in branch.path.steps)
        done = []
        for attempt in range(TRIES):
            steps = await sample(
                policy,
                branch.path,
                n=width if branch.nodes else n,
                temperature=config.temperature,
                top_p=config.top_p,
                seed=sample_seed(config.seed, problem.id, subtree, branch.position, attempt),
                stop=policy.separator,
                max_tokens=min(config.max_step_tokens, max_tokens - used),
            )
            done.append(distinct(steps, [usable(branch.path, step, max_depth, max_tokens) for step in steps]))
            if any(can for *_, can in done[-1]):
                return done
        if not branch.nodes:
            done[-1] = [(index, step, copies, bool(step.text.strip())) for index, step, copies, _ in done[-1]]
        return done

    def children(branch: Branch, steps: Siblings) -> list[Branch]:
        """Puts the steps into the tree; returns those that can be ranked."""
        found = []
        for index, step, copies, can in steps:
            path = Path(problem, (*branch.path.steps, step), branch.path.scores)
            end = why_ended(path, max_depth, max_tokens)
            parent = branch.nodes[-1].id if branch.nodes else None
            leaf = tree.add(parent, step, end=end, copies=copies, subtree=subtree)
            if can and leaf.blank:
                found.append(replace(branch, end=end, leaf=leaf))
            elif can:
                found.append(Branch(path, (*branch.nodes, leaf), (*branch.position, index), end, leaf))
        return found

    answers: list[Branch] = []
    kept = [Branch(Path(problem))]
    while kept:
        sampled = iter(await together(tries(branch) for branch in kept if not branch.end))
        candidates, free = [], full - len(answers)
        for branch in kept:
            new = [each for steps in (() if branch.end else next(sampled)) for each in children(branch, steps)]
            candidates += new
            if not branch.end and branch.nodes and not new:
                branch.nodes[-1].end = "length"
                branch = replace(branch, end="length")
            if not branch.end:
                free = full - len(answers)
            elif len(answers) < full:
                answers.append(branch)
        if not config.published_slots or len(answers) == full:
            free = full - len(answers)
        paths = await score(prm, [each.path for each in candidates])
        ranked = []
        for each, path in zip(candidates, paths, strict=True):
            if isinstance(path, Unread):
                each.leaf.unread = path.value
                continue
            if not each.leaf.blank:
                each.leaf.score = path.scores[-1]
            ranked.append(replace(each, path=path))
        # A stable sort leaves ties in sampling order.
        ranked.sort(key=lambda each: -each.path.scores[-1])
        kept = ranked[:free]
        for each in kept:
            each.leaf.kept = True
    return [trajectory(answer, subtree) for answer in answers]


def check_read(problem: Problem, prm: PRM, tree: Tree, answers: list[Trajectory]) -> None:
    """Raise ValueError if a search found no answer and the PRM could not read some of its paths."""
    unread = Counter(node.unread for node in tree.nodes if node.unread)
    if unread and not answers:
        why = ", ".join(f"{reason}: {count}" for reason, count in unread.items())
        raise ValueError(
            f"The search of {problem.id} found no answer, since {prm.name} could not read its paths ({why}); take a "
            f"PRM with a longer context or another marker, or a smaller max_tokens."
        )


def distinct(steps: list[Step], can: list[bool]) -> Siblings:
    """The different steps in sampling order: they are the same if their text is, blanks around it aside, and both or
    neither can be ranked."""
    first: dict[tuple[str, bool], int] = {}
    copies: Counter[int] = Counter()
    for index, step in enumerate(steps):
        copies[first.setdefault((step.text.strip(), can[index]), index)] += 1
    return [(index, steps[index], count, can[index]) for index, count in copies.items()]


def usable(path: Path, step: Step, max_depth: int, max_tokens: int) -> bool:
    """Whether a continuation of the path can be ranked: it is neither cut nor blank, or ends a path with its blank."""
    if not step.text.strip():
        return step.finish == "eos" and bool(path.steps)
    longer = replace(path, steps=(*path.steps, step))
    return step.finish != "length" or why_ended(longer, max_depth, max_tokens) == "boxed"


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
        branch.end,
        tuple(node.id for node in branch.nodes),
        sum(step.logprob for step in steps),
        subtree,
    )
