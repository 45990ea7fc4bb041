"""How long solutions are, and what cells cost in tokens by that: what dry runs and plans count with."""

from __future__ import annotations

from dataclasses import replace

from ttslib.cells import Cell
from ttslib.nano.specs import POLICIES as NANO_POLICIES
from ttslib.policies.base import MAX_TOKENS
from ttslib.policies.registry import PAPER_POLICIES
from ttslib.runs import Run
from ttslib.search import Cost, Lengths

LENGTHS = {
    "nanomath": Lengths(69, prompt=34, step=14),
    "nanoaime": Lengths(112, prompt=56, step=14),
    "math500": Lengths(400, prompt=250, prm_extra=1.2),
    "aime24": Lengths(1000, prompt=250, prm_extra=1.2),
}
"""By data set. NanoMATH and NanoAIME: measured, 66 to 69 and 110 to 114 tokens. MATH-500: the paper's Table 4, 3.07e17
FLOPs / (2 x 3e9 parameters x 500 problems) = 102,300 tokens a problem = 256 samples of 400; a step of its Table 1 has
46.6 and 58.4. AIME24, prompts and tags: guesses."""
REASONING = {"nanomath": 106, "nanoaime": 197, "math500": 3600, "aime24": 12_000}
"""Of the long reasoners. NanoMATH and NanoAIME: measured, 105 to 109 and 193 to 201. MATH-500: Table 4, 116,400 tokens
a problem, and 32 samples, a number that the paper does not state; AIME24: a guess."""


def lengths_of(run: Run) -> Lengths | None:
    """Mean lengths of what a run writes and reads; None for a data set of which nobody knows."""
    known = LENGTHS.get(run.problems) if isinstance(run.problems, str) else None
    long = known and run.policy and thinks(run.policy.name)
    return replace(known, solution=REASONING[run.problems]) if long else known


def thinks(policy: str) -> bool:
    """Whether a policy is a long reasoner, which may write more than others (R1-Distill), or a nano model like one."""
    card, spec = PAPER_POLICIES.get(policy), NANO_POLICIES.get(policy)
    return card.max_new_tokens > MAX_TOKENS if card else spec is not None and spec.style == "thinking"


def cost_of(cell: Cell, lengths: Lengths) -> Cost:
    """Expected tokens of one cell; of a cell whose samples are drawn first, those of the PRM alone."""
    cost = cell.method.expected(cell.config, lengths, scored=cell.content["prm"] is not None)
    return replace(cost, policy=0.0) if cell.pool else cost
