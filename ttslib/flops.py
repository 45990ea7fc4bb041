"""Floating-point operations of transformers and of searches.

`training_flops` and `inference_flops` are the paper's own counting (its Table 4): 6 and 2 per parameter and token,
policy only. `token_flops` and `search_flops` add what that leaves out: attention over the context, the prompt, and the
PRM. A search reads its prompt once, whatever N is and however many steps follow: vLLM keeps the keys and values of a
prefix (but for its last, unfinished block). The transformers backend reads the prefix again at each call; its FLOPs are
counted as if it did not.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ttslib.records import Record


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
    """FLOPs of a search, policy and PRM apart; the paper's Table 4 counts the first only. `prompt`: that part of the
    policy's which reads the prompts."""

    policy: float
    prm: float
    prompt: float = 0.0

    @property
    def total(self) -> float:
        return self.policy + self.prm

    def of_samples(self, share: float) -> SearchFlops:
        """With that share of the samples, behind the same prompts."""
        return SearchFlops(self.prompt + share * (self.policy - self.prompt), share * self.prm, self.prompt)


def search_flops(
    policy: Any, policy_tokens: float, prm: Any | None = None, prm_tokens: float = 0.0, *, context: float = 0.0,
    prompts: float = 0.0, prompt: float = 0.0,
) -> SearchFlops:  # fmt: skip
    """Of `policy_tokens` generated and `prm_tokens` forwarded, each behind `context` tokens on average, and of as many
    `prompts`, of `prompt` tokens each, that the policy read. (Those of the PRM are among its tokens.)"""
    read = prompts * prompt * token_flops(policy, prompt / 2) if prompts and prompt else 0.0
    generated = policy_tokens * token_flops(policy, context) if policy_tokens else 0.0
    forwarded = prm_tokens * token_flops(prm, context) if prm is not None else 0.0
    return SearchFlops(generated + read, forwarded, read)


@dataclass(frozen=True)
class ModelSize:
    """What FLOPs need to know of a model without a card."""

    parameters: int
    layers: int
    hidden_size: int
    heads: int
    head_dim: int


@lru_cache
def size_of(name: str) -> Any:
    """The size of a model by its name in a record: the paper's card, or what the files of a nano model or a folder say.

    Raises ValueError for another Hub id, and for a name or folder that is not there.
    """
    from ttslib.checkpoint import tensors
    from ttslib.policies.registry import PAPER_POLICIES
    from ttslib.prms.registry import PAPER_PRMS
    from ttslib.zoo import model_folder, read_config

    if card := PAPER_POLICIES.get(name) or PAPER_PRMS.get(name):
        return card
    try:
        folder = model_folder(name)
    except ValueError:
        folder = ""
    if isinstance(folder, str):
        raise ValueError(f"{name} is no model of the paper, no nano model and no folder, so its size is not known.")
    config, _ = read_config(folder)
    heads, width = config["num_attention_heads"], config["hidden_size"]
    return ModelSize(
        sum(tensors(folder).values()), config["num_hidden_layers"], width, heads,
        config.get("head_dim") or width // heads,
    )  # fmt: skip


def prompt_tokens(record: Record) -> float:
    """Of its prompt, read once; 0 if the cell failed before the policy was asked, NaN if the record does not say."""
    return record.policy_usage.get("prompt", math.nan if record.policy_usage.get("calls") else 0)


def record_flops(record: Record) -> SearchFlops:
    """Of one search, failed or not.

    A token's context is that of the record's mean token: the prompt and what stands before it on its path. NaN, and a
    warning that says why, where a model's size or the prompt is not known.
    """
    policy, prm = (_size(record.cell[part]["name"]) if record.cell.get(part) else None for part in ("policy", "prm"))
    prompt = prompt_tokens(record)
    if math.isnan(prompt):
        _warn(f"a record of {record.cell['policy']['name']} does not say how long its prompt was.")
    before, tokens = record.context()
    return search_flops(
        policy, record.policy_usage.get("tokens", 0), prm, record.prm_usage.get("tokens", 0),
        context=prompt + (before / tokens if tokens else 0.0), prompts=1, prompt=prompt,
    )  # fmt: skip


def _size(name: str) -> Any:
    try:
        return size_of(name)
    except ValueError as reason:
        _warn(str(reason))
        return ModelSize(*[math.nan] * 5)


def _warn(reason: str) -> None:
    warnings.warn(f"FLOPs are unknown: {reason}", stacklevel=2)
