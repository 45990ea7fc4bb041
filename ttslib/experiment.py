"""Run one method on many problems: only what is missing is computed, and everything computed is kept."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import operator
import os
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ttslib import loop
from ttslib.policies.base import Draw, Policy
from ttslib.prms.base import PRM
from ttslib.problems import Problem
from ttslib.profiles import Profile, get_profile
from ttslib.provenance import versions
from ttslib.records import FAILED, Record, Store, StoreError, canonical_json, cell_key
from ttslib.results import Results
from ttslib.search import METHODS, RULES, Tree
from ttslib.search.best_of_n import score_samples
from ttslib.usage import Metered, Usage

__all__ = ["Cell", "Profile", "Results", "get_profile", "plan", "solve"]

# Methods that sample whole solutions: the settings of a tree search do not change what they give.
SAMPLING = ("cot", "best_of_n")
TREE_SETTINGS = ("max_depth", "max_step_tokens")
NOT_LIMITS = ("problem", "policy", "prm", "n", "width", "seed", "temperature", "top_p", "tree")


@dataclass(frozen=True)
class Cell:
    """One search to run: `content` is everything that decides its result, `key` the hash of that.

    `pool`: of Best-of-N with a PRM, the same cell without one; its record holds the samples, drawn once for all PRMs.
    """

    problem: Problem
    content: Mapping[str, Any]
    key: str
    N: int
    M: int
    kept: int
    subtrees: int
    pool: Cell | None = None


def solve(
    problems: Sequence[Problem],
    policy: Policy,
    prm: PRM | None,
    *,
    method: str,
    n: int = 1,
    width: int = 4,
    seed: int = 0,
    temperature: float | None = None,
    top_p: float | None = None,
    store: str | os.PathLike | Store = "results",
    concurrency: int = 256,
    retry_failed: bool = False,
    progress: bool | None = None,
    **limits: int,
) -> Results:
    """Search every problem with `method` ("cot", "best_of_n", "beam_search", "dvts") and return the results.

    A plain blocking call, in a script or a notebook. Cells that `store` (a directory) already holds are read,
    the others run side by side, at most `concurrency` problems at once, and each is written as soon as it is
    done: kill the process at any time and call again. Other processes may work on the same store; no cell is
    computed twice, and cells that another live process is computing are waited for.

    Best-of-N samples are drawn once: they are stored as a record without a PRM, whatever `prm` is, and that of the
    PRM is made by scoring them. Its policy tokens are those of the samples; `records.policy_tokens` sums over records
    without counting any sample twice. So policy and PRM need not be in memory together: sample with `prm=None`, call
    `policy.close()`, load the PRM, and call again with both.

    A cell whose method, policy or PRM raises becomes a failure record with the reason, and the run goes on;
    with `retry_failed` such cells are run again, but not the samples of a closed policy. `limits` are the method's own:
    max_depth, max_step_tokens, max_tokens. `temperature`, `top_p` and the two limits of tokens are by default the
    policy's own (`policy.sampling`: 0.7, 1, 2048 and 8192, or what the paper has for that model); "cot" is always
    sampled as the policy has it, for most models greedily. `prm` may be None for methods that need none. `progress`: a
    bar on stderr; default yes, unless the environment has TTSLIB_QUIET=1. Calls of several threads are served one after
    the other. Raises ValueError, before anything runs, for arguments that no search can run with, StoreError if the
    store cannot be used, or is read-only and lacks a cell.
    """
    concurrency = whole("concurrency", concurrency)
    cells = plan(
        problems, policy, prm, method=method, n=n, width=width, seed=seed, temperature=temperature, top_p=top_p,
        **limits,
    )
    records = store if isinstance(store, Store) else Store(store)
    try:
        known = records.status(each.key for cell in cells for each in (cell, cell.pool) if each)
        lasting = {cell.pool.key for cell in cells if cell.pool and getattr(policy, "closed", False)}
        retry_after = {
            key: tried for key, (status, tried) in known.items()
            if status == FAILED and retry_failed and key not in lasting
        }  # fmt: skip
        missing = {cell.key: cell for cell in cells if cell.key not in known or cell.key in retry_after}
        sampled = known.keys() - retry_after.keys()
        unsampled = sum((cell.pool or cell).key not in sampled for cell in missing.values())
        if unsampled and getattr(policy, "closed", False):
            raise ValueError(f"{policy.name} is closed, and {unsampled} of {len(cells)} cells have no samples yet.")
        if missing and getattr(prm, "closed", False):
            raise ValueError(f"{prm.name} is closed, and {len(missing)} of {len(cells)} cells are not scored yet.")
        if missing:
            quiet = not progress if progress is not None else os.environ.get("TTSLIB_QUIET") == "1"
            title = f"{method} N={cells[0].N} {policy.name}"
            with tqdm(total=len(cells), initial=len(cells) - len(missing), desc=title, disable=quiet) as bar:
                runner = _Runner(records, policy, prm, retry_after, bar)
                loop.run(runner.run(list(missing.values()), concurrency))
        return Results([_read(records, cell) for cell in cells])
    finally:
        if records is not store:
            records.close()


def plan(
    problems: Sequence[Problem],
    policy: Policy,
    prm: PRM | None,
    *,
    method: str,
    n: int = 1,
    width: int = 4,
    seed: int = 0,
    temperature: float | None = None,
    top_p: float | None = None,
    **limits: int,
) -> list[Cell]:
    """The cells that `solve` runs with the same arguments, in problem order; nothing is computed.

    Raises ValueError, in one sentence, for settings that the method cannot run with, those included that it does not
    use.
    """
    if method not in METHODS:
        raise ValueError(f"Unknown method {method!r}: give one of {', '.join(METHODS)}.")
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(METHODS[method]).parameters.items()
        if name not in NOT_LIMITS
    }
    if unknown := sorted(set(limits) - set(known)):
        raise ValueError(f"{method} has no setting {unknown[0]!r}: its limits are {', '.join(known)}.")
    own = getattr(policy, "sampling", {})
    known |= {name: own[name] for name in known if name in own}
    temperature = own.get("temperature", Draw.temperature) if temperature is None else temperature
    top_p = own.get("top_p", Draw.top_p) if top_p is None else top_p
    if not _number(temperature) or not 0 <= temperature <= 2:
        raise ValueError(f"The temperature is a number from 0 to 2, not {temperature!r}.")
    if not _number(top_p) or not 0 < top_p <= 1:
        raise ValueError(f"top_p is a number above 0 and at most 1, not {top_p!r}.")
    if prm is None and method not in SAMPLING:
        raise ValueError(f"{method} ranks steps by their PRM score; pass a PRM.")
    problems, seed = unique_problems(problems), whole("seed", seed, at_least=None)
    N, M, kept, subtrees = shape(method, n, width)
    if N > 1 and temperature == 0:
        raise ValueError(
            f"{method} with n={N} at temperature 0 would draw {N} times the same: give a temperature above 0, or n=1."
        )
    chosen = known | {name: whole(name, value) for name, value in limits.items()}
    if method == "cot":
        temperature, top_p = own.get("cot_temperature", 0.0), own.get("top_p", Draw.top_p)
    shared = {
        "rules": RULES,
        "method": method,
        "N": N,
        "M": M,
        "kept": kept,
        "subtrees": subtrees,
        "seed": seed,
        "temperature": float(temperature),
        "limits": {k: v for k, v in chosen.items() if method not in SAMPLING or k not in TREE_SETTINGS},
        "policy": model_identity(policy),
        "prm": None if prm is None else model_identity(prm),
    }
    if shared["temperature"] and top_p != 1:  # left out where it changes nothing
        shared["top_p"] = float(top_p)

    def cell(problem: Problem, content: Mapping[str, Any]) -> Cell:
        sampled_first = method == "best_of_n" and content["prm"] is not None
        pool = cell(problem, content | {"prm": None}) if sampled_first else None
        return Cell(problem, content, cell_key(content), N, M, kept, subtrees, pool)

    return [cell(problem, shared | {"problem": _problem_identity(problem)}) for problem in problems]


def shape(method: str, n: int, width: int) -> tuple[int, int, int, int]:
    """(N, M, kept, subtrees) of a method: a sample of a whole solution is a subtree of width 1 that keeps 1.

    Raises ValueError if n or width is no whole number above 0, or n no multiple of width where the method needs that.
    """
    n, width = whole("n", n), whole("width", width)
    if method == "cot":
        return 1, 1, 1, 1
    if method == "best_of_n":
        return n, 1, 1, n
    if n % width:
        raise ValueError(
            f"{method} keeps n / width beams, so n={n} must be a multiple of width={width}: change one."
        )
    return (n, width, 1, n // width) if method == "dvts" else (n, width, n // width, 1)


def whole(name: str, value: Any, at_least: int | None = 1) -> int:
    """`value`, a whole number of Python or numpy, as an int; ValueError for anything else, 4.0 and True included."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or (at_least is not None and number < at_least):
        least = "" if at_least is None else f", at least {at_least}"
        raise ValueError(f"{name} is a whole number{least}, not {value!r}.")
    return number


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def unique_problems(problems: Iterable[Problem]) -> list[Problem]:
    """The problems as a list; ValueError for what is none, and for two with one id."""
    problems, ids = list(problems), set()
    for problem in problems:
        if not isinstance(problem, Problem):
            kind = type(problem).__name__
            raise ValueError(f"problems holds a {kind}: pass what tts.load_problems gives, or a list of tts.Problem.")
        if problem.id in ids:
            raise ValueError(f"Two problems have the same id {problem.id!r}: ids name the records, give each its own.")
        ids.add(problem.id)
    return problems


def model_identity(model: Policy | PRM) -> dict[str, str]:
    """What names a model in a cell: name, revision, backend and, where it has them, `prompt`, `format` and
    `settings`.

    These three count by their content, so a changed prompt is a new cell.
    """
    identity = {
        "name": model.name,
        "revision": model.revision,
        "backend": getattr(model, "backend", None) or type(model).__name__,
    }
    for part in ("prompt", "format", "settings"):
        if value := getattr(model, part, None):
            identity[part] = hashlib.sha256(_content(value).encode()).hexdigest()[:16]
    return identity


def _content(value: Any) -> str:
    """The same text in every process; an object without visible content counts by its type and name."""
    if is_dataclass(value):
        value = asdict(value)
    try:
        return canonical_json(value)
    except TypeError:
        return f"{type(value).__name__} {getattr(value, 'name', '')}"


def _problem_identity(problem: Problem) -> dict[str, str]:
    text = f"{problem.question}\n{problem.answer}"
    return {"id": problem.id, "content": hashlib.sha256(text.encode()).hexdigest()[:16]}


def _read(store: Store, cell: Cell) -> Record:
    record = store.get(cell.key)
    if record is None:
        raise StoreError(
            f"The record of {cell.problem.id} was removed from {store.path} while it was read: run again."
        )
    return record


class _Runner:
    """Runs cells side by side, each under a claim."""

    def __init__(
        self, store: Store, policy: Policy, prm: PRM | None, retry_after: Mapping[str, int], bar: tqdm
    ):
        self.store, self.policy, self.prm, self.retry_after, self.bar = store, policy, prm, retry_after, bar
        self.failed: set[str] = set()

    async def run(self, cells: Sequence[Cell], concurrency: int) -> None:
        """Until every cell has a record, its own or another process's."""
        wait = 0.05
        while cells:
            queue, busy = iter(cells), []
            workers = [
                asyncio.ensure_future(self._work(queue, busy)) for _ in range(min(concurrency, len(cells)))
            ]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
            if busy:
                wait = 0.05 if len(busy) < len(cells) else min(2 * wait, 1.0)
                await asyncio.sleep(wait)
            cells = busy

    async def _work(self, queue: Iterator[Cell], busy: list[Cell]) -> None:
        for cell in queue:
            if (cell.pool is None or await self._settle(cell.pool)) and await self._settle(cell):
                self.bar.update()
            else:
                busy.append(cell)

    async def _settle(self, cell: Cell) -> bool:
        """Whether the cell has a record now; False if another process is at it."""
        claim = self.store.claim(cell.key, retry_after=self.retry_after.get(cell.key, 0))
        if claim == "mine":
            await self._compute(cell)
        return claim != "busy"

    async def _compute(self, cell: Cell) -> None:
        finished = False
        try:
            record = await self._search(cell, cell.pool and _read(self.store, cell.pool))
            try:
                self.store.put(record)
            except StoreError:
                raise
            except (ValueError, TypeError) as reason:  # something in it that is no JSON, a NaN for example
                record = replace(record, trajectories=[], tree=None, error=_failure(reason))
                self.store.put(record)
            finished = True
            if record.failed:
                self.failed.add(cell.problem.id)  # once, if its pool has failed
                self.bar.set_postfix(failed=len(self.failed))
        finally:
            if not finished:  # cancelled, or the disk is full: whoever runs next may have it
                with suppress(StoreError):
                    self.store.release([cell.key])

    async def _search(self, cell: Cell, pool: Record | None) -> Record:
        """The cell's record. With a `pool`, of its samples scored; of a failed pool, a failure for the same reason."""
        policy_usage, prm_usage = Usage(**pool.policy_usage) if pool else Usage(), Usage()
        tree = pool.search_tree() if pool else Tree()
        content, started, clock = cell.content, time.time(), time.perf_counter()
        common = {
            "key": cell.key,
            "cell": dict(content),
            "problem": asdict(cell.problem),
            **{name: content[name] for name in ("N", "M", "kept", "subtrees")},
            "versions": versions(),
            "attempts": self.retry_after.get(cell.key, 0) + 1,
            "pool": pool and {"key": pool.key, "started": pool.started, "seconds": pool.seconds},
        }
        prm = None if content["prm"] is None else Metered(self.prm, prm_usage)
        error, answers = pool and pool.error, []
        try:
            if pool is None:
                found = await METHODS[content["method"]](
                    cell.problem,
                    Metered(self.policy, policy_usage),
                    prm,
                    n=cell.N,
                    width=cell.M,
                    seed=content["seed"],
                    temperature=content["temperature"],
                    tree=tree,
                    **({"top_p": content["top_p"]} if "top_p" in content else {}),
                    **content["limits"],
                )
            else:
                found = [] if pool.failed else await score_samples(cell.problem, prm, pool.paths(), tree)
            answers = [asdict(trajectory) for trajectory in found]
        except asyncio.CancelledError as reason:
            if asyncio.current_task().cancelling():
                raise
            error = _failure(reason)  # the search was not cancelled: something in it was
        except Exception as reason:
            error = _failure(reason)
        return Record(
            **common,
            trajectories=answers,
            tree=tree.to_json(),
            policy_usage=policy_usage.plain(),
            prm_usage=prm_usage.plain(),
            started=round(started, 3),
            seconds=round(time.perf_counter() - clock, 3),
            error=error,
        )


def _failure(error: BaseException) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return {"type": type(error).__name__, "message": str(error), "where": where}
