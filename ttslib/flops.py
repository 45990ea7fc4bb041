"""Floating-point operations of transformers and of searches.

`training_flops` and `inference_flops` are the paper's own counting (its Table 4): 6 and 2 per parameter and token,
policy only. `token_flops` and `search_flops` add what that leaves out: attention over the context, and the PRM.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def training_flops(parameters: float, tokens: float) -> float:
    """Pre-training: 6 x parameters x tokens (2 forward, 4 backward), as in Table 4."""
    return 6.0 * parameters * tokens


def inference_flops(parameters: float, tokens: float) -> float:
    """Generating `tokens`: 2 x parameters x tokens (a multiply and an add per weight), as in Table 4."""
    return 2.0 * parameters * tokens


def active_parameters(card: Any) -> float:
    """Parameters that one token meets; all of them unless the card says otherwise (mixtures of experts)."""
    return getattr(card, "active_parameters", None) or card.parameters


def attention_flops(card: Any, context: float) -> float:
    """Per token: QK^T and the weighted sum of V, each a multiply and an add per layer, context token and channel.

    So 4 x layers x heads x head_dim x context. Sharing key/value heads (GQA) saves memory, not these operations. A card
    without `heads` counts hidden_size channels, which is the same for every model of the paper.
    """
    heads = getattr(card, "heads", None)
    channels = heads * card.head_dim if heads else card.hidden_size
    return 4.0 * card.layers * channels * context


def token_flops(card: Any, context: float = 0.0) -> float:
    """One token's forward pass behind `context` tokens of prompt and earlier steps (their keys and values kept)."""
    return 2.0 * active_parameters(card) + attention_flops(card, context)


@dataclass(frozen=True)
class SearchFlops:
    """FLOPs of a search, policy and PRM apart; the paper's Table 4 counts the first only."""

    policy: float
    prm: float

    @property
    def total(self) -> float:
        return self.policy + self.prm


def search_flops(
    policy: Any, policy_tokens: float, prm: Any | None = None, prm_tokens: float = 0.0, *, context: float = 0.0
) -> SearchFlops:
    """Of `policy_tokens` generated and `prm_tokens` forwarded, each behind `context` tokens on average."""
    return SearchFlops(
        policy_tokens * token_flops(policy, context) if policy_tokens else 0.0,
        prm_tokens * token_flops(prm, context) if prm is not None else 0.0,
    )
