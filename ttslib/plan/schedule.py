"""Hours: every load placed on the machine's GPUs, in the fastest way that fits; or minutes of two cores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ttslib.plan import assumptions
from ttslib.plan.hardware import Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Placement, generate_seconds, gpus_needed, score_seconds, ways
from ttslib.plan.tally import Load, Part
from ttslib.policies.registry import PAPER_POLICIES
from ttslib.prms.registry import PAPER_PRMS
from ttslib.runs import ModelSpec


@dataclass(frozen=True)
class Placed:
    """A load in its fastest placement, and its hours, the start of the engines included; None where nothing fits."""

    load: Load
    placement: Placement | None
    hours: float | None


def cards_of(policy: ModelSpec | None, prm: ModelSpec | None) -> tuple[Any | None, Any | None]:
    """The cards of the paper's models. ValueError for any other, whose memory is not known."""
    try:
        return policy and PAPER_POLICIES[policy.name], prm and PAPER_PRMS[prm.name]
    except KeyError as missing:
        raise ValueError(f"{missing.args[0]} is in no registry, so the memory that it takes is not known.") from None


def place(load: Load, machine: Machine) -> Placed:
    """The load in the fastest of the ways that fit.

    A placement that takes g of the machine's GPUs runs as often side by side as it fits (count // g), each copy on its
    share of the problems. The GPUs that no copy fits on stay idle, and every load starts its engines, so that these
    hours are an upper bound of a cleverer packing.
    """
    found = list(ways(*cards_of(load.policy, load.prm), machine))
    timed = [(_start_hours(way) + busy_hours(way, load.parts, machine), way.gpus, i) for i, way in enumerate(found)]
    if not timed:
        return Placed(load, None, None)
    hours, _, fastest = min(timed)
    return Placed(load, found[fastest], hours)


def busy_hours(way: Placement, parts: Iterable[Part], machine: Machine) -> float:
    """To compute some cells on as many copies of a placement as the machine has room for, once the engines run."""
    copies, total = machine.count // way.gpus, 0.0
    for part in parts:
        cost, count, lengths = part.cost, part.count / copies, part.lengths
        writing = reading = 0.0
        if way.policy:
            writing = generate_seconds(way.policy, machine.gpu, cost.policy / lengths.solution * count, lengths)
        if way.prm:
            reading = score_seconds(way.prm, machine.gpu, cost.prm * count, lengths)
        # Many problems are searched at once, so that while some wait for the PRM others are with the policy.
        total += max(writing, reading) if way.apart else writing + reading
    return total / 3600


def _start_hours(way: Placement) -> float:
    loaded = [weight_bytes(seat.engine.card) for seat in (way.policy, way.prm) if seat]
    return (len(loaded) * assumptions.START_SECONDS + sum(loaded) / assumptions.READ_BYTES) / 3600


def nano_minutes(loads: Iterable[Load]) -> tuple[float, float]:
    """(fewest, most) minutes of nano models on two cores."""
    started = written = read = 0.0
    for load in loads:
        started += assumptions.NANO_START_SECONDS
        written += sum(part.cost.policy * part.count for part in load.parts)
        read += sum(part.cost.prm * part.count for part in load.parts if not part.cost.policy)
    speeds = zip(assumptions.NANO_WRITTEN, assumptions.NANO_READ, strict=True)
    most, fewest = ((started + written / write + read / score) / 60 for write, score in speeds)
    return fewest, most


def refusals(placed: Iterable[Placed], machine: Machine) -> list[str]:
    """One sentence for each policy-PRM pair, policy or PRM that cannot be placed on the machine."""
    if machine.gpu is None:
        return ["The paper's models need a GPU, and there is none: name some to plan for (GPUS=8xA100-80GB)."]
    failed = {(each.load.policy, each.load.prm): None for each in placed if each.placement is None}
    return [_sentence(*cards_of(*pair), machine) for pair in failed]


def _sentence(policy: Any | None, prm: Any | None, machine: Machine) -> str:
    held = [card for card in (policy, prm) if card]
    weights = sum(weight_bytes(card) for card in held) / 1e9
    least = gpus_needed(policy, prm, machine.gpu)
    enough = f"it takes {least} of them" if least else "no number of them that was tried is enough"
    what = "searching" if policy and prm else "sampling" if policy else "scoring"
    usable = machine.gpu.memory * assumptions.UTILIZATION / 1e9
    return (
        f"{' with '.join(card.name for card in held)} does not fit {machine} for {what}: {weights:.1f} GB of weights, "
        f"and activations and KV cache, against {usable:.1f} GB usable on each GPU; {enough}."
    )
