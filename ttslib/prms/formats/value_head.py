"""Skywork-o1-Open-PRM's format: bos, question and line break, then one step a line.

The score of a step is the sigmoid of the value head at the line break that closes it. As in `prepare_input` of
SkyworkAI/skywork-o1-prm-inference, question and steps are tokenised one by one, and the line break's token is put
behind each step: nothing merges with it. There every line is a step; as in the code of the paper, a step is put on one
line here, its line breaks as spaces.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ttslib.plain_text import PlainText
from ttslib.prms.formats.base import Encoded, Format, linear, one_token

if TYPE_CHECKING:
    import torch
    from torch import nn


class ValueHead(Format):
    """`separator` is a single token of the tokenizer; ValueError otherwise. A tokenizer without bos puts none."""

    name = "value_head"
    architectures = ("Qwen2ForPrmModel",)
    tensors = ("v_head.summary.weight", "v_head.summary.bias")

    def __init__(self, tokenizer, separator: str = "\n"):
        super().__init__(tokenizer)
        self.separator, self.marker = separator, one_token(tokenizer, separator)

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole text, and the index of the separator that closes each step, also of an empty one."""
        plain = PlainText(self.tokenizer, [question, *steps])
        ids = plain.encode((self.tokenizer.bos_token or "") + plain.hide(question) + self.separator)
        positions = []
        for step in steps:
            line = step.replace(self.separator, " ").strip()
            ids += [*(plain.encode(plain.hide(line)) if line else ()), self.marker]
            positions.append(len(ids) - 1)
        return Encoded(tuple(ids), tuple(positions))

    @staticmethod
    @cache
    def network_class() -> type:
        """A Qwen2 body with one value a position, under the tensor names of the original: it loads without remote code.

        The originals' checkpoints also hold the `lm_head` of the model they were trained from, which no score needs.
        """
        from torch import nn
        from transformers import Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

        class Qwen2ForPrmModel(Qwen2PreTrainedModel):
            _keys_to_ignore_on_load_unexpected = [r"^lm_head\."]

            def __init__(self, config: Qwen2Config):
                super().__init__(config)
                self.model = Qwen2Model(config)
                self.v_head = nn.ModuleDict({"summary": nn.Linear(config.hidden_size, 1)})
                self.post_init()

        return Qwen2ForPrmModel

    def scores(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.scores`."""
        return linear(network.v_head["summary"], hidden)[:, 0].sigmoid()

    def set_head(self, network: nn.Module, verdict: torch.Tensor) -> None:
        """See `Format.set_head`."""
        network.v_head["summary"].weight[0], network.v_head["summary"].bias[:] = verdict, 0

    def log_odds(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """See `Format.log_odds`."""
        return network.v_head["summary"](hidden)[:, 0].float()
