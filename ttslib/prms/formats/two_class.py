"""Qwen2.5-Math-PRM's format: a chat whose assistant steps each end in <extra_0>, read by a two-class head there.

The score is the softmax probability of class 1 at each marker, as on the model card of Qwen/Qwen2.5-Math-PRM-7B. Its
code there drops probabilities that are exactly zero; here each step has its position, and so always its score.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ttslib.plain_text import PlainText
from ttslib.prms.formats.base import Encoded, Format, MarkerInStep, linear, one_token, step_markers

if TYPE_CHECKING:
    import torch
    from torch import nn


class TwoClass(Format):
    """`marker` is a single token of the tokenizer; ValueError otherwise. Without `system` there is none but what the
    tokenizer's chat template puts there itself."""

    name = "two_class"
    architectures = ("Qwen2ForProcessRewardModel",)
    tensors = ("score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias")

    def __init__(self, tokenizer, marker: str = "<extra_0>", system: str | None = None):
        super().__init__(tokenizer)
        self.text_marker, self.system = marker, system
        self.marker = one_token(tokenizer, marker)

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole chat, and the index of each step's marker; MarkerInStep if a step holds it itself."""
        if any(self.text_marker in step for step in steps):
            raise MarkerInStep(f"A step holds the marker {self.text_marker!r}.")
        plain = PlainText(self.tokenizer, [question, *steps], self.text_marker)

        def ids_of(steps: list[str]) -> list[int]:
            messages = [] if self.system is None else [{"role": "system", "content": self.system}]
            answer = "".join(plain.hide(step.strip()) + self.text_marker for step in steps)
            messages += [{"role": "user", "content": plain.hide(question)}, {"role": "assistant", "content": answer}]
            return plain.encode(self.tokenizer.apply_chat_template(messages, tokenize=False))

        ids = ids_of(steps)
        return Encoded(tuple(ids), step_markers(self.marker, len(steps), ids, lambda: ids_of([])))

    @staticmethod
    @cache
    def network_class() -> type:
        """A Qwen2 body with a two-layer head, under the tensor names of the original: it loads without remote code."""
        from torch import nn
        from transformers import Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

        class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):
            def __init__(self, config: Qwen2Config):
                super().__init__(config)
                self.model = Qwen2Model(config)
                self.score = nn.Sequential(
                    nn.Linear(config.hidden_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, 2)
                )
                self.post_init()

        return Qwen2ForProcessRewardModel

    def scores(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.scores`."""
        first, _, second = network.score
        return linear(second, linear(first, hidden).relu()).softmax(-1)[:, 1]

    def set_head(self, network: nn.Module, verdict: torch.Tensor) -> None:
        """See `Format.set_head`."""
        first, _, second = network.score
        first.weight[0], first.weight[1], first.bias[:] = verdict, -verdict, 0
        second.weight[:], second.bias[:] = 0, 0
        second.weight[:, :2] = second.weight.new_tensor([[-0.5, 0.5], [0.5, -0.5]])

    def log_odds(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.log_odds`."""
        logits = network.score(hidden)
        return (logits[:, 1] - logits[:, 0]).float()
