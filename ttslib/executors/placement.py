"""Where models are loaded: the paper's, on the GPUs that `ttslib.plan` gives them; any other as its options say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttslib.plan import assumptions
from ttslib.plan.hardware import NO_GPU, Gpu, Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Seat, best
from ttslib.policies import PAPER_POLICIES
from ttslib.prms import PAPER_PRMS, check_backend
from ttslib.profiles import LEAD_POLICY, LEAD_PRM, Profile
from ttslib.runs import ModelSpec


def check_gpu(profile: Profile) -> None:
    """ValueError, before anything is downloaded, if a profile needs a GPU and there is none, or if the paper's models
    in its lead roles do not fit those that there are."""
    if not profile.gpu:
        return
    if not gpus_visible().count:
        raise ValueError(
            f"Profile {profile.name} runs {profile.policy} with {profile.prm} and needs a GPU, and torch sees none "
            f"here: see what it takes with make plan PROFILE={profile.name}, or choose the profile nano."
        )
    placed(profile.cast.policy(LEAD_POLICY), profile.cast.prm(LEAD_PRM))


def placed(policy: ModelSpec | None, prm: ModelSpec | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `load_policy` and `load_prm` are given for models that are in memory at once; one of them may be None.

    The options of a model come before what its placement says; a policy of another backend than vLLM is not placed.
    Without a GPU, and where one of them is not the paper's, nothing is. Raises ValueError if they do not fit.
    """
    own = dict(policy.options) if policy else {}, dict(prm.options) if prm else {}
    cards = policy and PAPER_POLICIES.get(policy.name), prm and PAPER_PRMS.get(prm.name)
    known = [card for card, model in zip(cards, (policy, prm), strict=True) if model]
    machine = gpus_visible() if known and all(known) else NO_GPU
    if not machine.count:
        return own
    if policy and prm:
        for_policy, for_prm = options_for(*cards, machine, own[1].get("backend", "transformers"))
        return for_policy | own[0] if _in_vllm(own[0]) else own[0], for_prm | own[1]
    return (options_alone(known[0], own[0], machine), {}) if policy else ({}, options_alone(known[0], own[1], machine))


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
    in_vllm = _in_vllm(own, "transformers" if prm else "vllm")
    if prm:
        check_backend(card.name, card.format, own.get("backend", "transformers"))
    elif not in_vllm:
        return dict(own)
    where = Machine(1, machine.gpu) if prm and in_vllm else machine
    place = best(None, card, where) if prm else best(card, None, where)
    if place is None:
        raise ValueError(
            f"{card.name}, {weight_bytes(card) / 1e9:.1f} GB of weights, does not fit {machine} of "
            f"{machine.gpu.memory / 1e9:.1f} GB: take a smaller model or more GPUs."
        )
    seat = place.prm or place.policy
    return (_vllm_options(seat) if in_vllm else _prm_options(seat, 0)) | dict(own)


def _in_vllm(own: Mapping[str, Any], default: str = "vllm") -> bool:
    return own.get("backend", default) == "vllm"


def _vllm_options(seat: Seat) -> dict[str, Any]:
    return {
        "backend": "vllm", "tensor_parallel_size": seat.engine.gpus,
        # Rounded down: the shares of both models together must stay below what is free.
        "gpu_memory_utilization": int(seat.share * 10_000) / 10_000,
        "max_model_len": seat.engine.context, "max_num_batched_tokens": assumptions.BATCHED_TOKENS,
    }  # fmt: skip


def _prm_options(seat: Seat, first: int) -> dict[str, Any]:
    """On the GPUs from number `first`, in transformers."""
    return {
        "device": [f"cuda:{first + number}" for number in range(seat.engine.gpus)],
        # Half of what the plan keeps for it: a forward pass copies the keys and values that it goes on from.
        "cache_tokens": int(seat.held / 2), "batch_tokens": assumptions.BATCHED_TOKENS,
    }
