"""One blocking call around a coroutine: in a script, a notebook (where a loop already runs), a test; and the task that
serves a model in the loop that asks it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

# One thread for all calls: the OpenMP team of a model belongs to the thread that ran it; a new team costs.
_worker: ThreadPoolExecutor | None = None
_turn = threading.Lock()  # held by the thread whose call is served
_inside: ContextVar[bool] = ContextVar("inside", default=False)
_SIGNAL_CHECK = 0.1  # seconds


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end and return its result, whether or not an event loop runs in this thread.

    Without a running loop this is `asyncio.run`. With one (a notebook) the coroutine gets its own loop in a
    worker thread while this thread waits. A KeyboardInterrupt cancels the coroutine, waits until it has
    cleaned up, and is raised here. Not for use from a coroutine that others wait for: it blocks the loop it
    is called in, and inside a search, in `asyncio.to_thread` too, it is a RuntimeError.

    One call at a time in a process: models serve one event loop at a time, so other threads wait for their turn.
    """
    try:
        if _inside.get():
            raise RuntimeError("A blocking call was made inside a search; await the coroutine there instead.")
        with _turn:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return asyncio.run(_searching(coroutine))
            return _in_worker(_searching(coroutine))
    finally:
        coroutine.close()  # which does nothing to one that has run


async def _searching(coroutine: Coroutine[Any, Any, T]) -> T:
    _inside.set(True)
    return await coroutine


def _in_worker(coroutine: Coroutine[Any, Any, T]) -> T:
    global _worker
    if _worker is None:
        _worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ttslib-loop")
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task]] = Future()
    interrupted = threading.Event()

    async def main() -> T:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        if interrupted.is_set():
            asyncio.current_task().cancel()
        return await coroutine

    def cancel(*_: Any) -> None:
        interrupted.set()
        if started.done():
            loop, task = started.result()
            with suppress(RuntimeError):  # the loop is closed: the coroutine has come to its end
                loop.call_soon_threadsafe(task.cancel)

    with _on_sigint(cancel):
        finished = _worker.submit(asyncio.run, main())
        # A signal that comes just before a wait does not end it, so no wait is long.
        while not wait([finished], timeout=_SIGNAL_CHECK).done:
            pass
    if interrupted.is_set():
        raise KeyboardInterrupt
    return finished.result()


@contextmanager
def _on_sigint(handler: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C calls `handler` and raises nothing, for an exception may come at a place that cannot bear one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Pump:
    """The one task that serves a model while anything is asked of it, in the event loop that asks."""

    def __init__(self, name: str):
        self.name = name
        self._task: asyncio.Task | None = None
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, serve: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Sees to it that `serve` runs in this loop; to be called before a request is queued, with no await in between.

        It runs in an empty context: usage is counted for the search that asked, not for the one that came first. Raises
        RuntimeError if another thread's loop is being served.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            served = self._task.get_loop() if self.busy else None
            if served is loop:
                return
            if served is not None and served.is_running():
                raise RuntimeError(
                    f"{self.name} is in use by another thread's event loop: await it in one loop at a time, or use "
                    "tts.solve, which waits for its turn."
                )
            self._task = loop.create_task(serve(), context=Context())


def _after_fork() -> None:
    """A forked child has neither the worker thread nor the thread whose turn it was."""
    global _turn, _worker
    _turn, _worker = threading.Lock(), None


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)
