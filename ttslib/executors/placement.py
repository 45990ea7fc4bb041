"""A profile's policy and PRM, loaded; where they need GPUs, on those that `ttslib.plan` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttslib.plan.assumptions import DEFAULT
from ttslib.plan.hardware import NO_GPU, Gpu, Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Seat, alone, best
from ttslib.policies import PAPER_POLICIES, Policy, load_policy
from ttslib.prms import PAPER_PRMS, PRM, check_backend, load_prm
from ttslib.profiles import LEAD_POLICY, LEAD_PRM, Profile


def load_models(profile: Profile, *, prm_backend: str = "transformers",
                policy_options: Mapping[str, Any] | None = None,
                prm_options: Mapping[str, Any] | None = None) -> tuple[Policy, PRM]:  # fmt: skip
    """The lead policy and PRM of a profile, with the options that its cast gives them.

    Where the profile needs a GPU the paper's models are placed by `options_for`; any other model has its own defaults.
    `prm_backend` is the `backend` of `load_prm`. `policy_options` and `prm_options` go to `load_policy` and `load_prm`,
    and come before what the placement says; a policy of another backend than vLLM is not placed. Raises ValueError,
    before anything is downloaded, if there is no GPU or they do not fit; and as `load_policy` and `load_prm` do.
    """
    policy, prm = profile.cast.policy(LEAD_POLICY), profile.cast.prm(LEAD_PRM)
    for_policy = dict(policy.options) | dict(policy_options or {})
    for_prm = {"backend": prm_backend} | dict(prm.options) | dict(prm_options or {})
    if placed := placement(profile, for_prm["backend"]):
        for_policy, for_prm = _over(placed[0], for_policy), placed[1] | for_prm
    return load_policy(policy.name, **for_policy), load_prm(prm.name, **for_prm)


def placement(profile: Profile, prm_backend: str = "transformers") -> tuple[dict[str, Any], dict[str, Any]] | None:
    """`options_for` of a profile's models; None where they are not both the paper's, or the profile needs no GPU.

    Raises ValueError if the profile needs a GPU and there is none, or they do not fit.
    """
    if not profile.gpu:
        return None
    machine = gpus_visible()
    if not machine.count:
        raise ValueError(
            f"Profile {profile.name} runs {profile.policy} with {profile.prm} and needs a GPU, and torch sees none "
            f"here: see what it takes with make plan PROFILE={profile.name}, or choose the profile nano."
        )
    if profile.policy not in PAPER_POLICIES or profile.prm not in PAPER_PRMS:
        return None
    return options_for(PAPER_POLICIES[profile.policy], PAPER_PRMS[profile.prm], machine, prm_backend)


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
    score the same samples. Raises ValueError if they do not fit, or the backend does not score the PRM's format.
    """
    check_backend(prm.name, prm.format, prm_backend)
    both_vllm = prm_backend == "vllm"
    place = best(policy, prm, Machine(1, machine.gpu) if both_vllm else machine)
    if place is None:
        weights = (weight_bytes(policy) + weight_bytes(prm)) / 1e9
        where, more = f"{machine} of", "more GPUs"
        if both_vllm:
            where, more = "the one GPU that two vLLM engines of a process share, of", "prm_backend='transformers'"
        raise ValueError(
            f"{policy.name} with {prm.name}, {weights:.1f} GB of weights, does not fit {where} "
            f"{machine.gpu.memory / 1e9:.1f} GB: take smaller models or {more}."
        )
    first = place.policy.engine.gpus if place.apart else 0
    return _vllm_options(place.policy), _vllm_options(place.prm) if both_vllm else _prm_options(place.prm, first)


def options_alone(card: Any, own: Mapping[str, Any], machine: Machine) -> dict[str, Any]:
    """What `load_policy` or `load_prm` is given for a model that has the GPUs to itself, the fewest that hold it, and
    over that its `own` options.

    Raises ValueError if it does not fit.
    """
    prm = hasattr(card, "format")
    in_vllm = own.get("backend", "transformers" if prm else "vllm") == "vllm"
    if prm:
        check_backend(card.name, card.format, own.get("backend", "transformers"))
    elif not in_vllm:
        return dict(own)
    seat = next(alone(card, Machine(1, machine.gpu) if prm and in_vllm else machine), None)
    if seat is None:
        raise ValueError(
            f"{card.name}, {weight_bytes(card) / 1e9:.1f} GB of weights, does not fit {machine} of "
            f"{machine.gpu.memory / 1e9:.1f} GB: take a smaller model or more GPUs."
        )
    return (_vllm_options(seat) if in_vllm else _prm_options(seat, 0)) | dict(own)


def _over(placed: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """A policy's own options over those of its placement, which only vLLM understands."""
    return placed | own if own.get("backend", "vllm") == "vllm" else own


def _vllm_options(seat: Seat) -> dict[str, Any]:
    return {
        "backend": "vllm", "tensor_parallel_size": seat.engine.gpus,
        # Rounded down: the shares of both models together must stay below what is free.
        "gpu_memory_utilization": int(seat.share * 10_000) / 10_000,
        "max_model_len": seat.engine.context, "max_num_batched_tokens": DEFAULT.batched_tokens,
    }  # fmt: skip


def _prm_options(seat: Seat, first: int) -> dict[str, Any]:
    """On the GPUs from number `first`, in transformers."""
    return {
        "device": [f"cuda:{first + number}" for number in range(seat.engine.gpus)],
        # Half of what the plan keeps for it: a forward pass copies the keys and values that it goes on from.
        "cache_tokens": int(seat.held / 2), "batch_tokens": DEFAULT.batched_tokens,
    }
