"""What the notebooks 00 to 02 run at a profile, and what that costs with the paper's models."""

from __future__ import annotations

from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.experiments import Experiment, Run
from ttslib.plan.hardware import Machine
from ttslib.plan.placement import best
from ttslib.plan.schedule import SEARCH, Cards, Phase, Planned, cost, run_hours
from ttslib.profiles import Profile

QUICKSTART_PROBLEMS, QUICKSTART_N, DIAGRAM_N, SMALL_N = 60, 16, 8, 64
TREES = ("best_of_n", "beam_search", "dvts")
SHOWS = {"00_quickstart": "one problem, three methods", "01_tts_methods": "accuracy against the budget"}
"""The notebooks that run the profile's own models; 02_nano_zoo has nano models at every profile."""


def notebooks(profile: Profile) -> dict[str, list[Run]]:
    """The runs of each notebook, those left out that an earlier one has stored. Policy and PRM are both in memory, so
    that Best-of-N is one run."""
    def run(method: str, n: int, problems: int) -> Run:
        return Run(profile.policy, profile.prm, method, n, profile.dataset, problems)

    searches = [run(method, n, profile.problems) for method in TREES[1:] for n in profile.budgets]
    return {
        "00_quickstart": [run("cot", 1, QUICKSTART_PROBLEMS), *(run(method, QUICKSTART_N, 1) for method in TREES)],
        "01_tts_methods": [
            run("cot", 1, max(0, profile.problems - QUICKSTART_PROBLEMS)),
            run("best_of_n", profile.pool, profile.problems), *searches,
            *(run(method, DIAGRAM_N, 1) for method in TREES),
        ],
        "02_nano_zoo": [run("cot", 1, profile.problems), run("dvts", min(SMALL_N, profile.pool), profile.problems)],
    }  # fmt: skip


def planned(
    profile: Profile, cards: Cards, machine: Machine, assumptions: Assumptions = DEFAULT
) -> list[Planned]:
    """The cost of each notebook that runs the profile's own models: one copy of both, where `load_models` puts them."""
    policy, prm = cards.policies[profile.policy], cards.prms[profile.prm]
    place = best(policy, prm, machine, assumptions)
    found = []
    for name, runs in notebooks(profile).items():
        if name not in SHOWS:
            continue
        hours = place and run_hours(place, runs, cards, Machine(place.gpus, machine.gpu), assumptions)
        phase = Phase(SEARCH, profile.policy, profile.prm, tuple(runs), place, hours)
        found.append(Planned(Experiment(name, SHOWS[name]), runs, runs, cost(runs, cards, assumptions), [phase]))
    return found
