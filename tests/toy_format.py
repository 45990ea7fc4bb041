"""A PRM format of one's own in one file; `register(ToyFormat)` makes it known. And a checkpoint that has it."""

import torch
from torch import nn
from transformers import LlamaConfig, LlamaModel, LlamaPreTrainedModel

from ttslib.nano.tokenizer import build_tokenizer
from ttslib.prms.formats import Encoded, Format, linear


class LlamaForToyScores(LlamaPreTrainedModel):
    def __init__(self, config: LlamaConfig):
        super().__init__(config)
        self.model = LlamaModel(config)
        self.scorer = nn.Linear(config.hidden_size, 1)
        self.post_init()


class ToyFormat(Format):
    """Question and steps as they are; the score of a step is the sigmoid of one value at its last token."""

    name = "toy"
    architectures = ("LlamaForToyScores",)
    tensors = ("scorer.weight", "scorer.bias")

    def __init__(self, tokenizer, ending: str = "!"):
        super().__init__(tokenizer)
        self.ending = ending

    def encode(self, question: str, steps: list[str]) -> Encoded:
        ids, positions = self.tokenizer.encode(question, add_special_tokens=False), []
        for step in steps:
            ids += self.tokenizer.encode(step.strip() + self.ending, add_special_tokens=False)
            positions.append(len(ids) - 1)
        return Encoded(tuple(ids), tuple(positions))

    @staticmethod
    def network_class() -> type:
        return LlamaForToyScores

    def scores(self, network: LlamaForToyScores, hidden: torch.Tensor) -> torch.Tensor:
        return linear(network.scorer, hidden)[:, 0].sigmoid()


def write_toy_prm(folder, **config) -> None:
    """A small PRM with random weights, large enough that its scores differ, with the nano tokenizer."""
    tokenizer = build_tokenizer("llama")
    torch.manual_seed(0)
    LlamaForToyScores(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=1,
        num_key_value_heads=1, max_position_embeddings=512, initializer_range=0.3, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, **config,
    )).save_pretrained(folder)  # fmt: skip
    tokenizer.save_pretrained(folder)
