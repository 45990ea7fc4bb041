"""What a process reward model (PRM) is: the base class of every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ttslib.policies.base import Path
from ttslib.usage import Usage


class Unread(StrEnum):
    """Why a PRM cannot read a path; it says so in place of the scores."""

    LONG = "longer than the PRM can read"
    MARKER = "a step holds the PRM's marker"


class PRM:
    """A model that scores the steps of a solution. A subclass has a `name` and `score`; the rest may stay as here.

    Attributes:
        name, revision: which model, for the record.
        backend: what runs it, for the record; no part of its identity.
        settings: what was asked for explicitly when it was loaded and changes its scores.
    """

    name: str
    revision: str = ""
    backend: str = ""
    settings: Mapping[str, Any] = MappingProxyType({})

    @cached_property
    def usage(self) -> Usage:
        """Tokens forwarded and calls made so far; it only grows."""
        return Usage()

    @property
    def closed(self) -> bool:
        """Whether it can score no more."""
        return False

    @property
    def identity(self) -> dict[str, Any]:
        """See `identity`."""
        return identity(self.name, self.revision, self.settings)

    async def score(self, paths: Sequence[Path]) -> list[list[float] | Unread | None]:
        """For each path one score in [0, 1] per step that has none yet, `path.steps[len(path.scores):]`; for a path
        that the PRM cannot read, why not (None stands for `Unread.LONG`): no score is ever cut off."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it scores: give it a method score.")

    def close(self) -> None:
        """Frees its memory."""


def identity(name: str, revision: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a PRM's records apart: name, revision, and its explicit settings if there are any."""
    return {"name": name, "revision": revision} | ({"settings": dict(settings)} if settings else {})
