"""Counting tokens and calls: in total for each model, and at the same time for the search that asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Usage:
    """Tokens and calls so far; both only grow. A policy counts tokens generated, a PRM tokens forwarded.

    `prompt`: of a search its prompt's tokens, which count once however often the policy was asked, since engines keep
    what they have read of a prefix; None if the policy does not say.
    """

    tokens: int = 0
    calls: int = 0
    prompt: int | None = None

    def add(self, tokens: int, calls: int = 1, *, cell: Usage | None = None) -> None:
        """Count here and for the search that is asking.

        That search is found through `current()`, so a backend calls `add` in the coroutine that was asked.
        Code that serves several searches from one task (a micro-batcher) reads `current()` when each request
        comes in and passes it as `cell`: the task itself would count everything for whichever search happened
        to start it.
        """
        self.tokens += tokens
        self.calls += calls
        counter = current() if cell is None else cell
        if counter is not None and counter is not self:
            counter.tokens += tokens
            counter.calls += calls

    def plain(self) -> dict[str, int]:
        """What a record keeps: without `prompt` where that is not known."""
        return {name: value for name, value in vars(self).items() if value is not None}


_current: ContextVar[Usage | None] = ContextVar("ttslib_usage", default=None)


def current() -> Usage | None:
    """The counter of the search that is asking, or None outside of one."""
    return _current.get()


@contextmanager
def counting(counter: Usage) -> Iterator[Usage]:
    """Count for `counter` too what happens inside, tasks and `to_thread` calls started there included."""
    token = _current.set(counter)
    try:
        yield counter
    finally:
        _current.reset(token)


class Metered:
    """A policy or PRM whose `sample` and `score` count for `counter`; everything else is the model's own."""

    def __init__(self, model, counter: Usage):
        self._model, self._counter = model, counter

    def __getattr__(self, name: str):
        return getattr(self._model, name)

    async def sample(self, *args, **options):
        with counting(self._counter):
            return await self._model.sample(*args, **options)

    async def score(self, *args, **options):
        with counting(self._counter):
            return await self._model.score(*args, **options)
