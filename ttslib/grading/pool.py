"""Symbolic comparisons in worker processes (loky). Their clock is the computing time of the workers, so that a busy
machine makes them slower and not different.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

Pair = tuple[str, str]

QUICK = 0.35  # seconds of computing for a pair beside others
LIMIT = 0.9  # seconds of computing for a pair that QUICK did not decide, alone
PATIENCE = 1.3  # seconds of computing, that for others included, which an impatient caller waits for
_GRACE = 0.3  # seconds of computing until a worker that does not hear the alarm is killed
_WALL = 60.0 if os.name == "posix" else 10.0  # seconds until a worker that gives no sign is killed
_WORKERS = 16  # at most, and no more than processors
_WORTH = 16  # pairs that are worth the start of one more worker: two seconds of computing
_AGAIN = 10.0  # seconds after a failed start until the next
_IDLE = 900  # seconds until an idle worker ends
_MEMORY = 1 << 30  # bytes that a worker may take for its pairs

# A stand-in for the package: a worker needs this sub-package only, not what ttslib/__init__ imports.
_BOOT = """import sys, types
sys.modules["ttslib"] = package = types.ModuleType("ttslib")
package.__path__ = [root]
from ttslib.grading.pool import begin
begin(starter)"""
_WORKER_ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1"}
_WARM = (
    (r"\frac{\sqrt{8}}{2}", r"\sqrt{2}"), ("x^2+2x+1", "(x+1)^2"), ("y=2x", "2x-y=0"), (r"\sin 2x", r"2\sin x\cos x"),
    (r"(1,2]\cup[3,\infty)", r"1 < x \leq 2 \text{ or } x \geq 3"),
)  # fmt: skip


class _GaveUp(Exception):
    """A pair that may be decided another time: too many were ahead, or no worker ran."""


class _Died(Exception):
    """The worker did, in the middle of a pair."""


def ask(pairs: Sequence[Pair], *, patient: bool) -> dict[Pair, bool | None]:
    """The symbolic verdicts on pairs of (gold, answer), None for those that do not end within `LIMIT`, not even alone.

    A pair that is missing may be decided another time. patient=False: a pair is left out when others keep the workers
    busy, as soon as it would wait for more than `PATIENCE`.
    """
    pool = _pools.get(os.getpid()) or _pools.setdefault(os.getpid(), _Pool())
    deadline = float("inf") if patient else pool.clock + PATIENCE
    answered = dict(zip(pairs, pool.beside(pairs, deadline), strict=True))
    for pair in [pair for pair, verdict in answered.items() if verdict is None]:
        try:
            answered[pair] = pool.attempt(pair, LIMIT, deadline, alone=True)
        except _Died:
            pass  # the second time in a row: the pair kills workers
        except _GaveUp:
            del answered[pair]
    return answered


class _Worker:
    """One process, in an executor of its own: its end disturbs no other."""

    def __init__(self, executor: ProcessPoolExecutor):
        self.executor = executor

    def judge(self, pair: Pair, limit: float) -> tuple[bool | None, float]:
        try:
            return self.executor.submit(judge, *pair, limit).result(_WALL)
        except (RuntimeError, TimeoutError):  # it died, or the interpreter is shutting down
            self.executor.shutdown(wait=False, kill_workers=True)
            raise _Died from None


class _Pool:
    """The workers of one process: started when there is enough to do, replaced when they die."""

    def __init__(self) -> None:
        self.turn = threading.Condition()
        self.idle: list[_Worker] = []
        self.live = self.starting = 0
        self.queue: list[object] = []  # callers with a pair that may run beside others, first come first served
        self.failed = float("-inf")  # when a start last failed
        self.clock = 0.0  # seconds of computing, shared out among the workers that may compute at once

    def beside(self, pairs: Sequence[Pair], deadline: float) -> Iterable[bool | None]:
        """The verdict on each pair within `QUICK`, on all workers; None too where there was none."""
        from loky import cpu_count

        def verdict(pair: Pair) -> bool | None:
            with contextlib.suppress(_Died, _GaveUp):
                return self.attempt(pair, QUICK, deadline)

        with self.turn:
            for _ in range(min(cpu_count(), _WORKERS, 1 + len(pairs) // _WORTH) - self.live - self.starting):
                self._start()
            workers = min(len(pairs), self.live + self.starting)
        if workers <= 1:
            return map(verdict, pairs)
        with ThreadPoolExecutor(workers) as threads:
            try:
                return list(threads.map(verdict, pairs))
            finally:  # an interrupt may come before map has handed out all of them, and so cancels none
                threads.shutdown(wait=False, cancel_futures=True)

    def attempt(self, pair: Pair, limit: float, deadline: float, *, alone: bool = False) -> bool | None:
        """The verdict of one worker within `limit` seconds of computing, None if that is not enough."""
        workers = self._take(limit, deadline, alone)
        seconds = limit
        try:
            verdict, seconds = workers[0].judge(pair, limit)
            return verdict
        except _Died:
            workers.pop(0)
            with self.turn:
                self.live -= 1
            raise
        finally:
            with self.turn:
                self.clock += min(seconds, limit) / (1 if alone else max(1, self.live))
                self.idle += workers
                self.turn.notify_all()

    def _take(self, limit: float, deadline: float, alone: bool) -> list[_Worker]:
        """One worker, or all of them for a pair that is to be alone: when no other runs or waits to."""
        ticket = object()
        with self.turn:
            if not alone:
                self.queue.append(ticket)
            try:
                while self.clock + limit <= deadline:
                    if self.idle and alone and not self.queue and len(self.idle) == self.live:
                        workers, self.idle = self.idle, []
                        return workers
                    if self.idle and not alone and self.queue[0] is ticket:
                        return [self.idle.pop()]
                    self._wait()
                raise _GaveUp
            finally:
                if not alone:
                    self.queue.remove(ticket)
                    self.turn.notify_all()

    def _wait(self) -> None:
        """Wait for a sign of the workers. _GaveUp: there are none, and none can be started."""
        if not self.live and not self.starting:
            self._start()
            if not self.live and not self.starting:
                raise _GaveUp
        elif not self.turn.wait(_WALL):
            _pools.pop(os.getpid(), None)  # whatever became of them: begin anew
            raise _GaveUp

    def _start(self) -> None:
        """Start a worker, which is idle once it is warm; not if one has just failed to start."""
        if time.monotonic() < self.failed + _AGAIN:
            return
        self.starting += 1
        try:
            # In a thread, which no interrupt can leave half-way through loky.
            threading.Thread(target=self._launch, daemon=True).start()
        except RuntimeError as error:  # the interpreter is shutting down, or there are too many threads
            self._failed(error)

    def _launch(self) -> None:
        from loky import ProcessPoolExecutor

        if hasattr(signal, "pthread_sigmask"):  # the worker inherits this, until `begin` ignores the signal
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        # A process of a multiprocessing.Pool may not have children; these end with it all the same (see `_follow`).
        multiprocessing.current_process()._config["daemon"] = False
        names = {"root": str(Path(__file__).resolve().parent.parent), "starter": os.getpid()}
        try:
            executor = ProcessPoolExecutor(
                1, timeout=_IDLE, initializer=exec, initargs=(_BOOT, names), env=_WORKER_ENV
            )
            executor.submit(os.getpid).add_done_callback(partial(self._started, executor))
        except Exception as error:  # whatever the system lacks: semaphores, memory, processes
            with self.turn:
                self._failed(error)

    def _started(self, executor: ProcessPoolExecutor, future: Future) -> None:
        with self.turn:
            if future.cancelled() or future.exception():
                return self._failed(future.exception())
            self.starting -= 1
            self.live += 1
            self.idle.append(_Worker(executor))
            self.turn.notify_all()

    def _failed(self, error: BaseException | None) -> None:
        self.starting -= 1
        self.failed = time.monotonic()
        warnings.warn(
            f"No grading process starts, so answers are compared without symbolic mathematics: {error!r}", stacklevel=2
        )
        self.turn.notify_all()


_pools: dict[int, _Pool] = {}  # by process: one that was forked has its own
atexit.register(_pools.clear)  # the executors, while what they are made of is still there


# -- in the worker ---------------------------------------------------------------------------------


class _TimeIsUp(BaseException):
    """Not an Exception: what is computing must not take it for an error of its own."""


def begin(starter: int) -> None:
    """Make this process a worker of the process `starter`: silent, bounded, warm."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is meant for the notebook
    if os.name == "posix":
        os.setsid()  # a session of its own has a share of the processors of its own
        signal.signal(signal.SIGVTALRM, _alarm)
        threading.Thread(target=_follow, args=(starter,), daemon=True).start()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    logging.disable()
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(3000)
    for gold, answer in _WARM:
        judge(gold, answer, 0)
    _limit_memory()


def judge(gold: str, answer: str, limit: float) -> tuple[bool | None, float]:
    """The verdict on a pair, None if `limit` seconds of computing or the memory are not enough, and the seconds taken.

    False for what the reader or sympy cannot make sense of.
    """
    from .compare import same
    from .structure import parse
    from .symbolic import compare

    begun = time.process_time()
    try:
        _limit_time(limit)
        try:
            verdict = bool(same(parse(gold), parse(answer), compare))
        finally:
            _limit_time(0)
    except (_TimeIsUp, MemoryError):
        verdict = None
    except Exception:  # whatever sympy and the parser raise: an unreadable answer is a wrong one
        verdict = False
    finally:
        _limit_time(0)
    return verdict, time.process_time() - begun


def _alarm(number: int, frame: object) -> None:
    raise _TimeIsUp


def _limit_time(seconds: float) -> None:
    """Raise _TimeIsUp after so much computing, and let the system end the process where that is not heard; 0: stop."""
    if os.name == "posix":
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        signal.setitimer(signal.ITIMER_PROF, seconds and seconds + _GRACE)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # only some systems can
        import resource

        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))


def _follow(starter: int) -> None:
    """End this process when the one that started it is gone."""
    while os.getppid() == starter:
        time.sleep(1)
    os._exit(0)
