"""The command line of `ttslib.plan`. Exit status 2, with a sentence per pair, if something cannot fit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ttslib import paper
from ttslib import plan as package
from ttslib.plan.actual import beside
from ttslib.plan.hardware import Machine, gpus_present, parse_gpus
from ttslib.plan.report import beside_table, gpu_plan, nano_plan
from ttslib.plan.schedule import place, refusals
from ttslib.plan.tally import plan
from ttslib.profiles import get_profile
from ttslib.records import Store
from ttslib.runs import ModelSpec, Run


def main(arguments: list[str] | None = None) -> int:
    """0 if everything fits; 2 for what cannot fit and for arguments that make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m ttslib.plan", description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="nano", help="smoke, nano, full or paper")
    parser.add_argument("--gpus", default="", help="4xA100-80GB, ... or none; default: those of this machine")
    parser.add_argument("--experiments", default="", help=f"only these, with commas: {', '.join(paper.EXPERIMENTS)}")
    parser.add_argument("--policies", default="", help="only policies with one of these in their name or role")
    parser.add_argument("--prms", default="", help="only PRMs with one of these in their name or role")
    for part in ("policy", "prm", "dataset", "cast"):
        parser.add_argument(f"--{part}", help="in place of the profile's, as get_profile takes it")
    parser.add_argument("--actual", metavar="STORE", help="the tokens and hours of a run beside those expected")
    options = parser.parse_args(arguments)
    try:
        if options.actual:
            print(_actual(options.actual, _machine(options.gpus)))
            return 0
        return _plan(options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _plan(options: argparse.Namespace) -> int:
    profile = get_profile(
        options.profile, policy=options.policy, prm=options.prm, dataset=options.dataset, cast=options.cast
    )
    experiments = [paper.experiment(name) for name in _listed(options.experiments) or paper.EXPERIMENTS]
    policies, prms = _listed(options.policies), _listed(options.prms)

    def wanted(run: Run) -> bool:
        return _named(run.policy, run.policy_role, policies) and (
            run.prm is None or _named(run.prm, run.prm_role, prms)
        )

    planned = plan(experiments, profile, wanted)
    if not any(each.runs for each in planned):
        raise ValueError("Nothing is left to plan: no run has such a policy and such a PRM.")
    if not profile.gpu:
        print(nano_plan(planned, profile))
        return 0
    machine = _machine(options.gpus)
    placed = [[place(load, machine) for load in each.loads] for each in planned]
    print(gpu_plan(planned, placed, machine, profile))
    sentences = refusals([one for each in placed for one in each], machine)
    sys.stdout.flush()
    for sentence in sentences:
        print(f"error: {sentence}", file=sys.stderr)
    return 2 if sentences else 0


def _actual(path: str, machine: Machine) -> str:
    if not (Path(path) / "records.sqlite").is_file():
        raise ValueError(f"{path} holds no records: give the directory that a run has stored its results in.")
    with Store(path) as store:
        return beside_table(beside(store.records(), machine))


def _machine(gpus: str) -> Machine:
    return parse_gpus(gpus) if gpus else gpus_present()


def _named(model: ModelSpec, role: str, parts: list[str]) -> bool:
    return not parts or any(part in model.name or part in role for part in parts)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


if __name__ == "__main__":
    sys.exit(main())
