r"""The public comparisons: ``verdict``, ``equivalent`` and ``canonical``. None raises on any input."""

from functools import lru_cache

from .compare import key, same
from .limits import hopeless
from .service import Unanswered, ask
from .structure import parse

_CACHED = 100_000
_parse = lru_cache(maxsize=10_000)(parse)  # a vote compares each answer with many


class _NeedsSymbols(Exception):
    """The pair cannot be decided without symbolic mathematics."""


_judged: dict[tuple[str, str], bool | None] = {}  # symbolic verdicts of this process; None stays None


def verdict(gold: object, answer: object, *, symbolic: bool = True) -> bool | None:
    """Whether `answer` is the gold answer in another form; None if that could not be decided in time. The gold answer
    comes first: "a + b = 5" may stand for the value 5, but 5 does not stand for the equation.

    Under two seconds (the first symbolic comparison also waits for the grading process to start). What a comparison
    came to, None too, is remembered in this process. `symbolic=False` starts none: None too if only that could tell.
    False for None, an empty answer, and whatever cannot be read. From any thread; does not raise.
    """
    if not isinstance(gold, str) or not isinstance(answer, str) or not gold.strip() or not answer.strip():
        return False
    pair = gold, answer
    known = _without_symbols(*pair)
    if known is not None or pair in _judged or not symbolic:
        return _judged.get(pair) if known is None else known
    if len(_judged) >= _CACHED:
        _judged.clear()
    try:
        return _judged.setdefault(pair, ask(*pair))
    except Unanswered:
        return None


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


@lru_cache(maxsize=_CACHED)
def _without_symbols(gold: str, answer: str) -> bool | None:
    """The verdict on a pair as far as reading it goes; None if it takes symbolic mathematics."""
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
