"""Every setting of a search, with its default: the only place where defaults stand."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ttslib.policies.base import MAX_TOKENS, Draw


@dataclass(frozen=True)
class SearchConfig:
    """The settings of one search; the defaults are the paper's (section 4.1 and its code).

    Attributes:
        n: the budget N, in candidates a step.
        width: M, children sampled for each kept path.
        seed: with the problem, what all random numbers follow from.
        temperature, top_p: of every method but chain of thought.
        cot_temperature: of chain of thought, which is greedy for most models.
        max_depth: steps of a path at most.
        max_step_tokens, max_tokens: of a step of a tree search, and of a whole path or solution.
        published_slots: beam search frees the slots of finished paths as late as the paper's code does (see
            `beam_search`).

    Raises ValueError, in one sentence, for a value that no search can run with. What a budget must be a multiple of is
    its method's business (`Method.shape`).
    """

    n: int = 1
    width: int = 4
    seed: int = 0
    temperature: float = Draw.temperature
    top_p: float = Draw.top_p
    cot_temperature: float = 0.0
    max_depth: int = 40
    max_step_tokens: int = Draw.max_tokens
    max_tokens: int = MAX_TOKENS
    published_slots: bool = False

    def __post_init__(self):
        for name in ("n", "width", "max_depth", "max_step_tokens", "max_tokens"):
            self._set(name, whole(name, getattr(self, name)))
        self._set("seed", whole("seed", self.seed, at_least=None))
        for name in ("temperature", "cot_temperature"):
            if not _number(value := getattr(self, name)) or not 0 <= value <= 2:
                raise ValueError(f"The {name} is a number from 0 to 2, not {value!r}.")
            self._set(name, float(value))
        if not _number(self.top_p) or not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is a number above 0 and at most 1, not {self.top_p!r}.")
        self._set("top_p", float(self.top_p))
        if not isinstance(self.published_slots, bool):
            raise ValueError(f"published_slots is True or False, not {self.published_slots!r}.")

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def whole(name: str, value: Any, at_least: int | None = 1) -> int:
    """`value`, a whole number of Python or numpy, as an int; ValueError for anything else, 4.0 and True included."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or (at_least is not None and number < at_least):
        least = "" if at_least is None else f", at least {at_least}"
        raise ValueError(f"{name} is a whole number{least}, not {value!r}.")
    return number


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
