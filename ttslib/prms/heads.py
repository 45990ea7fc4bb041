"""Loads a PRM's network: a causal LM read at two token ids, or a Qwen2 body with a two-class head.

The two-class network has the tensor names of Qwen2.5-Math-PRM (`model.*`, `score.0.*`, `score.2.*`), so its
checkpoints load from safetensors without remote code.
"""

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2Model, Qwen2PreTrainedModel


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):
    """A Qwen2 body and a two-layer head with two classes, applied to every position."""

    def __init__(self, config: Qwen2Config):
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, 2)
        )
        self.post_init()


def step_scores(model: nn.Module, hidden: torch.Tensor, format) -> torch.Tensor:
    """Scores in [0, 1] of hidden states [k, width] at step ends: [k], in float32."""
    if format.head == "class":
        return model.score(hidden).float().softmax(-1)[:, 1]
    return step_logits(model, hidden, format).float().softmax(-1)[:, 0]


def step_logits(model: nn.Module, hidden: torch.Tensor, format) -> torch.Tensor:
    """Logits of the format's (good, bad) tokens at hidden states [k, width]: [k, 2]."""
    return hidden @ model.lm_head.weight[list(format.pair)].T.to(hidden.dtype)
