"""One blocking call around a coroutine: in a script, a notebook (where a loop already runs), a test."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

# One thread for all calls: the OpenMP team of a model belongs to the thread that ran it; a new team costs.
_worker: ThreadPoolExecutor | None = None
_lock = threading.Lock()


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

    async def main() -> T:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await coroutine

    with _interruptible():
        finished = _worker.submit(asyncio.run, main())
        try:
            return finished.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
            wait([finished])
            raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt here, also where a loop has its own handler, which cannot act now."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
