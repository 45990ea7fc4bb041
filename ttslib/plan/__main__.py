"""The command line of `ttslib.plan`. Exit status 2, with a sentence per pair, if something cannot fit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ttslib import plan
from ttslib.plan.actual import beside
from ttslib.plan.experiments import PAPER, Run, new_runs
from ttslib.plan.hardware import Machine, gpus_present, parse_gpus
from ttslib.plan.notebooks import planned as notebooks_planned
from ttslib.plan.report import beside_table, nano_plan, paper_plan
from ttslib.plan.schedule import Cards, refusals, schedule
from ttslib.profiles import get_profile

NAMES = tuple(each.name for each in PAPER)


def registered() -> Cards:
    """The paper's models as the registries know them."""
    from ttslib.policies.registry import PAPER_POLICIES
    from ttslib.prms.registry import PAPER_PRMS

    return Cards(PAPER_POLICIES, PAPER_PRMS)


def main(arguments: list[str] | None = None, cards: Cards | None = None) -> int:
    """0 if everything fits; 2 for what cannot fit and for arguments that make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m ttslib.plan", description=plan.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="nano", help="smoke, nano, full or paper")
    parser.add_argument("--gpus", default="", help="4xA100-80GB, ... or none; default: those of this machine")
    parser.add_argument("--experiments", default="", help=f"only these, with commas: {', '.join(NAMES)}")
    parser.add_argument("--policies", default="", help="only policies whose Hub id contains one of these, with commas")
    parser.add_argument("--prms", default="", help="only PRMs whose Hub id contains one of these, with commas")
    for part in ("policy", "prm", "dataset"):
        parser.add_argument(f"--{part}", help="of the notebooks, in place of the profile's")
    parser.add_argument("--actual", metavar="STORE", help="the tokens and hours of a run beside those expected")
    options = parser.parse_args(arguments)
    try:
        if options.actual:
            machine = parse_gpus(options.gpus) if options.gpus else gpus_present()
            print(_actual(options.actual, cards or registered(), machine))
            return 0
        if options.profile != "paper":
            print(nano_plan(get_profile(options.profile)))
            return 0
        return _paper(options, cards or registered())
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _paper(options: argparse.Namespace, cards: Cards) -> int:
    machine = parse_gpus(options.gpus) if options.gpus else gpus_present()
    names = _listed(options.experiments)
    if unknown := sorted(set(names) - set(NAMES)):
        raise ValueError(f"No experiment is called {unknown[0]!r}: give some of {', '.join(NAMES)}.")
    policies, prms = _listed(options.policies), _listed(options.prms)

    def wanted(run: Run) -> bool:
        asked = not policies or any(part in run.policy for part in policies)
        return asked and (not prms or run.prm is None or any(part in run.prm for part in prms))

    found = new_runs([each for each in PAPER if not names or each.name in names], wanted)
    if not any(every for _, every, _ in found):
        raise ValueError("Nothing is left to plan: no run has such a policy and such a PRM.")
    planned = schedule(found, cards, machine)
    chosen = names or policies or prms
    profile = None if chosen else get_profile(
        options.profile, policy=options.policy, prm=options.prm, dataset=options.dataset
    )
    at_profile = [] if chosen else notebooks_planned(profile, cards, machine)
    print(paper_plan(planned, cards, machine, at_profile=at_profile, profile=profile))
    sentences = refusals(planned, cards, machine)
    sys.stdout.flush()
    for sentence in sentences:
        print(f"error: {sentence}", file=sys.stderr)
    return 2 if sentences else 0


def _actual(path: str, cards: Cards, machine: Machine) -> str:
    from ttslib.records import Store

    if not (Path(path) / "records.sqlite").is_file():
        raise ValueError(f"{path} holds no records: give the directory that a run has stored its results in.")
    with Store(path) as store:
        return beside_table(beside(store.records(), cards, machine))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


if __name__ == "__main__":
    sys.exit(main())
