"""GPUs that the paper's models need, and which of a machine's they get; other models go where their options say.

*Dedicated* models have GPUs of their own, *colocated* ones share them. Several GPUs hold a policy by tensor
parallelism, a PRM (in transformers) with its layers on one after the other, which makes room and not speed. Weights and
KV cache are bf16. What activations take is estimated, and none of it was compared with a real model on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from ttslib.executors.hardware import NO_GPU, Machine, gpus_visible
from ttslib.policies import PAPER_POLICIES, PolicyCard
from ttslib.prms import PAPER_PRMS, PRMCard, check_backend
from ttslib.profiles import LEAD_POLICY, LEAD_PRM, Profile
from ttslib.runs import ModelSpec

Card = PolicyCard | PRMCard
CARDS: dict[str, Card] = PAPER_POLICIES | PAPER_PRMS
UTILIZATION = 0.9
"""Share of a GPU's memory that models may take; the rest is for CUDA's context and graphs, and fragments."""
SEQUENCES, BATCHED_TOKENS = 256, 8192
"""Of one engine at most: generated side by side, and in one prefill batch."""
CONTEXT = 8192
"""Prompt and solution of an ordinary policy and of a PRM, in tokens (the paper's servers)."""
SPREADS = (1, 2, 4, 8)
"""Numbers of GPUs that one model may take, within one node."""
ENOUGH = 16
"""GPUs up to which `gpus_needed` looks."""


@dataclass(frozen=True)
class Placed:
    """A model on `gpus` GPUs from number `first`. share: of each GPU's memory, KV cache included; kv_tokens: tokens the
    KV cache holds."""

    card: Card
    gpus: int
    share: float
    kv_tokens: float
    first: int = 0


def cards_of(*names: str) -> list[Card]:
    """The cards of models by name, without those named "". Raises ValueError for one that is not the paper's, since the
    memory that it takes is not known."""
    if unknown := next((name for name in names if name and name not in CARDS), ""):
        raise ValueError(f"{unknown} is no model of the paper, so the memory that it takes is not known.")
    return [CARDS[name] for name in names if name]


def place(cards: Sequence[Card], machine: Machine) -> tuple[Placed, ...] | None:
    """Where models that are in memory at once go, in the order given; None if they do not fit.

    Dedicated if there are GPUs enough, so that all work at once, else colocated; each way on as few as will do.
    """
    alone = [_fewest([card], machine) for card in cards]
    if not all(alone) or sum(each.gpus for (each,) in alone) > machine.count:
        return _fewest(cards, machine)
    found: list[Placed] = []
    for (each,) in alone:
        found.append(replace(each, first=sum(before.gpus for before in found)))
    return tuple(found)


def gpus_needed(cards: Sequence[Card], machine: Machine) -> int | None:
    """The fewest GPUs of the machine's kind that hold these models at once; None if `ENOUGH` are too few."""
    return next((count for count in range(1, ENOUGH + 1) if place(cards, replace(machine, count=count))), None)


def weight_bytes(card: Card) -> int:
    """Of all parameters, in bf16."""
    return 2 * card.parameters


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
    Without a GPU, and where one of them is not the paper's, nothing is. Raises ValueError if they do not fit, or the
    backend does not score the PRM's format.
    """
    own = dict(policy.options) if policy else {}, dict(prm.options) if prm else {}
    cards = policy and PAPER_POLICIES.get(policy.name), prm and PAPER_PRMS.get(prm.name)
    known = all(card for card, model in zip(cards, (policy, prm), strict=True) if model)
    in_vllm = own[0].get("backend", "vllm") == "vllm"
    machine = gpus_visible() if known and (prm or (policy and in_vllm)) else NO_GPU
    if not machine.count:
        return own
    for_policy, for_prm = options_for(*cards, machine, own[1].get("backend", "transformers"))
    return for_policy | own[0] if in_vllm else own[0], for_prm | own[1]


def options_for(
    policy: PolicyCard | None, prm: PRMCard | None, machine: Machine, prm_backend: str = "transformers"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `load_policy` and `load_prm` are given, from the cards of the models: the GPUs that `place` says.

    vLLM engines of one process share its first GPU. The policy's context does not depend on the PRM, so that all PRMs
    score the same samples. Raises ValueError if they do not fit, or the backend does not score the PRM's format.
    """
    cards, prm_in_vllm = [card for card in (policy, prm) if card], prm is not None and prm_backend == "vllm"
    if prm:
        check_backend(prm.name, prm.format, prm_backend)
    found = place(cards, replace(machine, count=1) if prm_in_vllm else machine)
    if found is None:
        where, more = f"{machine} of", "more GPUs"
        if prm_in_vllm:
            where, more = "the one GPU that vLLM engines of a process share, of", "backend='transformers' for the PRM"
        raise ValueError(
            f"{' with '.join(card.name for card in cards)}, {sum(map(weight_bytes, cards)) / 1e9:.1f} GB of weights, "
            f"does not fit {where} {machine.memory / 1e9:.1f} GB: take smaller models or {more}."
        )
    return (
        _vllm_options(found[0]) if policy else {},
        {} if prm is None else _vllm_options(found[-1]) if prm_in_vllm else _prm_options(found[-1]),
    )


def _vllm_options(model: Placed) -> dict[str, Any]:
    return {
        "backend": "vllm", "tensor_parallel_size": model.gpus,
        # Rounded down: the shares of both models together must stay below what is free.
        "gpu_memory_utilization": int(model.share * 10_000) / 10_000,
        "max_model_len": _context(model.card), "max_num_batched_tokens": BATCHED_TOKENS,
    }  # fmt: skip


def _prm_options(model: Placed) -> dict[str, Any]:
    return {
        "device": [f"cuda:{model.first + number}" for number in range(model.gpus)],
        # Half of what is kept for it: a forward pass copies the keys and values that it goes on from.
        "cache_tokens": int(model.kv_tokens / 2), "batch_tokens": BATCHED_TOKENS,
    }


def _fewest(cards: Sequence[Card], machine: Machine) -> tuple[Placed, ...] | None:
    tried = (_colocated(cards, gpus, machine.memory) for gpus in SPREADS if gpus <= machine.count)
    return next((found for found in tried if found), None)


def _colocated(cards: Sequence[Card], gpus: int, memory: float) -> tuple[Placed, ...] | None:
    """Models fit together if there is room for the longest sequence of each; what is left over is shared so that the
    KV cache of each holds the same number of tokens more."""
    if any(isinstance(card, PolicyCard) and card.heads % gpus for card in cards):
        return None  # tensor parallelism divides the attention heads
    sizes = [(*_bytes_per_gpu(card, gpus), _context(card)) for card in cards]
    left = UTILIZATION * memory - sum(fixed + token * longest for fixed, token, longest in sizes)
    if left < 0:
        return None
    more = left / sum(token for _, token, _ in sizes)
    return tuple(
        Placed(card, gpus, (fixed + token * (longest + more)) / memory, longest + more)
        for card, (fixed, token, longest) in zip(cards, sizes, strict=True)
    )


def _context(card: Card) -> int:
    """Tokens of the longest sequence: a long reasoner must hold all that it may write."""
    return min(card.context, max(CONTEXT, getattr(card, "max_new_tokens", 0)))


def _bytes_per_gpu(card: Card, gpus: int) -> tuple[float, float]:
    """(weights and activations, keys and values of one token).

    Activations are those of one prefill batch inside a layer: about 4 hidden sizes a token, and about 12 (gate, up,
    queries, keys, values) that tensor parallelism spreads; and a policy's logits, in float32 and held twice. Tensor
    parallelism repeats key/value heads where there are fewer than GPUs.
    """
    inner, heads, logits = 12 / gpus, ceil(card.kv_heads / gpus), 8 * SEQUENCES * card.vocabulary
    if isinstance(card, PRMCard):
        inner, heads, logits = 12, card.kv_heads / gpus, 0
    activations = 2 * BATCHED_TOKENS * card.hidden_size * (4 + inner) + logits
    return weight_bytes(card) / gpus + activations, 4 * card.layers * card.head_dim * heads
