"""What is said of a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: str, known: Iterable[str], otherwise: str = "") -> ValueError:
    """The error for an unknown name: it proposes the names of that kind that are spelled nearly so, or lists them all.

    otherwise: what may be given in place of such a name, as in ", or a path".
    """
    known = [str(each) for each in known]
    if near := get_close_matches(str(name), known, n=2, cutoff=0.75):
        return ValueError(f"Unknown {kind} {name!r}: did you mean {' or '.join(near)}?")
    return ValueError(f"Unknown {kind} {name!r}: give one of {', '.join(known)}{otherwise}.")
