"""GPU memory of a model: bytes of weights, of the KV cache per token, and of activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from ttslib.plan import assumptions
from ttslib.plan.hardware import Gpu
from ttslib.search import Lengths

BF16 = 2
FLOAT32 = 4
RESIDUAL, INNER = 4, 12
"""Channels alive per token at the peak of a layer, in hidden sizes: about 4 of the residual stream and norms, which
every GPU holds, and about 12 of gate, up, queries, keys and values (the MLPs of these models are 3.5 to 5.5 hidden
sizes wide), which are spread over the GPUs."""


def weight_bytes(card: Any) -> float:
    """Parameters x 2 bytes (bf16)."""
    return float(card.parameters) * BF16


def kv_bytes(card: Any, tensor_parallel: int = 1) -> int:
    """Of one token on each GPU: keys and values (2) x layers x key/value heads x head_dim x 2 bytes.

    Tensor parallelism spreads the key/value heads over the GPUs; fewer heads than GPUs are repeated.
    """
    return 2 * card.layers * max(1, ceil(card.kv_heads / tensor_parallel)) * card.head_dim * BF16


def activation_bytes(card: Any, tensor_parallel: int = 1) -> float:
    """Peak on each GPU: one prefill batch of `batched_tokens` inside a layer, and the logits of all sequences.

    Logits are float32 and held twice (the sampler's copy). Only a policy has them for all sequences.
    """
    channels = card.hidden_size * (RESIDUAL + INNER / tensor_parallel)
    logits = 0 if in_turn(card) else assumptions.SEQUENCES * card.vocabulary * FLOAT32 * 2
    return assumptions.BATCHED_TOKENS * channels * BF16 + logits


@dataclass(frozen=True)
class Engine:
    """A model on `gpus` GPUs: a policy spread by tensor parallelism, a PRM (`in_turn`) with its layers on one GPU after
    the other. Bytes are per GPU; `context` is the longest sequence it must hold."""

    card: Any
    gpus: int
    weights: float
    activations: float
    kv: int
    context: int
    in_turn: bool


def engine(card: Any, gpus: int = 1) -> Engine:
    """`card` on that many GPUs; a long reasoner must hold the 32,768 tokens it may write."""
    longest = min(card.context, max(assumptions.CONTEXT, getattr(card, "max_new_tokens", 0)))
    weights = weight_bytes(card) / gpus
    if in_turn(card):
        return Engine(card, gpus, weights, activation_bytes(card, 1), ceil(kv_bytes(card) / gpus), longest,
                      in_turn=True)
    return Engine(card, gpus, weights, activation_bytes(card, gpus), kv_bytes(card, gpus), longest,
                  in_turn=False)


def in_turn(card: Any) -> bool:
    """Whether it is a PRM, whose layers transformers spreads over GPUs; only a policy's card has `max_new_tokens`."""
    return not hasattr(card, "max_new_tokens")


def can_split(card: Any, gpus: int) -> bool:
    """Whether `gpus` can share it: for tensor parallelism they must divide the attention heads (vLLM's rule)."""
    if in_turn(card):
        return gpus <= card.layers
    heads = getattr(card, "heads", None) or card.hidden_size // card.head_dim
    return heads % gpus == 0


@dataclass(frozen=True)
class Split:
    """How engines share the same GPUs: for each, the tokens its KV cache holds and its share of the GPU's memory."""

    tokens: tuple[float, ...]
    shares: tuple[float, ...]


def split(engines: Sequence[Engine], gpu: Gpu) -> Split | None:
    """The memory split of engines that live on the same GPUs, or None if they do not fit.

    They fit if weights, activations and a KV cache for one longest sequence each are within `utilization`; what is left
    over is shared so that each gets the same number of tokens more.
    """
    room = gpu.memory * assumptions.UTILIZATION - sum(each.weights + each.activations for each in engines)
    surplus = room - sum(each.context * each.kv for each in engines)
    if surplus < 0:
        return None
    more = surplus / sum(each.kv for each in engines)
    tokens = tuple(each.context + more for each in engines)
    used = (each.weights + each.activations + held * each.kv for each, held in zip(engines, tokens, strict=True))
    return Split(tokens, tuple(size / gpu.memory for size in used))


def sequences(held: float, lengths: Lengths) -> float:
    """Solutions with their prompts that a KV cache of `held` tokens keeps running; at least one."""
    return max(1.0, min(float(assumptions.SEQUENCES), held / (lengths.prompt + lengths.solution)))
