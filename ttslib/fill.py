"""Computes what a store lacks of the paper's experiments, by several processes side by side.

    python -m ttslib.fill --profile nano                    # everything that the notebooks draw from
    python -m ttslib.fill fig4 table5 --profile full --workers 2

On a CPU one process leaves a core idle while the other engine works. Kill it at any time and run it again: what is
stored stays. Processes on other machines may fill the same store. What `archive/PROFILE` holds is not computed again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ttslib.archive import is_archive, opened
from ttslib.cells import cells_of
from ttslib.dry_run import missing
from ttslib.paper import EXPERIMENTS, experiment
from ttslib.profiles import Profile, get_profile
from ttslib.runner import run
from ttslib.runs import Run

RECAST = ("policy", "prm", "dataset", "cast")


def fill(
    names: Iterable[str], profile: str, store: str | os.PathLike, *, archive: str | os.PathLike = "",
    workers: int | None = None, **recast: Any,
) -> None:  # fmt: skip
    """Compute what `store` lacks of these experiments at a profile; of none named, of all that the profile draws.

    archive: one whose cells are not computed again, if it is there. workers: processes; by default two where there is
    no GPU to share and more than one core. recast: as of `get_profile`, in one word each. Nothing is started if nothing
    is missing. Raises ValueError, before that, for an unknown experiment, profile or role, and RuntimeError if a
    process ends with an error, which it has printed.
    """
    names, cast = list(names), get_profile(profile, **recast)
    lacking = missing(beside(wanted(names, cast), archive), store)
    if not len(lacking):
        return
    if not lacking.missing.sum():
        return
    workers = workers or default_workers(cast)
    print(f"computing {lacking.missing.sum():,} of {lacking.cells.sum():,} cells, {workers} at a time ...", flush=True)
    given = [part for name in RECAST if recast.get(name) for part in (f"--{name}", _in_a_word(recast[name]))]
    command = [sys.executable, "-m", "ttslib.fill", *names, "--profile", profile, "--store", str(store),
               "--archive", str(archive), "--workers", str(workers), *given]  # fmt: skip
    threads = threads_each(cast, workers)
    started = [
        subprocess.Popen([*command, "--worker", str(at)], env=os.environ | threads | _quiet(at))
        for at in range(workers)
    ]
    try:
        codes = [each.wait() for each in started]
    finally:
        for each in started:
            each.terminate()
    if any(codes):
        raise RuntimeError("A process that computes ended with an error: what is stored stays, run again.")


def default_workers(profile: Profile) -> int:
    """How many processes run side by side: two where there is no GPU to share and more than one core."""
    return 1 if profile.gpu else min(2, _cores())


def threads_each(profile: Profile, workers: int) -> dict[str, str]:
    """The environment in which each of them takes its share of the cores."""
    return {} if profile.gpu else {"OMP_NUM_THREADS": str(max(1, _cores() // workers))}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quiet(worker: int) -> dict[str, str]:
    """One bar is enough, and in a log none is wanted; those of transformers and the Hub only if they are asked for."""
    others = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    return {"TTSLIB_QUIET": "0" if worker == 0 and sys.stderr.isatty() else "1", "HF_HUB_DISABLE_PROGRESS_BARS": others}


def _in_a_word(recast: Any) -> str:
    """Role -> name as "ROLE=NAME, ROLE=NAME"; anything else as it is."""
    return ", ".join(f"{role}={name}" for role, name in recast.items()) if isinstance(recast, Mapping) else str(recast)


def wanted(names: Sequence[str], profile: Profile) -> list[Run]:
    """The runs of these experiments at a profile, each once; of none named, of all that it draws and of the lead pair.

    Raises ValueError for an unknown experiment.
    """
    lead = [] if names else profile.lead_runs()
    names = names or [name for name, each in EXPERIMENTS.items() if each.drawn(profile)]
    return list(dict.fromkeys([*lead, *(run for name in names for run in experiment(name).runs(profile))]))


def beside(runs: Iterable[Run], archive: str | os.PathLike) -> list[Run]:
    """The runs without the problems that an archive has; all of them if there is none."""
    if not archive or not is_archive(archive):
        return list(runs)
    with opened(archive) as records:
        known = set(records.addresses())
    left = ((run, [cell.problem for cell in cells_of(run) if cell.key not in known]) for run in runs)
    return [replace(run, problems=tuple(problems), limit=None) for run, problems in left if problems]


def share(runs: Sequence[Run], worker: int, workers: int) -> list[Run]:
    """All runs, in an order that begins with other policies for each worker: two seldom want the same model.

    Who is done with those goes on with the rest, and so helps the others.
    """
    place = {policy: at for at, policy in enumerate(dict.fromkeys(run.policy for run in runs))}
    return sorted(runs, key=lambda run: (place[run.policy] - worker) % workers)


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when nothing is missing any more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", help=f"of {', '.join(EXPERIMENTS)}; default: all that are drawn")
    parser.add_argument("--profile", default="nano")
    for part in RECAST:
        parser.add_argument(f"--{part}", help=f"as the notebooks' parameter {part.upper()}")
    parser.add_argument("--store", type=Path, default=Path("results"))
    parser.add_argument("--archive", type=Path, help="default: archive/PROFILE, if it is there")
    parser.add_argument("--workers", type=int, help="processes side by side")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    recast = {part: getattr(given, part) for part in RECAST}
    archive = given.archive or Path("archive") / given.profile
    try:
        if given.worker is None:
            fill(given.experiments, given.profile, given.store, archive=archive, workers=given.workers, **recast)
        else:
            runs = beside(wanted(given.experiments, get_profile(given.profile, **recast)), archive)
            run(share(runs, given.worker, given.workers), store=given.store)
    except (ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
