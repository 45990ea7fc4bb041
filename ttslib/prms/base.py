"""What a process reward model (PRM) is: the protocol every one of them meets."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ttslib.policies.base import Path

if TYPE_CHECKING:
    from ttslib.usage import Usage


class Unread(StrEnum):
    """Why a PRM cannot read a path; it says so in place of the scores."""

    LONG = "longer than the PRM can read"
    MARKER = "a step holds the PRM's marker"


class PRM(Protocol):
    """A model that scores the steps of a solution.

    Attributes:
        name, revision: which model, for the record.
        usage: tokens forwarded and calls made so far; it only grows.
        closed: whether it can score no more; a PRM may do without it, and without `close`.
    """

    name: str
    revision: str
    usage: Usage

    async def score(self, paths: Sequence[Path]) -> list[list[float] | Unread | None]:
        """For each path one score in [0, 1] per step that has none yet, `path.steps[len(path.scores):]`; for a path
        that the PRM cannot read, why not (None stands for `Unread.LONG`): no score is ever cut off."""
        ...

    def close(self) -> None:
        """Frees its memory."""
        ...
