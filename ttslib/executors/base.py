"""What computes cells: one small interface, whatever machines there are behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ttslib.cells import Cell
from ttslib.records import Record, Store
from ttslib.runs import ModelSpec


@dataclass(frozen=True)
class Job:
    """Cells that take the same models in memory: a policy, a PRM, or both at once.

    A job without a policy scores samples that the store holds.
    """

    policy: ModelSpec | None
    prm: ModelSpec | None
    cells: tuple[Cell, ...]


class Executor:
    """Computes the cells of jobs. Subclass it for other machines; experiments and notebooks know nothing of it."""

    def run(
        self, jobs: Sequence[Job], store: Store, *, retry_after: Mapping[str, int], finished: Callable[[Record], None]
    ) -> None:
        """Puts the record of every cell into the store as soon as it is there, and calls `finished` with it.

        A cell that another process has claimed, or whose samples are not there yet, is passed over: whoever calls looks
        at the store again. `retry_after`: of failed cells that are to be run again, how often they were tried. When it
        returns, or raises, no claim is left.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Frees what it holds; it may be used again."""
