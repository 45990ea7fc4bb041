"""What a policy is: the base class of every backend, and the values it works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ttslib import model
from ttslib.canonical import short_hash
from ttslib.model import Model
from ttslib.plain_text import mend

if TYPE_CHECKING:
    from ttslib.problems import Problem
    from ttslib.prompts import Prompt

MAX_TOKENS = 8192
"""New tokens of a whole solution, for most models (the paper's code)."""


@dataclass(frozen=True)
class Step:
    """One sampled step of a path.

    Attributes:
        text: the step, its separator included when one was produced; a lone surrogate becomes U+FFFD.
        tokens: the ids the policy produced; a continuation appends ids and never encodes the text again.
        finish: "step" (separator reached), "eos" (the model ended) or "length" (token limit, or
            no room for a next step).
        logprob: sum of the log-probabilities of `tokens` under the policy, in nats; 0.0 if unknown.
    """

    text: str
    tokens: tuple[int, ...] = ()
    finish: str = "step"
    logprob: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "text", mend(self.text))


@dataclass(frozen=True)
class Path:
    """A problem with the steps taken so far: what a policy continues and a PRM scores.

    `scores` holds one PRM score in [0, 1] per step already scored, so len(scores) <= len(steps).
    """

    problem: Problem
    steps: tuple[Step, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Draw:
    """One request to a policy. Its defaults are the paper's, and those of every search.

    Attributes:
        n: continuations of the path, at least 1; one at temperature 0, where all would be the same.
        seed: decides the samples: the same draw from the same path gives the same steps.
        temperature: from 0, which takes the likeliest token, to 2 (vLLM's limit).
        top_p: above 0 and at most 1. Below 1 it samples from the fewest likeliest tokens that together have this
            probability (after `temperature`). `Step.logprob` counts neither.
        stop: the text that ends a continuation; None for whole solutions.
        max_tokens: of each continuation, at least 1.

    Raises ValueError for a value outside of these ranges.
    """

    n: int
    seed: int
    temperature: float = 0.7
    top_p: float = 1.0
    stop: str | None = None
    max_tokens: int = 2048

    def __post_init__(self):
        if self.n < 1 or self.max_tokens < 1 or not 0 <= self.temperature <= 2 or not 0 < self.top_p <= 1:
            raise ValueError(
                f"n={self.n}, max_tokens={self.max_tokens}, temperature={self.temperature}, top_p={self.top_p}: the "
                f"first two are at least 1, the temperature is from 0 to 2, top_p is above 0 and at most 1."
            )
        if self.n > 1 and self.temperature == 0:
            raise ValueError(f"{self.n} samples at temperature 0 would all be the same; ask for n=1.")


class Policy(Model):
    """A model that continues a solution. A subclass has a `name` and `_sample`; the rest may stay as it is here.

    Attributes:
        separator: the text that ends a step.
        prompt: how it is asked, if it is a `Prompt`.
        sampling: the fields of `SearchConfig` in which this model differs from the defaults.
    """

    separator: str = "\n\n"
    prompt: Prompt | None = None
    sampling: Mapping[str, float] = {}

    @property
    def identity(self) -> dict[str, Any]:
        """See `identity`."""
        return identity(self.name, self.revision, self.prompt, self.settings)

    async def sample(
        self, path: Path, *, n: int, seed: int, temperature: float = Draw.temperature, top_p: float = Draw.top_p,
        stop: str | None = Draw.stop, max_tokens: int = Draw.max_tokens,
    ) -> list[Step]:  # fmt: skip
        """`n` continuations of one path: whole solutions if `stop` is None, one step each if the separator.

        The arguments are those of `Draw`. Raises ValueError for values outside of its ranges and for a path that
        leaves no room to sample, RuntimeError if the policy is closed, its engine or server fails, or another
        thread's event loop is using it.
        """
        try:
            draw = Draw(n, seed, temperature, top_p, stop, max_tokens)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return await self._sample(path, draw)

    async def _sample(self, path: Path, draw: Draw) -> list[Step]:
        """The steps that `sample` asks for, once the request is checked. It adds to `usage`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it samples: give it a method _sample.")

    def close(self) -> None:
        """Frees its memory. What it has sampled can still be scored: `solve` takes a closed policy."""


def identity(name: str, revision: str, prompt: Prompt | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a policy's records apart: as of any model, and the hash of its prompt's content if it has one."""
    return model.identity(name, revision, settings) | ({"prompt": short_hash(asdict(prompt))} if prompt else {})
