"""Where models go: on which GPUs, with which share of their memory, as `ttslib.plan` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttslib.plan.assumptions import DEFAULT
from ttslib.plan.hardware import NO_GPU, Gpu, Machine
from ttslib.plan.memory import weight_bytes
from ttslib.plan.placement import Seat, alone, best
from ttslib.policies import PAPER_POLICIES
from ttslib.prms import PAPER_PRMS, check_backend
from ttslib.profiles import Profile
from ttslib.runs import ModelSpec


def placed(policy: ModelSpec | None, prm: ModelSpec | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `load_policy` and `load_prm` are given for models that are in memory together, or for one alone.

    Where there are GPUs the paper's models get those that `options_for` or `options_alone` give them; any other model
    has its own defaults. A model's own options come before what the placement says; a policy of another backend than
    vLLM is not placed. Raises ValueError if they do not fit.
    """
    own = dict(policy.options) if policy else {}, dict(prm.options) if prm else {}
    cards = policy and PAPER_POLICIES.get(policy.name), prm and PAPER_PRMS.get(prm.name)
    if not any(cards) or not (machine := gpus_visible()).count:
        return own
    if all(cards):
        for_policy, for_prm = options_for(*cards, machine, own[1].get("backend", "transformers"))
        return _over(for_policy, own[0]), for_prm | own[1]
    if policy and prm:  # one of them has no card, so nobody can say what the two need together
        return own
    return tuple(options_alone(card, mine, machine) if card else mine for card, mine in zip(cards, own, strict=True))


def check_gpu(profile: Profile) -> None:
    """ValueError if the profile needs a GPU and there is none, or its lead pair does not fit."""
    if not profile.gpu:
        return
    if not gpus_visible().count:
        raise ValueError(
            f"Profile {profile.name} runs {profile.policy} with {profile.prm} and needs a GPU, and torch sees none "
            f"here: see what it takes with make plan PROFILE={profile.name}, or choose the profile nano."
        )
    placed(ModelSpec.of(profile.policy), ModelSpec.of(profile.prm))


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
