"""Which GPUs a policy and a PRM get, and how fast each then is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ttslib.flops import token_flops
from ttslib.plan import assumptions
from ttslib.plan.hardware import Gpu, Machine
from ttslib.plan.memory import Engine, can_split, engine, sequences, split
from ttslib.search import Lengths

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


def ways(policy: Any | None, prm: Any | None, machine: Machine) -> Iterator[Placement]:
    """Every way to place one copy of what is in memory at once: a policy, a PRM, or both, as a search needs them."""
    if machine.gpu is None:
        return
    if policy and prm:
        yield from _together(policy, prm, machine)
    for seat in () if policy and prm else _alone(policy or prm, machine):
        yield Placement(seat if policy else None, seat if prm else None, False, seat.engine.gpus)


def best(policy: Any | None, prm: Any | None, machine: Machine) -> Placement | None:
    """Where one copy is loaded: apart, so that both work at once, before shared; on the fewest GPUs."""
    return min(ways(policy, prm, machine), key=lambda place: (not place.apart, place.gpus), default=None)


def gpus_needed(policy: Any | None, prm: Any | None, gpu: Gpu) -> int | None:
    """The fewest GPUs of this kind that hold what is in memory at once, or None if ENOUGH are too few."""
    fitting = (count for count in range(1, ENOUGH + 1) if best(policy, prm, Machine(count, gpu)))
    return next(fitting, None)


def _alone(card: Any, machine: Machine) -> Iterator[Seat]:
    for gpus in _spreads(card, machine.count):
        if fit := split([one := engine(card, gpus)], machine.gpu):
            yield Seat(one, fit.tokens[0], fit.shares[0])


def _together(policy: Any, prm: Any, machine: Machine) -> Iterator[Placement]:
    """Sharing the same GPUs, or on GPUs of their own."""
    for gpus in _spreads(policy, machine.count):
        if can_split(prm, gpus):
            both = [engine(policy, gpus), engine(prm, gpus)]
            if fit := split(both, machine.gpu):
                seats = [Seat(*each) for each in zip(both, fit.tokens, fit.shares, strict=True)]
                yield Placement(*seats, apart=False, gpus=gpus)
    scorers = list(_alone(prm, machine))
    for left in _alone(policy, machine):
        for right in scorers:
            if left.engine.gpus + right.engine.gpus <= machine.count:
                yield Placement(left, right, apart=True, gpus=left.engine.gpus + right.engine.gpus)


def _spreads(card: Any, count: int) -> list[int]:
    return [gpus for gpus in SPREADS if gpus <= count and can_split(card, gpus)]


def generate_seconds(seat: Seat, gpu: Gpu, count: float, lengths: Lengths) -> float:
    """To generate `count` whole solutions.

    A decoding step gives one token to each running sequence. It takes as long as the slower of reading weights and
    KV cache from memory, and computing; each at its assumed efficiency, and `step_seconds` in any case. As many
    sequences run as the KV cache holds.
    """
    if count <= 0:
        return 0.0
    one = seat.engine
    batch = min(count, sequences(seat.held, lengths))
    context = lengths.prompt + lengths.solution / 2
    scale = assumptions.TENSOR_PARALLEL if one.gpus > 1 else 1.0
    read = (one.weights + batch * context * one.kv) / (gpu.bandwidth * assumptions.DECODE_BANDWIDTH * scale)
    compute = batch * token_flops(one.card, context) / (one.gpus * gpu.flops * assumptions.COMPUTE * scale)
    return lengths.solution * (count / batch) * (max(read, compute) + assumptions.STEP_SECONDS)


def score_seconds(seat: Seat, gpu: Gpu, tokens: float, lengths: Lengths) -> float:
    """To forward `tokens`, half a solution before each: the slower of computing and reading weights per batch.

    The GPUs that share a PRM's layers work one after the other, so that several are as fast as one.
    """
    one = seat.engine
    compute = tokens * token_flops(one.card, lengths.prompt + lengths.solution / 2) / (gpu.flops * assumptions.COMPUTE)
    read = tokens / assumptions.BATCHED_TOKENS * one.weights * one.gpus / (gpu.bandwidth * assumptions.DECODE_BANDWIDTH)
    return max(compute, read)
