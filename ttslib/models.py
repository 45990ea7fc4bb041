"""A profile's policy and PRM, loaded; where they need GPUs, on those that `ttslib.plan` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ttslib.plan.assumptions import DEFAULT
from ttslib.plan.hardware import NO_GPU, Gpu, Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Seat, alone, best
from ttslib.policies import PAPER_POLICIES, Policy, load_policy
from ttslib.prms import PAPER_PRMS, PRM, load_prm

if TYPE_CHECKING:
    from ttslib.profiles import Profile


def load_models(profile: Profile, *, prm_backend: str = "transformers",
                policy_options: Mapping[str, Any] | None = None,
                prm_options: Mapping[str, Any] | None = None) -> tuple[Policy, PRM]:  # fmt: skip
    """Policy and PRM of a profile.

    Where the profile needs a GPU the paper's models are placed by `options_for`; any other model has its own defaults.
    `prm_backend` is the `backend` of `load_prm`. `policy_options` and `prm_options` go to `load_policy` and `load_prm`,
    and come before what the placement says.
    Raises ValueError, before anything is downloaded, if there is no GPU or they do not fit; and as `load_policy` and
    `load_prm` do.
    """
    for_policy, for_prm = {}, {}
    if profile.gpu:
        machine = check_gpu(profile)
        if profile.policy in PAPER_POLICIES and profile.prm in PAPER_PRMS:
            cards = PAPER_POLICIES[profile.policy], PAPER_PRMS[profile.prm]
            for_policy, for_prm = options_for(*cards, machine, prm_backend)
    policy = load_policy(profile.policy, **for_policy | dict(policy_options or {}))
    return policy, load_prm(profile.prm, **{"backend": prm_backend} | for_prm | dict(prm_options or {}))


def check_gpu(profile: Profile) -> Machine:
    """The GPUs that torch sees; ValueError if the profile needs one and there is none."""
    machine = gpus_visible()
    if profile.gpu and not machine.count:
        raise ValueError(
            f"Profile {profile.name} runs {profile.policy} with {profile.prm} and needs a GPU, and torch sees none "
            f"here: see what it takes with make plan PROFILE={profile.name}, or choose the profile nano."
        )
    return machine


def gpus_visible() -> Machine:
    """As many GPUs as torch sees, each with the memory of the smallest; speeds, which place nothing, are not asked."""
    import torch

    if not (count := torch.cuda.device_count()):
        return NO_GPU
    found = [torch.cuda.get_device_properties(place) for place in range(count)]
    least = min(found, key=lambda each: each.total_memory)
    return Machine(count, Gpu(least.name, least.total_memory, 0.0, 0.0))


def options_for(
    policy: Any, prm: Any, machine: Machine, prm_backend: str = "transformers"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `load_policy` and `load_prm` are given, from the cards of the two models.

    The policy gets the first GPUs with its share of their memory, the PRM those behind them, or else the same ones. Two
    vLLM engines of one process share its first GPU. The policy's context does not depend on the PRM, so that all PRMs
    score the same samples. Raises ValueError if they do not fit.
    """
    if prm_backend == "vllm" and machine.count:
        machine = Machine(1, machine.gpu)
    place = best(policy, prm, machine)
    if place is None:
        weights = (weight_bytes(policy) + weight_bytes(prm)) / 1e9
        raise ValueError(
            f"{policy.name} with {prm.name}, {weights:.1f} GB of weights, does not fit {machine} "
            f"of {machine.gpu.memory / 1e9:.1f} GB: take smaller models or more GPUs."
        )
    first = place.policy.engine.gpus if place.apart else 0
    for_policy = _policy_options(place.policy)
    if prm_backend == "vllm":
        return for_policy, {"backend": "vllm", "gpu_memory_utilization": _share(place.prm)}
    return for_policy, _prm_options(place.prm, first)


def options_alone(card: Any, machine: Machine) -> dict[str, Any]:
    """What `load_policy` or `load_prm` is given for a model that has the GPUs to itself: the fewest that hold it.

    Raises ValueError if it does not fit.
    """
    seat = next(alone(card, machine), None)
    if seat is None:
        raise ValueError(
            f"{card.name}, {weight_bytes(card) / 1e9:.1f} GB of weights, does not fit {machine} of "
            f"{machine.gpu.memory / 1e9:.1f} GB: take a smaller model or more GPUs."
        )
    return _prm_options(seat, 0) if seat.engine.in_turn else _policy_options(seat)


def _policy_options(seat: Seat) -> dict[str, Any]:
    return {
        "backend": "vllm", "tensor_parallel_size": seat.engine.gpus,
        "gpu_memory_utilization": _share(seat),
        "max_model_len": seat.engine.context, "max_num_batched_tokens": DEFAULT.batched_tokens,
    }  # fmt: skip


def _share(seat: Seat) -> float:
    """Rounded down: the shares of both models together must stay below what is free."""
    return int(seat.share * 10_000) / 10_000


def _prm_options(seat: Seat, first: int) -> dict[str, Any]:
    """On the GPUs from number `first`."""
    return {
        "device": [f"cuda:{first + number}" for number in range(seat.engine.gpus)],
        # Half of what the plan keeps for it: a forward pass copies the keys and values that it goes on from.
        "cache_tokens": int(seat.held / 2), "batch_tokens": DEFAULT.batched_tokens,
    }
