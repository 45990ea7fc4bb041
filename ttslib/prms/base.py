"""What a process reward model (PRM) is: the protocol every one of them meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ttslib.policies.base import Path

if TYPE_CHECKING:
    from ttslib.usage import Usage


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

    async def score(self, paths: Sequence[Path]) -> list[list[float] | None]:
        """For each path one score in [0, 1] per step that has none yet, `path.steps[len(path.scores):]`; None for a
        path that is longer than the PRM can read: no score is ever cut off."""
        ...

    def close(self) -> None:
        """Frees its memory."""
        ...
