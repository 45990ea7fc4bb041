"""The client of the grading process: starts it when first needed, from any thread, and starts it again
when it dies.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

LIMIT = 1.4  # seconds of computing for one pair
_PATIENCE = 1.8  # seconds a caller waits, queueing included
_START = 30.0  # seconds for the process to come up
# A stand-in for the package: the process needs only this sub-package, not what ttslib/__init__ imports
# (torch, vLLM).
_BOOT = (
    "import sys, types; p = types.ModuleType('ttslib'); p.__path__ = [sys.argv[1]]; sys.modules['ttslib'] = p; "  # noqa: E501
    "from ttslib.grading.worker import main; main()"
)


class _Service:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ready = threading.Event()
        self.waiting: dict[int, list] = {}
        self.count = 0
        root = str(Path(__file__).resolve().parent.parent)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, root],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # an interrupt meant for the notebook does not reach it
        )  # fmt: skip
        self.alive = True
        threading.Thread(target=self._listen, daemon=True, name="ttslib-grading").start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if "ready" in message:
                self.ready.set()
                continue
            with self.lock:
                slot = self.waiting.pop(message["id"], None)
            if slot is not None:
                slot[1] = message["verdict"]
                slot[0].set()
        with self.lock:
            self.alive = False
            slots, self.waiting = list(self.waiting.values()), {}
        self.ready.set()
        for slot in slots:
            slot[2] = True
            slot[0].set()

    def ask(self, gold: str, answer: str) -> tuple[bool | None, bool]:
        """(verdict, whether the process died under the question)."""
        slot = [threading.Event(), None, False]
        self.ready.wait(_START)
        with self.lock:
            if not self.alive:
                return None, True
            self.count += 1
            number = self.count
            self.waiting[number] = slot
            line = json.dumps({"id": number, "gold": gold, "answer": answer, "limit": LIMIT}) + "\n"
            try:
                assert self.process.stdin is not None
                self.process.stdin.write(line.encode())
                self.process.stdin.flush()
            except OSError:
                self.waiting.pop(number, None)
                self.alive = False
                return None, True
        if not slot[0].wait(_PATIENCE):
            with self.lock:
                self.waiting.pop(number, None)
            if not hasattr(os, "fork"):
                self.stop()  # without fork the process itself is the one that computes
            return None, False
        return slot[1], slot[2]

    def stop(self) -> None:
        self.alive = False
        with contextlib.suppress(OSError):
            self.process.kill()


_service: _Service | None = None
_starting = threading.Lock()


def start() -> _Service:
    """The running grading process (started now if there is none); does not wait until it is ready."""
    global _service
    with _starting:
        if _service is None or not _service.alive:
            _service = _Service()
        return _service


def ask(gold: str, answer: str) -> bool | None:
    """The symbolic verdict on a pair; None where the time ran out or the process could not be kept alive."""
    for attempt in range(2):
        try:
            verdict, died = start().ask(gold, answer)
        except OSError:
            return None
        if not died:
            return verdict
        time.sleep(0.05 * (attempt + 1))
    return None


def _forget() -> None:
    """In a forked copy of this process: the pipes belong to the parent, so start afresh."""
    global _service, _starting
    _service, _starting = None, threading.Lock()


def _close() -> None:
    if _service is not None:
        _service.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(_close)
