"""The input formats of PRMs: how a question and its steps become ids, and where the score of each step is read.

Every format has `encode(question, steps) -> Encoded` and `head`, which says how outputs become scores. A text is
tokenised as the model's authors do it, most of them at once: pieces joined afterwards can differ from it. Question and
steps are plain text, whatever control tokens they spell (`ttslib.plain_text`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ttslib.policies.base import Path
from ttslib.prms.base import Unread


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


class MarkerInStep(ValueError):
    """A step holds the marker at which the format reads scores."""


def encode_path(format: Format, path: Path, context: int) -> Encoded | Unread:
    """A path in the PRM's format, or why it cannot be read."""
    try:
        encoded = format.encode(path.problem.question, [step.text for step in path.steps])
    except MarkerInStep:
        return Unread.MARKER
    return encoded if len(encoded.ids) <= context else Unread.LONG


def step_markers(marker: int, steps: int, ids: Sequence[int], bare: Callable[[], list[int]]) -> tuple[int, ...]:
    """Indices in `ids` of the markers that end the steps; those of the question come before them and do not count.

    `bare` gives the ids of the same text without steps. Raises MarkerInStep if there are other markers.
    """
    found = [i for i, token in enumerate(ids) if token == marker]
    if len(found) != steps and len(found) != steps + bare().count(marker):
        raise MarkerInStep(f"{steps} steps but {len(found)} markers: a step holds the marker.")
    return tuple(found[len(found) - steps :])


def shared_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first ids two sequences have in common."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def one_token(tokenizer, text: str) -> int:
    """The id of `text` as a single token; ValueError if it splits into several."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if len(ids) != 1:
        raise ValueError(f"{text!r} is {len(ids)} tokens in this tokenizer; the PRM format needs it to be one.")
    return ids[0]
