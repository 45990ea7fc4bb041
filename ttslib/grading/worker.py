"""The grading process: reads pairs from its standard input, one JSON line each, and answers on its standard output.

It imports math-verify once and forks children that do the comparing. A child that exceeds the time limit is killed and
forked anew in milliseconds, so an endless evaluation costs nobody but its pair. Everything ends when the process that
started it is gone.
"""

import contextlib
import json
import logging
import os
import resource
import select
import signal
import sys
import time

from .compare import same
from .service import write_all
from .structure import parse
from .symbolic import compare

_CHILDREN = 8
_MEMORY = 1 << 30  # bytes that a child may take for its pairs
_WATCH = 2.0  # seconds between looks at whether the starter is still there
_WARM = (
    (r"\frac{\sqrt{8}}{2}", r"\sqrt{2}"), ("x^2+2x+1", "(x+1)^2"), ("y=2x", "2x-y=0"), (r"\sin 2x", r"2\sin x\cos x"),
    (r"(1,2]\cup[3,\infty)", r"1 < x \leq 2 \text{ or } x \geq 3"),
)  # fmt: skip


def judge(gold: str, answer: str) -> bool:
    """The verdict on one pair; any failure is a False."""
    try:
        return bool(same(parse(gold), parse(answer), compare))
    except Exception:  # whatever sympy and the parser raise: an unreadable answer is a wrong one
        return False


def main() -> None:
    """Serve until standard input closes or the parent process is gone."""
    starter = os.getppid()
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    logging.disable()
    sys.setrecursionlimit(3000)
    for gold, answer in _WARM:
        judge(gold, answer)
    _say(replies, {"ready": True})
    _Pool(requests, replies, starter).serve()


def _say(fd: int, message: dict) -> None:
    write_all(fd, (json.dumps(message) + "\n").encode())


class _Child:
    """A forked process that judges one pair at a time."""

    def __init__(self, others: list[int]) -> None:
        job_read, self.jobs = os.pipe()
        self.verdicts, verdict_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for fd in (*others, self.jobs, self.verdicts):
                os.close(fd)
            _child(job_read, verdict_write)
        os.close(job_read)
        os.close(verdict_write)
        self.job: int | None = None
        self.deadline = 0.0

    def close(self) -> None:
        os.close(self.jobs)
        os.close(self.verdicts)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _child(jobs: int, verdicts: int) -> None:
    try:
        _limit_memory()
        with os.fdopen(jobs, encoding="utf-8") as lines:
            for line in lines:
                job = json.loads(line)
                _limit_time(job["limit"])
                os.write(verdicts, b"1" if judge(job["gold"], job["answer"]) else b"0")
    finally:
        os._exit(0)


def _limit_memory() -> None:
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))


def _limit_time(seconds: float) -> None:
    """Should the parent be killed in the middle of a job, the kernel ends the job a little later."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(spent.ru_utime + spent.ru_stime + seconds) + 2
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


class _Pool:
    """Hands pairs to children and verdicts back, and kills children that take too long."""

    def __init__(self, requests: int, replies: int, starter: int) -> None:
        self.requests, self.replies, self.starter = requests, replies, starter
        self.children: list[_Child] = []
        self.queue: list[dict] = []
        self.buffer = b""

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the starter reads no more
            while os.getppid() == self.starter and self._turn():
                pass
        for child in self.children:
            child.close()

    def _turn(self) -> bool:
        busy = [child for child in self.children if child.job is not None]
        first = min((child.deadline for child in busy), default=float("inf"))
        timeout = min(_WATCH, max(0.0, first - time.monotonic()))
        ready, _, _ = select.select([self.requests, *(child.verdicts for child in busy)], [], [], timeout)
        for child in busy:
            if child.verdicts in ready:
                self._collect(child)
            elif time.monotonic() >= child.deadline:
                self._end(child)
        more = self.requests not in ready or self._receive()
        self._dispatch()
        return more

    def _receive(self) -> bool:
        data = os.read(self.requests, 1 << 16)
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        self.queue += [json.loads(line) for line in lines]
        return bool(data)

    def _collect(self, child: _Child) -> None:
        verdict = os.read(child.verdicts, 1)
        if verdict:
            _say(self.replies, {"id": child.job, "verdict": verdict == b"1"})
            child.job = None
        else:
            self._end(child)  # it died: out of memory, or a stack overflow in native code

    def _end(self, child: _Child) -> None:
        _say(self.replies, {"id": child.job, "verdict": None})
        self.children.remove(child)
        child.close()

    def _dispatch(self) -> None:
        while self.queue:
            child = next((child for child in self.children if child.job is None), None)
            if child is None:
                if len(self.children) >= _CHILDREN:
                    return
                pipes = (fd for other in self.children for fd in (other.jobs, other.verdicts))
                child = _Child([self.requests, self.replies, *pipes])
                self.children.append(child)
            job = self.queue.pop(0)
            child.job, child.deadline = job["id"], time.monotonic() + job["limit"]
            _say(child.jobs, job)
