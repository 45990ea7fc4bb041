"""How an archive is laid out: its files and columns, and the steps of a record's trajectories as one tree.

    contents.parquet        a row for each run that was archived: all of a cell's address but the problem
    problems.parquet        a row for each problem, with what its address holds of it
    cells-NAME.parquet      a row for each cell of one policy: the record without texts
    answers-NAME.parquet    the distinct answers of that policy to each problem, and what grading came to
    texts.parquet           all of the records, by address, whose texts are shown to readers

Steps that several trajectories of a record share stand once (`Steps`). A record that scores the samples of another one,
its pool, has only the scores, in the order of that one's steps, and its texts are those of the pool.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import pyarrow

from ttslib.records import Record

FORMAT = 2
PROBLEMS, TEXTS = "problems.parquet", "texts.parquet"
DROPPED = ("rank", "duplicate", "length", "blank", "marker")
USAGE = ("policy_tokens", "policy_calls", "policy_prompt", "prm_tokens", "prm_calls")
ENDS = ("boxed", "eos", "depth", "length")
NONE = -1
"""No answer, no step, no pool."""

_int, _ints, _text = pyarrow.int32(), pyarrow.list_(pyarrow.int32()), pyarrow.string()
CONTENT = pyarrow.schema([
    ("content", _text), ("file", _text), ("pool", _int), ("N", _int), ("M", _int), ("kept", _int), ("subtrees", _int),
])  # fmt: skip
PROBLEM = pyarrow.schema([("id", _text), ("hash", _text), ("problem", _text)])
ANSWER = pyarrow.schema([("problem", _int), ("text", _text), ("right", pyarrow.bool_()), ("group", _int)])
TEXT = pyarrow.schema([("key", _text), ("record", pyarrow.binary())])
STEPS = ("parent", "tokens", "answer", "respelled", "leaf", "end")
"""Lists of a cell beside `score`, empty where a pool has them: of each step how far before it its parent stands (0: it
is a first step) and its tokens; of a last step the answers, `NONE` elsewhere; of each trajectory its last step and the
place in `ENDS` of why it ended."""
CELL = pyarrow.schema([
    ("content", _int), ("problem", _int), ("started", pyarrow.int64()), ("milliseconds", pyarrow.int64()),
    ("attempts", _int), ("versions", _text), ("engines", _text), ("error", _text), *((name, _int) for name in USAGE),
    ("context", pyarrow.int64()), ("generated", _int), ("steps", _int), *((why, _int) for why in DROPPED),
    *((name, _ints) for name in STEPS), ("score", pyarrow.list_(pyarrow.float64())), ("groups", _ints), ("left", _int),
])  # fmt: skip
"""started, milliseconds: in milliseconds. context: twice that of `Record.context`. groups: of each trajectory, where
the groups of its answers are not those of the answers file; left: see `voting.undecided`."""


@dataclass
class Steps:
    """The distinct steps of a record's trajectories, parents first; step, score and tokens decide which are one.

    Attributes:
        parent: place of the step before, `NONE` of a first step.
        tokens, score: of each; NaN without a score.
        leaf: of each trajectory its last step, `NONE` without any.
    """

    parent: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    leaf: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, record: Record, *, scored: bool = True) -> Steps:
        """Raises ValueError for trajectories that have some scores, but not one for each step."""
        made, known = cls(), {}
        for names, tokens, scores in zip(named(record), record.step_tokens(), record.step_scores(), strict=True):
            if scores and len(scores) != len(names):
                raise ValueError(f"{record.label} has a trajectory of {len(names)} steps with {len(scores)} scores.")
            place = NONE
            for at, step in enumerate(zip(names, tokens, strict=True)):
                score = scores[at] if scored and scores else math.nan
                key = place, step, None if math.isnan(score) else score
                if key not in known:
                    known[key] = len(made.parent)
                    made.parent.append(place)
                    made.tokens.append(step[1])
                    made.score.append(score)
                place = known[key]
            made.leaf.append(place)
        return made

    def scored_by(self, record: Record) -> list[float] | None:
        """The scores of these steps in a record that scores these trajectories; None if they cannot say all of it."""
        found = [math.nan] * len(self.parent)
        for leaf, scores in zip(self.leaf, record.step_scores(), strict=True):
            for score in reversed(scores):
                if not math.isnan(found[leaf]) and found[leaf] != score:
                    return None
                found[leaf] = score
                leaf = self.parent[leaf]
        read = zip(self.leaf, record.step_scores(), strict=True)
        return None if any(leaf >= 0 and not scores and not math.isnan(found[leaf]) for leaf, scores in read) else found


def named(record: Record) -> Sequence[Sequence[Hashable]]:
    """Of each trajectory its steps, by text or, where there are no texts, by a number of the distinct step."""
    return record.brief.steps_taken if record.brief else [path["steps"] for path in record.trajectories]


def file_of(policy: dict | None) -> str:
    """The part of a file's name that says whose cells it holds."""
    return re.sub(r"[^\w.-]+", "-", policy["name"] if policy else "none").strip("-.") or "policy"
