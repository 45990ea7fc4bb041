"""Hours: every run placed on the machine's GPUs, in the fastest way that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ttslib.flops import SearchFlops, search_flops
from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.experiments import Experiment, Run
from ttslib.plan.hardware import Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Placement, alone, generate_seconds, gpus_needed, score_seconds, together
from ttslib.plan.tokens import expected

GENERATING, SCORING = ("cot", "pool"), ("score",)
SEARCH, SAMPLE, SCORE = "search", "sample", "score"


@dataclass(frozen=True)
class Cards:
    """Policies and PRMs by Hub id."""

    policies: Mapping[str, Any]
    prms: Mapping[str, Any]

    def of(self, run: Run) -> tuple[Any, Any | None]:
        """(policy, PRM or None). ValueError if the registry has no such model."""
        try:
            return self.policies[run.policy], None if run.prm is None else self.prms[run.prm]
        except KeyError as missing:
            raise ValueError(f"{missing.args[0]} is in no registry, so its size is not known.") from None


@dataclass(frozen=True)
class Phase:
    """Runs that share the models in memory: `kind` "search" (policy and PRM), "sample" or "score" (one of them).

    `placement` and `hours` are None if it fits in no way. Hours include starting the engines.
    """

    kind: str
    policy: str
    prm: str | None
    runs: tuple[Run, ...]
    placement: Placement | None
    hours: float | None


@dataclass(frozen=True)
class Cost:
    """What some runs take, wherever they run. `stored_tokens`: in records; those of scored pools repeat the samples."""

    cells: int
    policy_tokens: float
    prm_tokens: float
    flops: SearchFlops
    stored_tokens: float


def kind_of(run: Run) -> str:
    return SAMPLE if run.method in GENERATING else SCORE if run.method in SCORING else SEARCH


def cost(runs: Iterable[Run], cards: Cards, assumptions: Assumptions = DEFAULT) -> Cost:
    """Cells, tokens and FLOPs. The context of a token is the prompt and half a solution on average."""
    cells, policy_tokens, prm_tokens, policy_flops, prm_flops, stored = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for run in runs:
        policy, prm = cards.of(run)
        length = assumptions.solution_tokens(policy, run.benchmark)
        one = expected(run.method, run.n, length, assumptions, scored=prm is not None)
        written, read = one.policy * run.problems, one.prm * run.problems
        prompts = run.problems if written else 0
        flops = search_flops(policy, written, prm, read, context=assumptions.prompt + length / 2, prompts=prompts,
                             prompt=assumptions.prompt)
        cells += run.problems
        policy_tokens, prm_tokens = policy_tokens + written, prm_tokens + read
        policy_flops, prm_flops = policy_flops + flops.policy, prm_flops + flops.prm
        stored += run.n * length * run.problems if run.method == "score" else written
    return Cost(cells, policy_tokens, prm_tokens, SearchFlops(policy_flops, prm_flops), stored)


def phases(runs: Sequence[Run], cards: Cards, machine: Machine, assumptions: Assumptions = DEFAULT) -> list[Phase]:
    """The runs grouped by the models they hold in memory, each group in its fastest placement, one after the other.

    A placement that takes g of the machine's GPUs runs as often side by side as it fits (count // g), each copy on its
    share of the problems. BoN samples with the policy alone, frees it, and scores with the PRM alone. The GPUs that
    no copy fits on stay idle, so these hours are an upper bound of a cleverer packing.
    """
    def key(run: Run) -> tuple[str, str, str]:
        return ("", run.prm, SCORE) if kind_of(run) == SCORE else (run.policy, run.prm or "", kind_of(run))

    order = {each: place for place, each in enumerate(dict.fromkeys(key(run) for run in runs))}
    grouped = groupby(sorted(runs, key=lambda run: order[key(run)]), key=key)
    return [_fastest(kind, tuple(group), cards, machine, assumptions) for (_, _, kind), group in grouped]


def _fastest(kind: str, runs: tuple[Run, ...], cards: Cards, machine: Machine, assumptions: Assumptions) -> Phase:
    policy, prm = cards.of(runs[0])
    if machine.gpu is None:
        found = []
    elif kind == SEARCH:
        found = list(together(policy, prm, machine, assumptions))
    elif kind == SAMPLE:
        found = [Placement(seat, None, False, seat.engine.gpus) for seat in alone(policy, machine, assumptions)]
    else:
        found = [Placement(None, seat, False, seat.engine.gpus) for seat in alone(prm, machine, assumptions)]
    timed = [(run_hours(place, runs, cards, machine, assumptions), place.gpus, i) for i, place in enumerate(found)]
    hours, _, best = min(timed, default=(None, 0, 0))
    named = "" if kind == SCORE else runs[0].policy
    return Phase(kind, named, runs[0].prm, runs, found[best] if found else None, hours)


def run_hours(place: Placement, runs: Sequence[Run], cards: Cards, machine: Machine, assumptions: Assumptions) -> float:
    """To start the engines and do the runs, on as many copies of the placement as the machine has room for."""
    loaded = [weight_bytes(seat.engine.card) for seat in (place.policy, place.prm) if seat]
    starting = len(loaded) * assumptions.start_seconds + sum(loaded) / assumptions.read_bytes
    return starting / 3600 + busy_hours(place, runs, cards, machine, assumptions)


def busy_hours(
    place: Placement, runs: Iterable[Run], cards: Cards, machine: Machine, assumptions: Assumptions
) -> float:
    """The same without starting the engines."""
    copies, total = machine.count // place.gpus, 0.0
    for run in runs:
        policy, prm = cards.of(run)
        length = assumptions.solution_tokens(policy, run.benchmark)
        one = expected(run.method, run.n, length, assumptions, scored=prm is not None)
        writing = reading = 0.0
        if place.policy:
            count = one.policy / length * run.problems / copies
            writing = generate_seconds(place.policy, machine.gpu, count, length, assumptions)
        if place.prm:
            tokens = one.prm * run.problems / copies
            reading = score_seconds(place.prm, machine.gpu, tokens, assumptions.prompt + length / 2, assumptions)
        # Many problems are searched at once, so that while some wait for the PRM others are with the policy.
        total += max(writing, reading) if place.apart else writing + reading
    return total / 3600


@dataclass(frozen=True)
class Planned:
    """One experiment: all its runs, those that no earlier one has with their cost, and how these are placed."""

    experiment: Experiment
    runs: list[Run]
    new: list[Run]
    cost: Cost
    phases: list[Phase]

    @property
    def hours(self) -> float | None:
        """Of what fits; None if something is to be run and nothing fits."""
        known = [phase.hours for phase in self.phases if phase.hours is not None]
        return sum(known) if known or not self.phases else None


def schedule(
    found: Iterable[tuple[Experiment, list[Run], list[Run]]], cards: Cards, machine: Machine,
    assumptions: Assumptions = DEFAULT,
) -> list[Planned]:
    """Cost and placement of what `new_runs` found."""
    return [
        Planned(experiment, every, new, cost(new, cards, assumptions), phases(new, cards, machine, assumptions))
        for experiment, every, new in found
    ]  # fmt: skip


def total_hours(planned: Iterable[Planned]) -> float:
    """Of all that fits."""
    return sum(each.hours or 0.0 for each in planned)


def refusals(
    planned: Iterable[Planned], cards: Cards, machine: Machine, assumptions: Assumptions = DEFAULT
) -> list[str]:
    """One sentence for each policy-PRM pair, policy or PRM that cannot be placed on the machine."""
    if machine.gpu is None:
        return ["The paper's models need a GPU, and there is none: name some to plan for (GPUS=8xA100-80GB)."]
    failed: dict[tuple[str, str | None], Phase] = {}
    for phase in (phase for each in planned for phase in each.phases if phase.placement is None):
        failed.setdefault((phase.policy, phase.prm), phase)
    return [_sentence(phase, cards, machine, assumptions) for phase in failed.values()]


def _sentence(phase: Phase, cards: Cards, machine: Machine, assumptions: Assumptions) -> str:
    policy, prm = cards.of(phase.runs[0])
    held = {SEARCH: (policy, prm), SAMPLE: (policy,), SCORE: (prm,)}[phase.kind]
    names = " with ".join(each.name for each in held)
    weights = sum(weight_bytes(each) for each in held) / 1e9
    least = gpus_needed(held[0], held[1] if len(held) > 1 else None, machine.gpu, assumptions)
    enough = f"it takes {least} of them" if least else "no number of them that was tried is enough"
    what = {SEARCH: "searching", SAMPLE: "sampling", SCORE: "scoring"}[phase.kind]
    usable = machine.gpu.memory * assumptions.utilization / 1e9
    return (
        f"{names} does not fit {machine} for {what}: {weights:.1f} GB of weights, and activations and KV cache, "
        f"against {usable:.1f} GB usable on each GPU; {enough}."
    )
