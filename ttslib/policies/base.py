"""What a policy is: the protocol every backend meets, and the two values it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ttslib.plain_text import mend

if TYPE_CHECKING:
    from ttslib.problems import Problem
    from ttslib.usage import Usage


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
class Sampling:
    """How a policy is sampled unless a search is told otherwise; the defaults are the paper's for most models.

    `cot_temperature` is that of chain of thought, always; `max_step_tokens` bounds a step of a tree search.
    """

    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 8192
    cot_temperature: float = 0.0
    max_step_tokens: int = 2048


class Policy(Protocol):
    """A model that continues a solution.

    Attributes:
        name, revision: which model, for the record.
        separator: the text that ends a step.
        usage: tokens generated and calls made so far; it only grows.
        sampling: the model's own `Sampling`; a policy may do without one.
        closed: whether it can sample no more; a policy may do without it, and without `close`.
    """

    name: str
    revision: str
    separator: str
    usage: Usage

    async def sample(
        self,
        path: Path,
        *,
        n: int,
        seed: int,
        temperature: float = 0.7,
        top_p: float = 1.0,
        stop: str | None = None,
        max_tokens: int = 2048,
    ) -> list[Step]:
        """`n` continuations of one path: whole solutions if `stop` is None, one step each if the separator.

        `seed` decides the samples: the same call gives the same steps. `max_tokens` bounds each continuation.
        Below 1, `top_p` samples from the fewest likeliest tokens that together have this probability (after
        `temperature`). `Step.logprob` counts neither.
        """
        ...

    def close(self) -> None:
        """Frees its memory. What it has sampled can still be scored: `solve` takes a closed policy."""
        ...
