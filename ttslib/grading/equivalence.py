r"""The public comparisons: ``verdict``, ``verdicts``, ``equivalent`` and ``canonical``. None raises on any input."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from . import memory
from .compare import key, same
from .limits import hopeless
from .pool import ask
from .structure import parse

_CACHED = 100_000
_TOGETHER = 500  # pairs that are kept at once: what an interrupt may lose
_parse = lru_cache(maxsize=10_000)(parse)  # a vote compares each answer with many


class _NeedsSymbols(Exception):
    """The pair cannot be decided without symbolic mathematics."""


_judged: dict[tuple[str, str], bool | None] = {}  # verdicts of this process; None stays None


def verdict(gold: object, answer: object, *, symbolic: bool = True) -> bool | None:
    """Whether `answer` is the gold answer in another form; None if that could not be decided. The gold answer comes
    first: "a + b = 5" may stand for the value 5, but 5 does not stand for the equation.

    A symbolic comparison has a limit of computing time, not of waiting: a busy machine makes it slower and does not
    change what it comes to. That takes under two seconds where the machine is free (the first also waits for the
    grading process to start). What it came to, None too, is remembered in this process, and True and False in a file
    (see `remember`); only where other threads keep the grading processes busy, None means that it was not made, and the
    next call makes it (`verdicts` waits instead).
    `symbolic=False`: as far as reading goes, None if that cannot tell. False for None, an empty answer, and whatever
    cannot be read. From any thread; does not raise.
    """
    known = _without_symbols(gold, answer)
    if known is not None or not symbolic:
        return known
    return _decided([(gold, answer)], patient=False).get((gold, answer))


def verdicts(pairs: Sequence[tuple[object, object]]) -> list[bool | None]:
    """What `verdict` says of each pair of (gold, answer), decided together: each pair once, and those that take
    symbolic mathematics by several grading processes at a time. Waits for them however busy these are.
    """
    pairs = [(gold, answer) for gold, answer in pairs]
    found = _decided(dict.fromkeys(pair for pair in pairs if _readable(*pair)), patient=True)
    return [found.get(pair) if _readable(*pair) else False for pair in pairs]


def equivalent(gold: object, answer: object) -> bool:
    """Whether `verdict` is True: what could not be decided is not taken for equal."""
    return verdict(gold, answer) is True


def canonical(answer: str) -> str:
    r"""A vote key: answers with equal keys are equal, and many equal forms share one ("1/2", "0.5", "\frac{1}{2}")."""
    return _canonical(answer) if isinstance(answer, str) else str(answer)


@lru_cache(maxsize=_CACHED)
def _canonical(answer: str) -> str:
    try:
        return key(_parse(answer))
    except Exception:  # an answer that breaks the reader stands for itself
        return " ".join(answer.split())


def _without_symbols(gold: object, answer: object) -> bool | None:
    """The verdict on a pair as far as reading it goes; None if it takes symbolic mathematics."""
    return _read(gold, answer) if _readable(gold, answer) else False


def _readable(gold: object, answer: object) -> bool:
    return all(isinstance(text, str) and text.strip() for text in (gold, answer))


@lru_cache(maxsize=_CACHED)
def _read(gold: str, answer: str) -> bool | None:
    if gold.strip() == answer.strip():
        return True
    try:
        return same(_parse(gold), _parse(answer), _postpone)
    except _NeedsSymbols:
        return None
    except Exception:  # an answer that breaks the reader is a wrong one
        return False


def _postpone(gold: str, answer: str, sets: bool) -> bool:
    if hopeless(gold) or hopeless(answer):
        return False
    raise _NeedsSymbols


def _decided(pairs: Iterable[tuple[str, str]], *, patient: bool) -> dict[tuple[str, str], bool | None]:
    """The verdicts on pairs: from this process, from the file, by reading, or by symbols (see `ask`)."""
    found, new = {}, []
    for pair in pairs:
        if pair in _judged:
            found[pair] = _judged[pair]
        else:
            new.append(pair)
    found |= _note(memory.recall("verdict", new))
    new = [pair for pair in new if pair not in found]
    for start in range(0, len(new), _TOGETHER):
        read = {pair: _read(*pair) for pair in new[start : start + _TOGETHER]}
        symbolic = [pair for pair, verdict in read.items() if verdict is None]
        told = {pair: verdict for pair, verdict in read.items() if verdict is not None}
        told |= ask(symbolic, patient=patient) if symbolic else {}
        memory.keep("verdict", {pair: verdict for pair, verdict in told.items() if verdict is not None})
        found |= _note(told)
    return found


def _note(told: dict[tuple[str, str], bool | None]) -> dict[tuple[str, str], bool | None]:
    if len(_judged) + len(told) > _CACHED:
        _judged.clear()
    _judged.update(told)
    return told
