"""What a PRM's format is: how a question and its steps become ids, and how what the network gives becomes scores.

A text is tokenised as the model's authors do it, most of them at once: pieces joined afterwards can differ from it.
Question and steps are plain text, whatever control tokens they spell (`ttslib.plain_text`).

Nothing here or in a format's file imports torch or transformers before a network is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ttslib.prms.base import Unread

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ttslib.policies.base import Path


@dataclass(frozen=True)
class Encoded:
    """`ids` of the whole input; `positions[i]` is the index at which the score of step i is read."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


class Format(ABC):
    """How one family of PRMs is asked and read. A subclass is one file; `register` makes it known.

    It is built with the tokenizer of a checkpoint and the `format_options` of `load_prm`. `set_head` and `log_odds` are
    for training by `ttslib.nano.train_prm`; a format that nothing is trained in does without.

    Attributes:
        name: what `load_prm` and `prm_format` in a config.json call it.
        architectures: those in a config.json that mean it. None of causal LMs, which policies have too.
        tensors: what its head needs of a checkpoint, beside the body `model.*`; all in one module of the network.
        vllm: whether vLLM can score it: a score is the first of a softmax over two next tokens, `pair`.
        tokenizer: what it was built with.
    """

    name: ClassVar[str] = ""
    architectures: ClassVar[tuple[str, ...]] = ()
    tensors: ClassVar[tuple[str, ...]] = ()
    vllm: ClassVar[bool] = False

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    @abstractmethod
    def encode(self, question: str, steps: list[str]) -> Encoded:
        """The input for a question and its steps. Raises MarkerInStep if a step holds what ends one."""

    @staticmethod
    @abstractmethod
    def network_class() -> type:
        """The class whose `from_pretrained` loads the network: one of transformers, with a causal body `model`."""

    @abstractmethod
    def scores(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """Scores in [0, 1] of the float32 hidden states [k, width] at step ends: [k], in float32.

        Heads compute in float32 whatever the body's dtype, as Skywork's own and vLLM's poolers do: in bf16 a logit of 4
        is rounded by up to 0.016.
        """

    def head(self, network: nn.Module) -> nn.Module:
        """The module of the network that holds `tensors`."""
        return getattr(network, self.tensors[0].partition(".")[0])

    def set_head(self, network: nn.Module, verdict: torch.Tensor) -> None:
        """Makes the log-odds of a step's score the product of its hidden state and `verdict` [width]."""
        raise NotImplementedError(f"The format {self.name!r} has no `set_head`, so no PRM can be trained in it.")

    def log_odds(self, network: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        """Log-odds of the scores of hidden states [k, width], computed in the dtype of training: [k], in float32."""
        raise NotImplementedError(f"The format {self.name!r} has no `log_odds`, so no PRM can be trained in it.")


class MarkerInStep(ValueError):
    """A step holds the marker at which the format reads scores."""


def encode_path(format: Format, path: Path, context: int) -> Encoded | Unread:
    """A path in the PRM's format, or why it cannot be read."""
    try:
        encoded = format.encode(path.problem.question, [step.text for step in path.steps])
    except MarkerInStep:
        return Unread.MARKER
    return encoded if len(encoded.ids) <= context else Unread.LONG


def step_markers(marker: int, steps: int, ids: Sequence[int], bare: Callable[[], list[int]]) -> tuple[int, ...]:
    """Indices in `ids` of the markers that end the steps; those of the question come before them and do not count.

    `bare` gives the ids of the same text without steps. Raises MarkerInStep if there are other markers.
    """
    found = [i for i, token in enumerate(ids) if token == marker]
    if len(found) != steps and len(found) != steps + bare().count(marker):
        raise MarkerInStep(f"{steps} steps but {len(found)} markers: a step holds the marker.")
    return tuple(found[len(found) - steps :])


def shared_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first ids two sequences have in common."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def one_token(tokenizer, text: str) -> int:
    """The id of `text` as a single token; ValueError if it splits into several."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    if len(ids) != 1:
        raise ValueError(f"{text!r} is {len(ids)} tokens in this tokenizer; the PRM format needs it to be one.")
    return ids[0]


def linear(layer: nn.Linear, states: torch.Tensor) -> torch.Tensor:
    """`layer` of `states`, in their dtype and on their device, whatever its own."""
    from torch.nn import functional

    return functional.linear(states, layer.weight.to(states), layer.bias.to(states))
