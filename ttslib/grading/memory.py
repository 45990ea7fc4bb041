"""What grading came to, in a file that outlives the process: an SQLite table of answers under hashes of questions.

A question's hash covers the code that answers it, so that a change in grading asks again. The file may be deleted at
any time, several processes may use it at once, and where it cannot be used grading goes on without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

Asked = TypeVar("Asked", bound=Hashable)

PACKAGES = ("sympy", "math-verify", "latex2sympy2_extended")
"""Packages whose versions decide verdicts."""
_FORMAT = 1
_BUSY = 5.0  # seconds to wait for another process that writes
_AT_ONCE = 500  # questions in one query
_UNUSABLE = (sqlite3.Error, OSError, ValueError, TypeError)  # the last two: answers that are no JSON


class _File:
    """Where answers are kept, until it turns out that it cannot be used."""

    def __init__(self, path: Path):
        self.path, self.usable, self._lock = path, True, threading.Lock()

    @property
    def writable(self) -> bool:
        return os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    @property
    def there(self) -> bool:
        return self.usable and self.path.exists()

    @contextmanager
    def opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        """A connection for one use: cheap beside the grading, and neither a fork nor a sleeping notebook holds it."""
        uri = f"{self.path.as_uri()}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY, isolation_level=None)) as db:
            yield db

    def leave(self, error: Exception) -> None:
        """Not use it again, and say so."""
        with self._lock:
            first, self.usable = self.usable, False
        if first:
            warnings.warn(
                f"Verdicts are not remembered, for {self.path} cannot be used ({error}): delete it if it is damaged.",
                stacklevel=4,
            )


_file: _File | None = None  # None: nothing outlives the process


def remember(path: str | os.PathLike | None) -> None:
    """From now on, look verdicts and groups of answers up in this file, and keep new ones there; None: stop that.

    The file is made when there is something to keep; its folder is not. One that is read-only is only read. A file that
    cannot be used is named in one warning, and left alone from then on.
    """
    global _file
    path = None if path is None else Path(path).absolute()
    if path is None or _file is None or _file.path != path:
        _file = path and _File(path)


def recall(what: str, asked: Iterable[Asked]) -> dict[Asked, Any]:
    """The answers that are remembered to these questions; `repr` of one says all that it asks.

    what: the kind of question, and what beside the grading decides it.
    """
    file = _file
    if file is None or not file.there:
        return {}
    keys = {_key(what, each): each for each in asked}
    found, left = {}, iter(keys)
    try:
        with file.opened("rw" if file.writable else "ro&immutable=1") as db:
            if db.execute("PRAGMA user_version").fetchone()[0] == _FORMAT:
                while some := list(islice(left, _AT_ONCE)):
                    marks = ",".join("?" * len(some))
                    rows = db.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some)
                    found |= {keys[key]: json.loads(answer) for key, answer in rows}
    except _UNUSABLE as error:
        file.leave(error)
    return found


def keep(what: str, found: Mapping[Asked, Any]) -> None:
    """Remember answers (as JSON) to questions; see `recall`."""
    file = _file
    if file is None or not found or not file.usable or not file.writable:
        return
    rows = [(_key(what, asked), json.dumps(answer, separators=(",", ":"))) for asked, answer in found.items()]
    try:
        with file.opened("rwc") as db, db:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                db.execute("CREATE TABLE answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID")
                db.execute(f"PRAGMA user_version = {_FORMAT}")
            db.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)
    except _UNUSABLE as error:
        file.leave(error)


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """A hash of what decides a verdict: the source of this package and the versions of `PACKAGES`."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    said = [(source.name, hashlib.sha256(source.read_bytes()).hexdigest()) for source in sources]
    for package in PACKAGES:
        try:
            said.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            said.append((package, ""))
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _key(what: str, asked: Hashable) -> bytes:
    return hashlib.sha256(f"{fingerprint()} {what} {asked!r}".encode()).digest()[:16]
