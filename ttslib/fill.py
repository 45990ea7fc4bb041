"""Computes what a store lacks of the paper's experiments, with several processes on one machine or one store.

    python -m ttslib.fill --profile nano                    # everything that the notebooks draw from
    python -m ttslib.fill fig4 table5 --profile full --workers 2

Kill it at any time and run it again: what is stored stays. Processes on other machines may fill the same store.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ttslib.paper import EXPERIMENTS, experiment
from ttslib.profiles import Profile, get_profile
from ttslib.runs import Run

RECAST = ("policy", "prm", "dataset", "cast")


def wanted(names: Iterable[str], profile: Profile) -> list[Run]:
    """The runs of these experiments at a profile, each once; of none, of all that the profile draws.

    Raises ValueError for an unknown experiment.
    """
    names = list(names) or [name for name, each in EXPERIMENTS.items() if profile.grid_budgets or not each.whole]
    return list(dict.fromkeys(run for name in names for run in experiment(name).runs(profile)))


def shares(runs: Sequence[Run], workers: int) -> list[list[Run]]:
    """The runs in as many orders, each beginning with other policies, so that workers seldom want the same model.

    Every order holds all runs: who is done first helps the others.
    """
    policies = list(dict.fromkeys(run.policy for run in runs))
    place = {policy: at for at, policy in enumerate(policies)}
    return [sorted(runs, key=lambda run: (place[run.policy] - worker) % workers) for worker in range(workers)]


def main(arguments: list[str] | None = None) -> int:
    """The command line above; 0 when nothing is missing any more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", help=f"of {', '.join(EXPERIMENTS)}; default: all that are drawn")
    parser.add_argument("--profile", default="nano")
    for part in RECAST:
        parser.add_argument(f"--{part}", help="as of the notebooks' parameter " + part.upper())
    parser.add_argument("--store", type=Path, default=Path("results"))
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    parser.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        profile = get_profile(options.profile, **{part: getattr(options, part) for part in RECAST})
        runs = wanted(options.experiments, profile)
        if not 0 <= options.worker < options.workers:
            raise ValueError(f"{options.workers} workers are not possible: give at least 1.")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    others = []
    if not options.worker:
        others = [_start(worker, arguments) for worker in range(1, options.workers)]
    import ttslib as tts

    try:
        done = tts.run(shares(runs, options.workers)[options.worker], store=options.store)
        if options.worker:
            return 0
        codes = [each.wait() for each in others]
    finally:
        for each in others:
            each.terminate()
    print(done.failed)
    return max(codes, default=0)


def _start(worker: int, arguments: list[str] | None) -> subprocess.Popen:
    given = sys.argv[1:] if arguments is None else arguments
    quiet = {"TTSLIB_QUIET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # one bar is enough
    return subprocess.Popen(
        [sys.executable, "-m", "ttslib.fill", *given, "--worker", str(worker)], env=os.environ | quiet
    )


if __name__ == "__main__":
    sys.exit(main())
