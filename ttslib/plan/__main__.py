"""The command line of `ttslib.plan`."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from typing import NoReturn

from ttslib import paper
from ttslib import plan as package
from ttslib.executors.hardware import gpus_visible, parse_gpus
from ttslib.executors.placement import cards_of, place
from ttslib.plan import report
from ttslib.plan.speed import measure, stored_speeds
from ttslib.plan.tally import tally
from ttslib.profiles import get_profile

LEAD = "notebook 01"
PAPERS_OWN = parse_gpus("A100-80GB")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (--help lists the options).")


def main(arguments: list[str] | None = None) -> int:
    """Prints the plan and gives 0, whether everything fits or not; 2 for arguments that make no sense, with one
    sentence on stderr."""
    parser = _Parser(
        prog="python -m ttslib.plan", description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="nano", help="smoke, nano, full or paper")
    parser.add_argument("--gpus", default="", help="8xA100-80GB, 1xRTX3090, ... or none; default: this machine's")
    parser.add_argument("--problems", type=int, help="of each benchmark, in place of the profile's")
    parser.add_argument("--budgets", type=budgets, help="N in place of the profile's, as in 4,16")
    parser.add_argument("--experiments", default="", help="only these, as in fig4,table5")
    parser.add_argument("--all", action="store_true", help="each experiment of the paper, and what is chosen in it")
    parser.add_argument("--store", default="results", help="whose records tell the speeds (default: results)")
    parser.add_argument("--measure", nargs="?", type=float, const=60.0, metavar="SECONDS",
                        help="time each model here first, for a minute, into the store")  # fmt: skip
    for part in ("policy", "prm", "dataset", "cast"):
        parser.add_argument(f"--{part}", help="in place of the profile's, as get_profile takes it")
    try:
        print(_plan(parser.parse_args(arguments)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def budgets(text: str) -> list[int]:
    """ "4,16" as numbers; ValueError for anything else."""
    return [int(part) for part in text.split(",")]


def _plan(options: argparse.Namespace) -> str:
    profile = get_profile(
        options.profile, policy=options.policy, prm=options.prm, dataset=options.dataset, cast=options.cast,
        problems=options.problems, budgets=options.budgets,
    )  # fmt: skip
    machine = parse_gpus(options.gpus) if options.gpus else gpus_visible()
    here = not options.gpus and (machine.count > 0 or not profile.gpu)
    if options.measure is not None and not here:
        raise ValueError(f"Models are timed on this machine's own GPUs, and profile {profile.name} needs one.")
    experiments = [paper.experiment(name.strip()) for name in options.experiments.split(",") if name]
    drawn = experiments or [each for each in paper.EXPERIMENTS.values() if options.all or each.drawn(profile)]
    named = {each.name: each.runs(profile) for each in drawn} | ({} if experiments else {LEAD: profile.lead_runs()})
    runs = [run for some in named.values() for run in some]
    if not runs:
        raise ValueError(f"Nothing has to be computed for {options.experiments}.")

    @cache
    def fits(policy: str, prm: str) -> bool:
        return not profile.gpu or place(cards_of(policy, prm), machine) is not None

    rows = tally(named)
    rows["fits"] = list(map(fits, rows.policy, rows.prm))
    if options.measure is not None:
        alone = [run for run in runs if fits(run.policy.name, "") and fits("", run.prm.name if run.prm else "")]
        measure(alone, options.store, options.measure)
    speeds = stored_speeds(options.store, machine)
    rows["hours"] = list(map(speeds.hours, rows.policy, rows.prm, rows.policy_tokens, rows.prm_tokens))
    advice = "MEASURE=1 times each model for a minute" if here else f"{options.store} has no records of such GPUs"
    what = options.experiments or ("every experiment of the paper" if options.all else "what its notebooks take")
    parts = [
        f"Profile {profile.name} ({machine}): {what}, starting with an empty store",
        report.summary(rows, runs, machine, gpu=profile.gpu, advice=advice),
    ]
    if profile.gpu:
        kind = machine if machine.count else PAPERS_OWN
        parts += [f"How many {kind.name} a policy takes with a PRM, and each alone:", report.gpu_table(rows, kind)]
    if options.all:
        notes = report.notes(drawn)
        parts += [report.experiment_table(rows), f"Chosen where the paper does not say:\n{notes}"]
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
