r"""The two public comparisons: ``equivalent`` and ``canonical``. Neither raises on any input."""

from __future__ import annotations

from functools import lru_cache

from .compare import key, same
from .limits import hopeless
from .service import ask
from .structure import parse

_CACHED = 100_000


class _NeedsSymbols(Exception):
    """The pair cannot be decided without symbolic mathematics."""


class _Undecided(Exception):
    """No verdict (time ran out); not remembered, so that a later call on a less busy machine may find one."""


def equivalent(gold: object, answer: object) -> bool:
    """Whether `answer` is the gold answer in another form. The gold answer comes first: "a + b = 5" may stand for the
    value 5, but 5 does not stand for the equation.

    False for None, an empty answer, and whatever cannot be read or decided within the time limit (under two seconds;
    the first symbolic comparison also waits for the grading process to start). From any thread; does not raise.
    """
    if not isinstance(gold, str) or not isinstance(answer, str) or not gold.strip() or not answer.strip():
        return False
    try:
        return _equivalent(gold, answer)
    except _Undecided:
        return False


def canonical(answer: str) -> str:
    r"""A vote key: answers with equal keys are equal, and many equal forms share one ("1/2", "0.5", "\frac{1}{2}")."""
    return _canonical(answer) if isinstance(answer, str) else str(answer)


@lru_cache(maxsize=_CACHED)
def _canonical(answer: str) -> str:
    try:
        return key(parse(answer))
    except Exception:  # an answer that breaks the reader stands for itself
        return " ".join(answer.split())


@lru_cache(maxsize=_CACHED)
def _equivalent(gold: str, answer: str) -> bool:
    if gold.strip() == answer.strip():
        return True
    try:
        return same(parse(gold), parse(answer), _postpone)
    except _NeedsSymbols:
        pass
    except Exception:  # an answer that breaks the reader is a wrong one
        return False
    verdict = ask(gold, answer)
    if verdict is None:
        raise _Undecided
    return verdict


def _postpone(gold: str, answer: str, sets: bool) -> bool:
    if hopeless(gold) or hopeless(answer):
        return False
    raise _NeedsSymbols
