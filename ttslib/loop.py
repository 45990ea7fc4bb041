"""One blocking call around a coroutine: in a script, a notebook (where a loop already runs), a test."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

# One thread for all calls: the OpenMP team of a model belongs to the thread that ran it; a new team costs.
_worker: ThreadPoolExecutor | None = None
_lock = threading.Lock()
_SIGNAL_CHECK = 0.1  # seconds


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end and return its result, whether or not an event loop runs in this thread.

    Without a running loop this is `asyncio.run`. With one (a notebook) the coroutine gets its own loop in a
    worker thread while this thread waits. A KeyboardInterrupt cancels the coroutine, waits until it has
    cleaned up, and is raised here. Not for use from a coroutine that others wait for: it blocks the loop it
    is called in.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    if threading.current_thread().name.startswith("ttslib-loop"):
        coroutine.close()
        raise RuntimeError("A blocking call was made inside a search; await the coroutine there instead.")
    return _in_worker(coroutine)


def _in_worker(coroutine: Coroutine[Any, Any, T]) -> T:
    global _worker
    with _lock:
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
