"""The client of the grading process: starts it when first needed, from any thread, and again when it dies."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

LIMIT = 1.4  # seconds of computing for one pair
_PATIENCE = 1.7  # seconds a caller waits, queueing included
_START = 30.0  # seconds for the process to come up
# A stand-in for the package: the process needs this sub-package only, not what ttslib/__init__ imports.
_BOOT = (
    "import sys, types; p = types.ModuleType('ttslib'); p.__path__ = [sys.argv[1]]; sys.modules['ttslib'] = p; "
    "from ttslib.grading.worker import main; main()"
)


class Unanswered(Exception):
    """The grading process was too busy to look at a pair in time, or does not run."""


class _Question:
    def __init__(self) -> None:
        self.answered = threading.Event()
        self.verdict: bool | None = None
        self.lost = False  # the process died first


class _Service:
    """One grading process and the thread that listens to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ready = threading.Event()
        self.alive = True
        self.questions: dict[int, _Question] = {}
        self.count = 0
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        root = str(Path(__file__).resolve().parent.parent)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, root],
                stdin=theirs_in, stdout=theirs_out, stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # an interrupt meant for the notebook does not reach it
            )  # fmt: skip
        except OSError:
            os.close(self.to)
            os.close(self.back)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        threading.Thread(target=self._listen, daemon=True, name="ttslib-grading").start()

    def _listen(self) -> None:
        buffer = b""
        while data := self._read():
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "ready" in message:
                    self.ready.set()
                    continue
                with self.lock:
                    question = self.questions.pop(message["id"], None)
                if question is not None:
                    question.verdict = message["verdict"]
                    question.answered.set()
        with self.lock:
            self.alive = False
            lost, self.questions = list(self.questions.values()), {}
            os.close(self.to)
        os.close(self.back)
        self.ready.set()
        for question in lost:
            question.lost = True
            question.answered.set()
        self.process.wait()

    def _read(self) -> bytes:
        try:
            return os.read(self.back, 1 << 16)
        except OSError:
            return b""

    def ask(self, gold: str, answer: str) -> tuple[bool | None, bool]:
        """(verdict, None if its time ran out; whether the process died before it gave one)."""
        self.ready.wait(_START)
        question = _Question()
        with self.lock:
            if not self.alive:
                return None, True
            self.count += 1
            number = self.count
            self.questions[number] = question
            line = json.dumps({"id": number, "gold": gold, "answer": answer, "limit": LIMIT}) + "\n"
            try:
                write_all(self.to, line.encode())
            except OSError:
                self.questions.pop(number, None)
                self.alive = False
                return None, True
        if not question.answered.wait(_PATIENCE):
            with self.lock:
                self.questions.pop(number, None)
            raise Unanswered
        return question.verdict, question.lost

    def stop(self) -> None:
        """End the process; it ends its children."""
        self.alive = False
        with contextlib.suppress(OSError):
            self.process.kill()

    def leave(self) -> None:
        """In a forked copy of this process: let go of the pipes, which belong to the parent."""
        with contextlib.suppress(OSError):
            os.close(self.to)
            os.close(self.back)
        self.process.returncode = 0  # not this process's child: nothing to wait for


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`. OSError: nobody reads."""
    while data:
        data = data[os.write(fd, data) :]


_service: _Service | None = None
_starting = threading.Lock()


def start() -> _Service:
    """The running grading process (started now if there is none); does not wait until it is ready.

    OSError: it cannot be started.
    """
    global _service
    with _starting:
        if _service is None or not _service.alive:
            _service = _Service()
        return _service


def ask(gold: str, answer: str) -> bool | None:
    """The symbolic verdict on a pair; None where its time ran out. Unanswered: it may be decided another time."""
    for attempt in range(2):
        try:
            verdict, died = start().ask(gold, answer)
        except OSError:
            break
        if not died:
            return verdict
        time.sleep(0.05 * (attempt + 1))
    warnings.warn("The grading process does not run: answers are compared without symbolic mathematics.", stacklevel=2)
    raise Unanswered


def _after_fork() -> None:
    global _service, _starting
    inherited, _service, _starting = _service, None, threading.Lock()
    if inherited is not None and inherited.alive:
        inherited.leave()


def _at_exit() -> None:
    if _service is not None:
        _service.stop()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
