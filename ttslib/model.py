"""What policies and PRMs have in common: a name, what was asked for, how much they were used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ttslib.usage import Usage


class Model:
    """A subclass has a `name`; the rest may stay as it is here.

    Attributes:
        name, revision: which model, for the record.
        backend: what runs it, for the record; it is no part of its identity.
        settings: what was asked for explicitly when it was loaded and changes what it gives.
    """

    name: str
    revision: str = ""
    backend: str = ""
    settings: Mapping[str, Any] = MappingProxyType({})

    @cached_property
    def usage(self) -> Usage:
        """Tokens and calls so far; it only grows."""
        return Usage()

    @property
    def closed(self) -> bool:
        """Whether it can be used no more."""
        return False

    @property
    def identity(self) -> dict[str, Any]:
        """See `identity`."""
        return identity(self.name, self.revision, self.settings)

    def close(self) -> None:
        """Frees its memory."""


def identity(name: str, revision: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a model's records apart: name, revision, and its explicit settings if there are any."""
    return {"name": name, "revision": revision} | ({"settings": dict(settings)} if settings else {})
