"""The input formats of PRMs: how a question and its steps become ids, and where the score of each step is read.

Every format has `encode(question, steps) -> Encoded` and `head`, which says how outputs become scores. A text is
tokenised as the model's authors do it, most of them at once: pieces joined afterwards can differ from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ttslib.policies.base import Path


@dataclass(frozen=True)
class Encoded:
    """`ids` of the whole input; `positions[i]` is the index at which the score of step i is read."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


class Format(Protocol):
    """See the module docstring. `head`: "pair" (first of a softmax over the logits of the two tokens `pair`), "class"
    (second of a softmax over two classes) or "value" (sigmoid of one value)."""

    head: Literal["pair", "class", "value"]

    def encode(self, question: str, steps: list[str]) -> Encoded: ...


def encode_path(format: Format, path: Path, context: int) -> Encoded | None:
    """A path in the PRM's format; None if it is longer than the PRM's context."""
    encoded = format.encode(path.problem.question, [step.text for step in path.steps])
    return encoded if len(encoded.ids) <= context else None


def positions_of(ids: list[int], marker: int, steps: int, name: str) -> tuple[int, ...]:
    """Indices of `marker` in `ids`; ValueError unless there is exactly one per step."""
    found = tuple(i for i, token in enumerate(ids) if token == marker)
    if len(found) != steps:
        raise ValueError(f"{name}: {steps} steps but {len(found)} markers: a step or the question contains the marker.")
    return found


def shared_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first ids two sequences have in common."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def one_token(tokenizer, text: str) -> int:
    """The id of `text` as a single token; ValueError if it splits into several."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if len(ids) != 1:
        raise ValueError(f"{text!r} is {len(ids)} tokens in this tokenizer; the PRM format needs it to be one.")
    return ids[0]
