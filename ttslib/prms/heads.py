"""The networks of PRMs: a causal LM read at two token ids, or a Qwen2 body with a two-class or a value head.

They have the tensor names of their originals, so that checkpoints load from safetensors without remote code:
`model.*`, `score.0.*`, `score.2.*` of Qwen2.5-Math-PRM; `model.*`, `v_head.summary.*` of Skywork-o1-Open-PRM, whose
checkpoints also hold the `lm_head` of the model they were trained from, which no score depends on.
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


class Qwen2ForPrmModel(Qwen2PreTrainedModel):
    """A Qwen2 body and a linear layer with one output, applied to every position."""

    _keys_to_ignore_on_load_unexpected = [r"^lm_head\."]

    def __init__(self, config: Qwen2Config):
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.v_head = nn.ModuleDict({"summary": nn.Linear(config.hidden_size, 1)})
        self.post_init()


def step_scores(model: nn.Module, hidden: torch.Tensor, format) -> torch.Tensor:
    """Scores in [0, 1] of hidden states [k, width] at step ends: [k].

    Heads compute in float32 whatever the body's dtype, as Skywork's own and vLLM's poolers do: in bf16 a logit of 4 is
    rounded by up to 0.016.
    """
    hidden = hidden.float()
    if format.head == "class":
        first, _, second = model.score
        return _linear(second, _linear(first, hidden).relu()).softmax(-1)[:, 1]
    if format.head == "value":
        return _linear(model.v_head["summary"], hidden)[:, 0].sigmoid()
    return step_logits(model, hidden, format).softmax(-1)[:, 0]


def _linear(layer: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    return nn.functional.linear(hidden, layer.weight.to(hidden), layer.bias.to(hidden))


def step_logits(model: nn.Module, hidden: torch.Tensor, format) -> torch.Tensor:
    """Logits of the format's (good, bad) tokens at hidden states [k, width]: [k, 2]."""
    return hidden @ model.lm_head.weight[list(format.pair)].T.to(hidden)
