"""Runs: only what is missing is computed, and everything computed is kept."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ttslib import grading, loop
from ttslib.archive import opened
from ttslib.cells import Cell, cells_of, make_cells
from ttslib.dry_run import missing
from ttslib.executors.base import Executor
from ttslib.executors.local import LocalExecutor
from ttslib.executors.searches import Searches
from ttslib.graded import light
from ttslib.paper import Experiment
from ttslib.policies.base import Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.profiles import Profile, get_profile
from ttslib.provenance import provenance
from ttslib.records import FAILED, Record, Store, StoreError
from ttslib.results import LABELS, Results
from ttslib.runs import Run
from ttslib.search import SearchConfig, configured, get_method
from ttslib.search.config import whole
from ttslib.work import Work, jobs, weight

if TYPE_CHECKING:
    import pandas

    from ttslib.archive import Archive

VERDICTS = "verdicts.sqlite"
"""Beside a store's records: what grading their answers came to (see `grading.remember`)."""
TOGETHER = 16  # runs whose records are in memory at once
TALLY = "ttslib: {} cells computed, {} read\n"
"""What `ttslib.execute` is told on stderr, where TTSLIB_TALLY=1, of the cells of a notebook so far."""
HERE = LocalExecutor()


def solve(
    problems: Iterable[Problem],
    policy: Policy | None,
    prm: PRM | None = None,
    *,
    method: str,
    store: str | os.PathLike | Store = "results",
    concurrency: int = 256,
    retry_failed: bool = False,
    progress: bool | None = None,
    **settings: Any,
) -> Results:
    """Search every problem with `method` ("cot", "best_of_n", "beam_search", "dvts") and return the results.

    The small interface, for models that are loaded; `run` takes a list of runs and loads models itself. A plain
    blocking call, in a script or a notebook. Cells that `store` (a directory) already holds are read, the others run
    side by side, at most `concurrency` problems at once, and each is written as soon as it is done: kill the process at
    any time and call again. Other processes may work on the same store; no cell is computed twice, and cells that
    another live process is computing are waited for.

    Best-of-N samples are drawn once: they are stored as a record without a PRM, whatever `prm` is, and that of the
    PRM is made by scoring them. Its policy tokens are those of the samples; `records.policy_tokens` sums over records
    without counting any sample twice. A closed policy's samples can still be scored.

    A cell whose method, policy or PRM raises becomes a failure record with the reason, and the run goes on;
    with `retry_failed` such cells are run again, but not the samples of a closed policy. `settings` are fields of
    `SearchConfig` (n, width, seed, temperature, ...); those not given are the policy's own (`policy.sampling`), or the
    defaults. `prm` may be None for methods that need none. `progress`: a bar on stderr; default yes, unless the
    environment has TTSLIB_QUIET=1. Calls of several threads are served one after the other. Raises ValueError, before
    anything runs, for arguments that no search can run with, StoreError if the store cannot be used, or is read-only
    and lacks a cell.
    """
    concurrency = whole("concurrency", concurrency)
    own = {} if policy is None else policy.sampling
    config = configured(SearchConfig(), **{**own, **settings})
    cells = make_cells(
        problems, None if policy is None else policy.identity, None if prm is None else prm.identity,
        get_method(method), config,
    )  # fmt: skip
    with _opened(store) as records:
        work = Work(records, cells, retry_failed=retry_failed, samples=policy is not None and not policy.closed)
        _check_closed(work, policy, prm)
        with _progress(work, progress) as finished:
            searches = Searches(
                records, policy, prm, retry_after=work.retry_after, finished=finished, concurrency=concurrency
            )
            for free in _passes(work):
                loop.run(searches.run(free))
        return Results([_read(records, cell) for cell in cells])


def run(
    runs: Experiment | Run | Iterable[Run],
    *,
    store: str | os.PathLike | Store = "results",
    profile: str | Profile = "nano",
    dry_run: bool = False,
    retry_failed: bool = False,
    texts: bool = False,
    partial: bool = False,
    progress: bool | None = None,
    executor: Executor | None = None,
) -> Done | pandas.DataFrame:
    """Compute what `store` lacks of a list of runs, and return all of it.

    Policy by policy: each model is loaded only if a cell of it is missing, and freed before the next, so that at most
    one policy and one PRM are in memory; the last ones stay for the next call (`free` frees them). Best-of-N is sampled
    once and scored by every PRM. Kill the process at any time and call again; several processes may work on one store.
    One progress bar goes over everything. An experiment of the paper is cast by `profile`. `executor` says where cells
    are computed, by default in this process.

    An archive (see `ttslib.archive`) in place of a store is only read. It has the texts of runs that were run with
    `texts`. Raises StoreError for runs that it does not hold whole, or whose texts it lacks if `texts` are asked for;
    with `partial` such runs are left out, `Done.missing` says so, and StoreError is raised only if none is left.

    With `dry_run` nothing is loaded or computed: see `ttslib.dry_run.missing`. Raises ValueError, before anything runs,
    for runs that cannot be run, and StoreError if the store cannot be used.
    """
    runs = _listed(runs, profile)
    if dry_run:
        return missing(runs, store.path if isinstance(store, Store) else store, retry_failed=retry_failed)
    cells = {each: cells_of(each) for each in runs}
    with _opened(store) as records:
        if not isinstance(records, Store):  # an archive
            known = records.shown() if texts else {*records.addresses()}
            there = {each: some for each, some in cells.items() if all(cell.key in known for cell in some)}
            lost = [each for each in cells if each not in there]
            done = Done(there, records.path, lost)
            _tally(cell.key for some in there.values() for cell in some)
            if lost and not (partial and there):
                what = "with texts" if texts else "whole"
                raise StoreError(f"{done.missing} ({what}). Compute them in a store: see `make records`.")
            return done
        work = Work(records, [cell for each in cells.values() for cell in each], retry_failed=retry_failed)
        with _progress(work, progress) as finished:
            for free in _passes(work):
                todo = jobs(cells, free)
                (executor or HERE).run(todo, records, retry_after=work.retry_after, finished=finished)
        if texts and not records.read_only:
            records.show(cell.key for each in cells.values() for cell in each)
    return Done(cells, records.path)


def free() -> None:
    """Free the models that `run` has left in memory for its next call."""
    HERE.close()


class Done(Mapping[Run, Results]):
    """What `run` gives: the results of each run, read from the store or archive when they are asked for."""

    def __init__(self, cells: Mapping[Run, Sequence[Cell]], path: Path, lost: Sequence[Run] = ()):
        self._cells, self._path, self._lost = dict(cells), path, list(lost)
        self._light: dict[Run, Results] = {}

    def __getitem__(self, run: Run) -> Results:
        if run not in self._cells:
            raise KeyError(f"{run.label} is not here: " + (self.missing if self._lost else "it was not asked for"))
        with _opened(self._path) as records:
            found = [_read(records, cell) for cell in self._cells[run]]
        return self._results(run, found)

    def _results(self, run: Run, found: Sequence[Record]) -> Results:
        return Results(found, labels={name: getattr(run, name) for name in LABELS})

    def _without_texts(self) -> Iterator[Results]:
        """The results of each run, kept in memory for the next time, without the texts, which take most of it."""
        for run in self._cells:
            if run not in self._light:
                self._light[run] = self._results(run, [light(record) for record in self[run]])
            yield self._light[run]

    def __iter__(self) -> Iterator[Run]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def frame(self, votes: Sequence[str] = ("majority_vote",), budgets: Sequence[int] | None = None,
              *, parity: bool = False) -> pandas.DataFrame:  # fmt: skip
        """`Results.frame` of all runs, one below the other; a rule that a run cannot have is left out for that run."""
        from ttslib.frames import frame_of

        return self._frame(lambda runs: frame_of(runs, votes, budgets, parity=parity))

    def samples(self) -> pandas.DataFrame:
        """`Results.samples` of all runs, one below the other."""
        from ttslib.frames import samples_of

        return self._frame(samples_of)

    def _frame(self, of: Callable[[Sequence[Results]], pandas.DataFrame]) -> pandas.DataFrame:
        import pandas

        runs = self._without_texts()  # a few at a time: rows take room
        parts = []
        while some := list(islice(runs, TOGETHER)):
            parts.append(of(some))
        return pandas.concat(parts, ignore_index=True) if parts else of([])

    def provenance(self, profile: str, **more: Any) -> dict:
        """Where the numbers come from, as of `ttslib.provenance.provenance`, and how many runs an archive lacks."""
        lost = {"missing": len(self._lost)} if self._lost else {}
        return provenance(profile, self._without_texts(), **lost, **more)

    @property
    def failed(self) -> str:
        """How many cells failed, and why the first did; and what is `missing` from an archive: in a line."""
        cells = {cell.key: cell for each in self._cells.values() for cell in each}
        with _opened(self._path) as records:
            status = records.status(cells)
            lost = [cell for key, cell in cells.items() if status.get(key, ("",))[0] == FAILED]
            first = _read(records, lost[0]) if lost else None
        said = f"{len(lost)} of {len(cells)} cells failed"
        said = f"{said}, the first: {first.label}: {first.reason}" if first else said
        return f"{said}; {self.missing}" if self._lost else said

    @property
    def missing(self) -> str:
        """How many runs were left out because an archive does not hold them whole, and the first, in a line."""
        total, lost = len(self._cells) + len(self._lost), self._lost
        if not lost:
            return f"0 of {total} runs are missing"
        return f"{len(lost)} of {total} runs are not in the archive {self._path}, the first: {lost[0].label}"


def _listed(runs: Experiment | Run | Iterable[Run], profile: str | Profile) -> list[Run]:
    """Each run once; ValueError for what is none."""
    if isinstance(runs, Experiment):
        runs = runs.runs(get_profile(profile) if isinstance(profile, str) else profile)
    found = list(dict.fromkeys([runs] if isinstance(runs, Run) else runs))
    for each in found:
        if not isinstance(each, Run):
            raise ValueError(f"run takes an experiment of tts.paper or tts.Run objects, not {each!r}.")
    return found


@contextmanager
def _opened(store: str | os.PathLike | Store | Archive) -> Iterator[Store | Archive]:
    """The store, or the archive, closed again unless it was open before."""
    with opened(store) as records:
        if isinstance(records, Store):
            grading.remember(records.path / VERDICTS)
        yield records


def _check_closed(work: Work, policy: Policy | None, prm: PRM | None) -> None:
    """ValueError if something is missing that only a closed model could give."""
    missing, total = work.missing(), len(work.cells)
    unsampled = work.unsampled() + [cell for cell in missing if cell.pool is None and cell.method.needs_policy]
    if unsampled and policy is not None and policy.closed:
        raise ValueError(f"{policy.name} is closed, and {len(unsampled)} of {total} cells have no samples yet.")
    if missing and prm is not None and prm.closed:
        raise ValueError(f"{prm.name} is closed, and {len(missing)} of {total} cells are not scored yet.")


def _passes(work: Work) -> Iterator[list[Cell]]:
    """What can be computed now, again and again until nothing is missing; waits where other processes are at it."""
    wait, before = 0.05, math.inf
    while left := len(work.missing()):
        if free := work.free():
            yield free
        wait = 0.05 if left < before else min(2 * wait, 1.0)
        before = left
        if work.missing():
            time.sleep(wait)


@contextmanager
def _progress(work: Work, shown: bool | None) -> Iterator[Callable[[Record], None]]:
    """A bar over everything that is missing; what it gives is called with each new record."""
    missing = work.missing()
    weights = {cell.key: weight(cell) for cell in (*missing, *work.unsampled())}
    quiet = not shown if shown is not None else os.environ.get("TTSLIB_QUIET") == "1"
    total, done, failed = len(work.cells), len(work.cells) - len(missing), set()
    shape = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    with tqdm(total=sum(weights.values()), disable=quiet or not weights, bar_format=shape) as bar:

        def finished(record: Record) -> None:
            nonlocal done
            _computed.add(record.key)
            done += record.key in work.cells
            if record.failed:
                failed.add(record.problem["id"])  # once, if its pool has failed
            bar.set_description_str(f"{record.cell['method']} N={record.N} {_models(record)}", refresh=False)
            bar.set_postfix_str(f"{done}/{total}" + (f", failed={len(failed)}" if failed else ""), refresh=False)
            bar.update(weights.get(record.key, 0))

        bar.set_postfix_str(f"{done}/{total}")
        yield finished
    _tally(work.cells)


_computed: set[str] = set()  # by this process, by address
_asked: set[str] = set()  # of this process


def _tally(keys: Iterable[str]) -> None:
    if os.environ.get("TTSLIB_TALLY") == "1":
        _asked.update(keys)
        sys.stderr.write(TALLY.format(f"{len(_computed):,}", f"{len(_asked - _computed):,}"))


def _models(record: Record) -> str:
    return " with ".join(Path(model["name"]).name for model in (record.cell["policy"], record.cell["prm"]) if model)


def _read(store: Store, cell: Cell) -> Record:
    record = store.get(cell.key)
    if record is None:
        raise StoreError(
            f"The record of {cell.problem.id} was removed from {store.path} while it was read: run again."
        )
    return record
