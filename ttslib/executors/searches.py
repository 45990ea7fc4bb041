"""Searches of many cells side by side on loaded models, each under a claim, each stored as soon as it is done."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from ttslib.cells import Cell
from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.provenance import hardware, versions
from ttslib.records import Record, Store, StoreError
from ttslib.search import Tree
from ttslib.usage import Metered, Usage

CANDIDATES = 1024
"""Of all searches under way, N summed: enough for an engine's largest batch, and few enough that a PRM on a CPU need
not forget the prefixes of paths that are still searched. A search with a larger N runs alone."""


class Searches:
    """Runs cells on one policy and one PRM, either of which may be None where no cell asks for it."""

    def __init__(
        self, store: Store, policy: Policy | None, prm: PRM | None, *, retry_after: Mapping[str, int] | None = None,
        finished: Callable[[Record], None] = lambda record: None, concurrency: int = 256,
    ):  # fmt: skip
        self.store, self.policy, self.prm, self.retry_after = store, policy, prm, retry_after or {}
        self.finished, self.concurrency = finished, concurrency
        self._candidates, self._room = 0, asyncio.Condition()

    async def run(self, cells: Sequence[Cell]) -> None:
        """Once through the cells, at most `concurrency` at a time and `CANDIDATES` in all; those that cannot be
        computed now are passed over."""
        queue = iter(cells)
        workers = [asyncio.ensure_future(self._work(queue)) for _ in range(min(self.concurrency, len(cells)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, queue: Iterator[Cell]) -> None:
        for cell in queue:
            async with self._taking(cell.shape.N):
                if cell.pool is None or await self._settle(cell.pool):
                    await self._settle(cell)

    @asynccontextmanager
    async def _taking(self, candidates: int) -> AsyncIterator[None]:
        async with self._room:
            await self._room.wait_for(lambda: not self._candidates or self._candidates + candidates <= CANDIDATES)
            self._candidates += candidates
        try:
            yield
        finally:
            self._candidates -= candidates
            async with self._room:
                self._room.notify_all()

    async def _settle(self, cell: Cell) -> bool:
        """Whether the cell has a record now; False if another process is at it, or there is nobody here to sample
        it."""
        asks = cell.pool is None and cell.method.needs_policy
        if asks and (self.policy is None or self.policy.closed):
            return cell.key in self.store.status([cell.key])
        claim = self.store.claim(cell.key, retry_after=self.retry_after.get(cell.key, 0))
        if claim == "mine":
            await self._compute(cell)
        return claim != "busy"

    async def _compute(self, cell: Cell) -> None:
        done = False
        try:
            record = await self._search(cell, cell.pool and self.store.get(cell.pool.key))
            try:
                self.store.put(record)
            except StoreError:
                raise
            except (ValueError, TypeError) as reason:  # something in it that is no JSON, a NaN for example
                record = replace(record, trajectories=[], tree=None, error=failure(reason))
                self.store.put(record)
            done = True
            self.finished(record)
        finally:
            if not done:  # cancelled, or the disk is full: whoever runs next may have it
                with suppress(StoreError):
                    self.store.release([cell.key])

    async def _search(self, cell: Cell, pool: Record | None) -> Record:
        """The cell's record. With a `pool`, of its samples scored; of a failed pool, a failure for the same reason."""
        policy_usage, prm_usage = Usage(**pool.policy_usage) if pool else Usage(), Usage()
        tree = pool.search_tree() if pool else Tree()
        started, clock = time.time(), time.perf_counter()
        prm = None if cell.content["prm"] is None else Metered(self.prm, prm_usage)
        error, answers = pool and pool.error, []
        try:
            if pool is None:
                policy = None if self.policy is None else Metered(self.policy, policy_usage)
                found = await cell.method.search(cell.problem, policy, prm, cell.config, tree)
            else:
                found = [] if pool.failed else await cell.method.score(cell.problem, prm, pool.paths(), tree)
            answers = [dict(vars(trajectory)) for trajectory in found]
        except asyncio.CancelledError as reason:
            if asyncio.current_task().cancelling():
                raise
            error = failure(reason)  # the search was not cancelled: something in it was
        except Exception as reason:
            error = failure(reason)
        return Record(
            key=cell.key,
            cell=dict(cell.content),
            problem=asdict(cell.problem),
            **asdict(cell.shape),
            trajectories=answers,
            tree=tree.to_json(),
            policy_usage=policy_usage.plain(),
            prm_usage=prm_usage.plain(),
            started=round(started, 3),
            seconds=round(time.perf_counter() - clock, 3),
            versions=versions(),
            engines=self._engines(pool, prm is not None),
            error=error,
            attempts=self.retry_after.get(cell.key, 0) + 1,
            pool=pool and {"key": pool.key, "started": pool.started, "seconds": pool.seconds},
        )

    def _engines(self, pool: Record | None, scored: bool) -> dict[str, str]:
        """What ran the models: `backend` of the policy (or of what drew the samples) and of the PRM, and on what."""
        sampled = pool.engines if pool else {} if self.policy is None else {"policy": self.policy.backend}
        return sampled | ({"prm": self.prm.backend} if scored else {}) | {"hardware": hardware()}


def failure(error: BaseException) -> dict[str, str]:
    """An exception as a record keeps it."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return {"type": type(error).__name__, "message": str(error), "where": where}
