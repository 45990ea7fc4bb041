"""Archives: records without their texts, in a few Parquet files that are small enough to ship and are only read.

    python -m ttslib.archive write --store results --profile full --to archive/full

adds what a store holds to the archive. `tts.run(runs, store="archive/full")` reads it as from a store, at the same
addresses: what an archive holds is found only if policy, PRM, method, settings and problem are what they were.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ttslib.records import Store

if TYPE_CHECKING:
    from .reading import Archive
    from .writing import write

__all__ = ["CONTENTS", "Archive", "is_archive", "opened", "write"]
CONTENTS = "contents.parquet"


def is_archive(path: str | os.PathLike) -> bool:
    """Whether a folder is an archive."""
    return (Path(path) / CONTENTS).is_file()


@contextmanager
def opened(store: str | os.PathLike | Store | Archive) -> Iterator[Store | Archive]:
    """The archive or store in a folder, closed afterwards; what is open already stays so."""
    if not isinstance(store, (str, os.PathLike)):
        yield store
    elif is_archive(store):
        from .reading import read_once

        files = Path(store).glob("*.parquet")
        yield read_once(Path(store).absolute(), max(file.stat().st_mtime_ns for file in files))
    else:
        with Store(store) as records:
            yield records


def __getattr__(name: str):
    """What reads and writes Parquet files loads pyarrow when it is first used."""
    if name == "Archive":
        from .reading import Archive as found
    elif name == "write":
        from .writing import write as found
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
