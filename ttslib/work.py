"""What is still to be done: the cells that a store lacks, and the jobs that compute them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ttslib.cells import Cell
from ttslib.cost import cost_of
from ttslib.executors.base import Job
from ttslib.records import FAILED, Store
from ttslib.runs import ModelSpec, Run
from ttslib.search import Lengths


class Work:
    """The cells of some runs, and which of them have no record.

    With `retry_failed` failed cells count as missing until they have been tried once more; with `samples` False the
    samples that some cells score cannot be drawn again.

    Attributes:
        retry_after: of failed cells that are run again, how often they were tried before.
    """

    def __init__(self, store: Store, cells: Iterable[Cell], *, retry_failed: bool = False, samples: bool = True):
        self.store = store
        self.cells = {cell.key: cell for cell in cells}
        self.pools = {cell.pool.key: cell.pool for cell in self.cells.values() if cell.pool}
        known = store.status([*self.cells, *self.pools])
        last = set() if samples else self.pools.keys() - self.cells.keys()
        self.retry_after = {
            key: tried for key, (status, tried) in known.items()
            if retry_failed and status == FAILED and key not in last
        }  # fmt: skip

    def missing(self) -> list[Cell]:
        """The cells without a record, in their order."""
        return list(self._lacking(self.cells))

    def unsampled(self) -> list[Cell]:
        """Of the samples that missing cells score, those that are not drawn yet."""
        return list(self._lacking({cell.pool.key: cell.pool for cell in self.missing() if cell.pool}))

    def free(self) -> list[Cell]:
        """Of both, what no other process is computing, and whose samples none is drawing."""
        unsampled = self.unsampled()
        cells = [*self.missing(), *unsampled]
        busy = self.store.busy([cell.key for cell in cells])
        return [cell for cell in cells if cell.key not in busy and not (cell.pool and cell.pool.key in busy)]

    def _lacking(self, cells: Mapping[str, Cell]) -> Iterator[Cell]:
        known = self.store.status(cells)
        for key, cell in cells.items():
            status, tried = known.get(key, ("", 0))
            if not status or (status == FAILED and tried <= self.retry_after.get(key, 0)):
                yield cell


def jobs(runs: Mapping[Run, Sequence[Cell]], free: Iterable[Cell]) -> list[Job]:
    """The `free` cells of the runs as jobs, policy by policy.

    First what a policy samples alone, then with each PRM its searches, then each PRM alone scores samples: so no more
    than one policy and one PRM are in memory at once, and a policy is in memory in jobs that follow each other.
    """
    left = {cell.key for cell in free}
    found: dict[ModelSpec | None, tuple[list, dict, dict]] = {}  # of a policy: samples; searches and scores, by PRM
    for run, cells in runs.items():
        samples, searches, scores = found.setdefault(run.policy, ([], {}, {}))
        for cell in (each for pair in ((cell.pool, cell) for cell in cells) for each in pair):
            if cell is None or cell.key not in left:
                continue
            left.discard(cell.key)
            if cell.content["prm"] is None:
                samples.append(cell)
            else:
                kind = scores if cell.pool or not cell.method.needs_policy else searches
                kind.setdefault(run.prm, []).append(cell)
    made = []
    for policy, (samples, searches, scores) in found.items():
        made += [Job(policy, None, tuple(samples))] if samples else []
        for prm, cells in searches.items():  # the PRM is there: it scores too
            made.append(Job(policy, prm, (*cells, *scores.pop(prm, ()))))
        made += [Job(None, prm, tuple(cells)) for prm, cells in scores.items()]
    return made


def weight(cell: Cell) -> float:
    """How much there is to do for a cell in comparison with others: tokens of policy and PRM, with a solution as 1."""
    cost = cost_of(cell, Lengths(1.0, prompt=0.5))
    return cost.policy + cost.prm
