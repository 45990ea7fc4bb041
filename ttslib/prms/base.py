"""What a process reward model (PRM) is: the base class of every backend."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ttslib.model import Model
from ttslib.policies.base import Path


class Unread(StrEnum):
    """Why a PRM cannot read a path; it says so in place of the scores."""

    LONG = "longer than the PRM can read"
    MARKER = "a step holds the PRM's marker"


class PRM(Model):
    """A model that scores the steps of a solution. A subclass has a `name` and `score`; the rest may stay as it is."""

    async def score(self, paths: Sequence[Path]) -> list[list[float] | Unread | None]:
        """For each path one score in [0, 1] per step that has none yet, `path.steps[len(path.scores):]`; for a path
        that the PRM cannot read, why not (None stands for `Unread.LONG`): no score is ever cut off."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it scores: give it a method score.")
