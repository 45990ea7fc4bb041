"""Which GPUs a policy and a PRM get, and how fast each then is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ttslib.flops import token_flops
from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.hardware import Gpu, Machine
from ttslib.plan.memory import Engine, can_split, engine, sequences, split

SPREADS = (1, 2, 4, 8)
"""Numbers of GPUs that a model is spread over (powers of two, within one node)."""
ENOUGH = 16
"""GPUs up to which a number that would do is looked for."""


@dataclass(frozen=True)
class Seat:
    """A model in its place: its engine, the tokens its KV cache holds, its share of each GPU's memory."""

    engine: Engine
    held: float
    share: float


@dataclass(frozen=True)
class Placement:
    """Where one copy of the models lives. `apart` models have GPUs of their own and work at the same time."""

    policy: Seat | None
    prm: Seat | None
    apart: bool
    gpus: int

    def __str__(self) -> str:
        engines = [seat.engine for seat in (self.policy, self.prm) if seat]
        names = [f"{'pp' if one.in_turn else 'tp'}{one.gpus}" if one.gpus > 1 else "1 GPU" for one in engines]
        if len(names) == 2:
            return " + ".join(names) if self.apart else f"{names[0]}, shared"
        return names[0]

    @property
    def shares(self) -> str:
        """gpu_memory_utilization of policy and PRM."""
        return " + ".join(f"{seat.share:.2f}" for seat in (self.policy, self.prm) if seat)

    def gigabytes(self, gpu: Gpu) -> str:
        """The same in GB of each GPU."""
        return " + ".join(f"{seat.share * gpu.memory / 1e9:.0f}" for seat in (self.policy, self.prm) if seat)


def alone(card: Any, machine: Machine, assumptions: Assumptions = DEFAULT) -> Iterator[Seat]:
    """Every way to place one model that fits."""
    for gpus in _spreads(card, machine.count):
        if fit := split([one := engine(card, gpus, assumptions)], machine.gpu, assumptions):
            yield Seat(one, fit.tokens[0], fit.shares[0])


def together(policy: Any, prm: Any, machine: Machine, assumptions: Assumptions = DEFAULT) -> Iterator[Placement]:
    """Every way to hold both at once, as tree search needs it: sharing the same GPUs, or on GPUs of their own."""
    for gpus in _spreads(policy, machine.count):
        if can_split(prm, gpus):
            both = [engine(policy, gpus, assumptions), engine(prm, gpus, assumptions)]
            if fit := split(both, machine.gpu, assumptions):
                seats = [Seat(*each) for each in zip(both, fit.tokens, fit.shares, strict=True)]
                yield Placement(*seats, apart=False, gpus=gpus)
    scorers = list(alone(prm, machine, assumptions))
    for left in alone(policy, machine, assumptions):
        for right in scorers:
            if left.engine.gpus + right.engine.gpus <= machine.count:
                yield Placement(left, right, apart=True, gpus=left.engine.gpus + right.engine.gpus)


def best(policy: Any, prm: Any, machine: Machine, assumptions: Assumptions = DEFAULT) -> Placement | None:
    """Where one copy of both is loaded: apart, so that both work at once, before shared; on the fewest GPUs."""
    found = together(policy, prm, machine, assumptions) if machine.gpu else ()
    return min(found, key=lambda place: (not place.apart, place.gpus), default=None)


def gpus_needed(policy: Any, prm: Any | None, gpu: Gpu, assumptions: Assumptions = DEFAULT) -> int | None:
    """The fewest GPUs of this kind that hold both at once (or the policy alone), or None if ENOUGH are too few."""
    for count in range(1, ENOUGH + 1):
        machine = Machine(count, gpu)
        found = alone(policy, machine, assumptions) if prm is None else together(policy, prm, machine, assumptions)
        if any(True for _ in found):
            return count
    return None


def _spreads(card: Any, count: int) -> list[int]:
    return [gpus for gpus in SPREADS if gpus <= count and can_split(card, gpus)]


def generate_seconds(seat: Seat, gpu: Gpu, count: float, length: float, assumptions: Assumptions = DEFAULT) -> float:
    """To generate `count` sequences of `length` tokens each.

    A decoding step gives one token to each running sequence. It takes as long as the slower of reading weights and
    KV cache from memory, and computing; each at its assumed efficiency, and `step_seconds` in any case. As many
    sequences run as the KV cache holds.
    """
    if count <= 0:
        return 0.0
    one = seat.engine
    batch = min(count, sequences(seat.held, assumptions.prompt + length, assumptions))
    context = assumptions.prompt + length / 2
    scale = assumptions.tensor_parallel if one.gpus > 1 else 1.0
    read = (one.weights + batch * context * one.kv) / (gpu.bandwidth * assumptions.decode_bandwidth * scale)
    compute = batch * token_flops(one.card, context) / (one.gpus * gpu.flops * assumptions.compute * scale)
    return length * (count / batch) * (max(read, compute) + assumptions.step_seconds)


def score_seconds(seat: Seat, gpu: Gpu, tokens: float, context: float, assumptions: Assumptions = DEFAULT) -> float:
    """To forward `tokens` behind `context` tokens on average: the slower of computing and reading weights per batch.

    The GPUs that share a PRM's layers work one after the other, so that several are as fast as one.
    """
    one = seat.engine
    compute = tokens * token_flops(one.card, context) / (gpu.flops * assumptions.compute)
    read = tokens / assumptions.batched_tokens * one.weights * one.gpus / (gpu.bandwidth * assumptions.decode_bandwidth)
    return max(compute, read)
