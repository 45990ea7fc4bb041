"""What the formats share whose PRMs are causal LMs that answer with one of two tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttslib.prms.formats.base import Format, one_token

if TYPE_CHECKING:
    import torch
    from torch import nn


class TokenPair(Format):
    """The score is softmax(good, bad) over the next token. Both are single tokens of the tokenizer; ValueError
    otherwise.

    Attributes:
        pair: their ids.
    """

    tensors = ("lm_head.weight",)
    vllm = True

    def __init__(self, tokenizer, good: str, bad: str):
        super().__init__(tokenizer)
        self.pair = (one_token(tokenizer, good), one_token(tokenizer, bad))

    @staticmethod
    def network_class() -> type:
        """See `Format.network_class`."""
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM

    def scores(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.scores`."""
        return self._logits(network, hidden).softmax(-1)[:, 0]

    def set_head(self, network: nn.Module, verdict: torch.Tensor) -> None:
        """See `Format.set_head`."""
        network.lm_head.weight[:] = 0
        for token, sign in zip(self.pair, (0.5, -0.5), strict=True):
            network.lm_head.weight[token] = sign * verdict

    def log_odds(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.log_odds`."""
        logits = self._logits(network, hidden)
        return (logits[:, 0] - logits[:, 1]).float()

    def _logits(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """Of the two tokens, at hidden states [k, width]: [k, 2]."""
        return hidden @ network.lm_head.weight[list(self.pair)].T.to(hidden)
