"""What a search leaves behind: every node it sampled, and the trajectories that became answers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ttslib.boxes import answers_in
from ttslib.policies.base import Step
from ttslib.prms.base import Unread


@dataclass
class Node:
    """One distinct sampled step.

    Attributes:
        id: place in `Tree.nodes`; ids follow sampling order within a subtree.
        parent: id of the step before, None for a first step.
        depth: 1 for a first step.
        text: the step, its separator included when one was produced.
        tokens: how many tokens it took.
        score: PRM score of this step in [0, 1]; None if it was never scored.
        finish: "step", "eos" or "length", as the policy reported it.
        logprob: sum of its tokens' log-probabilities in nats.
        kept: it was selected, so it was expanded or became an answer. A blank step is in no trajectory; where the
            model ended its text there, it is kept if the path before it became an answer.
        copies: how many identical siblings were sampled, this one included.
        end: None while the path can go on, else why it ends here: "boxed", "eos", "depth" or "length".
        subtree: which DVTS subtree it belongs to; 0 elsewhere.
        unread: None, or why the PRM could not read the path that ends here (see `Unread`).
    """

    id: int
    parent: int | None
    depth: int
    text: str
    tokens: int
    score: float | None
    finish: str
    logprob: float
    kept: bool = False
    copies: int = 1
    end: str | None = None
    subtree: int = 0
    unread: str | None = None

    @property
    def blank(self) -> bool:
        """Without text: spaces, line breaks and the separator at most."""
        return not self.text.strip()


@dataclass(frozen=True)
class Trajectory:
    """A finished path: one answer of a search.

    Attributes:
        steps, scores: its steps and the PRM score of each (no scores if the method ran without a PRM).
        end: "boxed", "eos", "depth" or "length".
        nodes: ids of its nodes in the tree, first step first.
        logprob: sum over its steps, in nats.
        subtree: which DVTS subtree it came from; 0 elsewhere.
    """

    steps: tuple[str, ...]
    scores: tuple[float, ...]
    end: str
    nodes: tuple[int, ...]
    logprob: float
    subtree: int = 0

    @property
    def text(self) -> str:
        return "".join(self.steps)


@dataclass
class Tree:
    """Every node of one search, dropped ones too. First steps have no parent, so it may be a forest."""

    nodes: list[Node] = field(default_factory=list)

    def add(
        self, parent: int | None, step: Step, *, end: str | None, copies: int = 1, subtree: int = 0
    ) -> Node:
        """Append a sampled step below node `parent` (None: a first step)."""
        depth = 1 if parent is None else self.nodes[parent].depth + 1
        node = Node(
            len(self.nodes),
            parent,
            depth,
            step.text,
            len(step.tokens),
            None,
            step.finish,
            step.logprob,
            copies=copies,
            end=end,
            subtree=subtree,
        )
        self.nodes.append(node)
        return node

    def extend(self, other: Tree) -> int:
        """Move the nodes of another tree in behind these; returns what was added to their ids."""
        shift = len(self.nodes)
        for node in other.nodes:
            node.id += shift
            node.parent = None if node.parent is None else node.parent + shift
            self.nodes.append(node)
        return shift

    def dropped(self) -> Counter[str]:
        """How many sampled steps led nowhere, and why; what is not named did not occur.

        "rank": scored, but others were better; "length": cut by the token limit, or longer than the PRM can read, and
        passed over without a score; "marker": without a score because a step holds the PRM's marker; "blank": without
        text; "duplicate": the same text as a sibling, which stands for it.
        """
        counts = Counter(rank=0, length=0, duplicate=0)
        for node in self.nodes:
            if node.blank and not node.kept:
                counts["blank"] += node.copies
                continue
            counts["duplicate"] += node.copies - 1
            if not node.kept:
                unread = "marker" if node.unread == Unread.MARKER else "length"
                counts["rank" if node.score is not None else unread] += 1
        return counts

    def to_json(self) -> dict:
        """The tree as plain lists, dicts, strings and numbers, ready for `json.dumps`."""
        return {"nodes": [dict(vars(node)) for node in self.nodes]}

    @classmethod
    def from_json(cls, data: Mapping | str) -> Tree:
        """The inverse of `to_json`; a JSON string of it will do as well."""
        data = json.loads(data) if isinstance(data, str) else data
        return cls([Node(**node) for node in data["nodes"]])


def boxed(text: str) -> bool:
    """Whether `text` holds a closed box with an answer, which ends a path."""
    return bool(answers_in(text))


def sample_seed(
    seed: int, problem_id: str, subtree: int = 0, position: tuple[int, ...] = (), attempt: int = 0
) -> int:
    """The seed of one `policy.sample` call, in [0, 2**31): the same on every machine and in every process.

    `position` is the sampling index of each step of the path that is continued; it does not name the method,
    so beam search and DVTS at N = M ask for the same samples. `attempt` counts the calls for the same continuations.
    """
    place = json.dumps([seed, problem_id, subtree, list(position), *([attempt] if attempt else [])])
    return int.from_bytes(hashlib.sha256(place.encode()).digest()[:4], "big") >> 1
