"""What Table 4 of the paper counts in FLOPs, and what it leaves out.

The paper counts 6 x parameters x training tokens and 2 x parameters x generated tokens of the policy (`as_printed`).
`corrected` counts the parameters that a token meets, reads the prompt, attends over the context, and adds the PRM: its
passes and the pre-training of the network that it was made from. What neither knows: how Llama-3.2 was pruned from a
larger model, R1-Distill's teacher, fine-tuning and reinforcement learning, attention in training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ttslib import flops
from ttslib.cost import LENGTHS
from ttslib.nano import specs
from ttslib.paper import published, roles
from ttslib.policies.registry import PAPER_POLICIES
from ttslib.prms.registry import PAPER_PRMS
from ttslib.search import SearchConfig, get_method

if TYPE_CHECKING:
    import pandas

PROBLEMS = 500
"""Of MATH-500, on which Table 4 counts inference."""
SAMPLES = {"Llama-3.2-3B": 256, "R1-Distill-Qwen-7B": 32}
"""Solutions a problem of the rows with test-time scaling, as `paper.experiment("table4")` chooses them."""
PRM_ROLE = {"Llama-3.2-3B": "Qwen2.5-Math-PRM-72B"}
"""The PRM that guides a row's search, chosen alike: the paper does not state it. R1-Distill has majority vote."""
MATH = LENGTHS["math500"]


@dataclass(frozen=True)
class ReferenceSize:
    """Size of a reference model that the paper quotes and has no card for; `active_parameters` meet one token."""

    parameters: float
    active_parameters: float
    layers: int
    heads: int
    head_dim: int


SIZES = {
    "Llama-3.1-405B": ReferenceSize(405_853_388_800, 405_853_388_800, layers=126, heads=128, head_dim=128),
    "DeepSeek-R1": ReferenceSize(671e9, 37e9, layers=61, heads=128, head_dim=160),
}
"""From their config.json and, for the parameters of DeepSeek-R1, the report of DeepSeek-V3 (arXiv 2412.19437). A head
of DeepSeek compares 192 channels and sums 128: 160 stands for both."""


@dataclass(frozen=True)
class Spending:
    """FLOPs of a row: before the first problem, and for each problem.

    training, prm_training: pre-training of policy and PRM. generation: weights meeting generated tokens. reading:
    weights meeting the prompt. attention: of both. prm: passes of the PRM, attention included.
    """

    training: float
    prm_training: float
    generation: float
    reading: float
    attention: float
    prm: float

    @property
    def start(self) -> float:
        """Before the first problem."""
        return self.training + self.prm_training

    @property
    def each(self) -> float:
        """For each problem."""
        return self.generation + self.reading + self.attention + self.prm

    def total(self, problems: float) -> float:
        """With that many problems answered."""
        return self.start + problems * self.each


def as_printed() -> pandas.DataFrame:
    """Table 4 by the paper's formula from the inputs in `published.table4`: a row for each model, with the columns
    pretraining_flops, inference_flops (of `PROBLEMS` problems) and total_flops, in FLOPs."""
    import pandas

    rows = []
    for model, *_, parameters, training_tokens, per_problem in published.table4.rows:
        training = flops.training_flops(parameters, training_tokens)
        inference = flops.inference_flops(parameters, PROBLEMS * per_problem)
        rows.append((model, training, inference, training + inference))
    return pandas.DataFrame(rows, columns=list(published.table4.columns[:4]))


def corrected(*, reread: bool = False) -> dict[str, Spending]:
    """Each row of Table 4 with what it leaves out, for the same generated tokens.

    Prompts have the length that `cost.LENGTHS` says of MATH-500. The PRM reads each step once, or, with `reread`, the
    whole path anew at each step, as the paper's code does; a path has as many steps as `LENGTHS` makes of it.
    """
    return dict(_corrected(reread))


def _corrected(reread: bool) -> Iterator[tuple[str, Spending]]:
    for model, *_, training_tokens, per_problem in published.table4.rows:
        size = SIZES.get(model) or roles.POLICIES[model]
        samples = SAMPLES.get(model, 1)
        lengths = replace(MATH, solution=per_problem / samples)
        active = flops.active_parameters(size)
        role = PRM_ROLE.get(model)
        prm = roles.PRMS[role] if role else None
        spent = Spending(
            training=flops.training_flops(active, training_tokens),
            prm_training=flops.training_flops(prm.parameters, training_tokens_of(prm.hub_id)) if prm else 0.0,
            generation=flops.inference_flops(active, per_problem),
            reading=flops.inference_flops(active, lengths.prompt),
            attention=per_problem * flops.attention_flops(size, lengths.prompt + lengths.solution / 2)
            + lengths.prompt * flops.attention_flops(size, lengths.prompt / 2),
            prm=_passes(prm, samples, lengths, reread) if prm else 0.0,
        )
        yield model, spent


def _passes(prm: Any, samples: int, lengths: Any, reread: bool) -> float:
    """FLOPs of a PRM that guides one beam search."""
    if not reread:
        tokens = get_method("beam_search").expected(SearchConfig(n=samples), lengths).prm
        return tokens * flops.token_flops(prm, lengths.prompt + lengths.solution / 2)
    steps = max(1, round(lengths.solution / lengths.step))
    paths = (lengths.prompt + lengths.prm_extra * lengths.solution * depth / steps for depth in range(1, steps + 1))
    return samples * sum(path * flops.token_flops(prm, path / 2) for path in paths)


def training_tokens_of(name: str) -> float:
    """Tokens that a model was (pre-)trained on, by its name in a record; NaN where nobody says.

    Of a PRM those of the network that it was made from: of a nano PRM the policy's, and what it saw as a checker and as
    a PRM, solutions at the mean length of NanoMATH's.
    """
    if name in PAPER_POLICIES:
        return PAPER_POLICIES[name].pretraining_tokens
    if name in specs.POLICIES:
        return specs.POLICIES[name].tokens
    if name in PAPER_PRMS:
        family = {"RLHFlow": 15e12, "Skywork": 18e12, "Qwen2.5": 18e12}  # bases: Llama-3.1, Qwen2.5-Math
        return family.get(PAPER_PRMS[name].name.split("-")[0], math.nan)
    if name in specs.PRMS:
        spec = specs.PRMS[name]
        checker, text = specs.CHECKERS[spec.checker], LENGTHS["nanomath"]
        solutions = checker.noisy + checker.solutions + spec.solutions
        base = specs.POLICIES[checker.base].tokens + checker.adapt_tokens
        return base + solutions * (text.prompt + text.solution)
    return math.nan


def break_even(small: Spending, large: Spending) -> float:
    """Problems after which the small model has cost as much as the large one; infinite if it never does, 0 if it does
    from the start."""
    ahead, loses = large.start - small.start, small.each - large.each
    if ahead <= 0:
        return 0.0
    return ahead / loses if loses > 0 else math.inf
