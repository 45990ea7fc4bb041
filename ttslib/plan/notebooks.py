"""What the notebooks 00 to 02 run at a profile, and what that costs with the paper's models."""

from __future__ import annotations

from ttslib.plan.assumptions import DEFAULT, PROBLEMS, Assumptions
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
    count = min(profile.problems, PROBLEMS.get(profile.dataset, profile.problems))
    first = min(QUICKSTART_PROBLEMS, PROBLEMS.get(profile.dataset, QUICKSTART_PROBLEMS))

    def run(method: str, n: int, problems: int) -> Run:
        return Run(profile.policy, profile.prm, method, n, profile.dataset, problems)

    def nano(method: str, n: int) -> Run:
        return Run("nano", "nano", method, n, "nanomath", profile.problems)

    searches = [run(method, n, count) for method in TREES[1:] for n in profile.budgets]
    return {
        "00_quickstart": [run("cot", 1, first), *(run(method, QUICKSTART_N, 1) for method in TREES)],
        "01_tts_methods": [
            run("cot", 1, max(0, count - first)), run("best_of_n", profile.pool, count), *searches,
            *(run(method, DIAGRAM_N, 1) for method in TREES),
        ],
        "02_nano_zoo": [nano("cot", 1), nano("dvts", min(SMALL_N, profile.pool))],
    }  # fmt: skip


def planned(
    profile: Profile, cards: Cards, machine: Machine, assumptions: Assumptions = DEFAULT
) -> list[Planned]:
    """The cost of each notebook that runs the profile's own models: one copy of both, where `load_models` puts them.

    Raises ValueError for a model in no registry, or a data set whose solutions have no assumed length.
    """
    if profile.dataset not in assumptions.solution:
        known = " or ".join(assumptions.solution)
        raise ValueError(f"How long solutions on {profile.dataset} are is not assumed: plan with {known}.")
    found, every = [], notebooks(profile)
    policy, prm = cards.of(every["00_quickstart"][0])
    place = best(policy, prm, machine, assumptions)
    for name, runs in every.items():
        if name not in SHOWS:
            continue
        hours = place and run_hours(place, runs, cards, Machine(place.gpus, machine.gpu), assumptions)
        phase = Phase(SEARCH, profile.policy, profile.prm, tuple(runs), place, hours)
        found.append(Planned(Experiment(name, SHOWS[name]), runs, runs, cost(runs, cards, assumptions), [phase]))
    return found
