"""How long solutions are: what a dry run counts tokens with."""

from __future__ import annotations

from ttslib.policies.registry import PAPER_POLICIES
from ttslib.runs import Run
from ttslib.search import Lengths

ORDINARY_LIMIT = 8192
"""Policies that may write more new tokens than this are the long reasoners (R1-Distill: 32,768)."""
LENGTHS = {
    "nanomath": Lengths(69, prompt=34, step=14),
    "math500": Lengths(400, prompt=250, prm_extra=1.2),
    "aime24": Lengths(1000, prompt=250, prm_extra=1.2),
}
"""By data set. NanoMATH: measured with nano-llama-0.4m. MATH-500: the paper's Table 4, 3.07e17 FLOPs / (2 x 3e9
parameters x 500 problems) = 102,300 tokens a problem = 256 samples of 400; its Table 1 has 46.6 and 58.4 tokens a step.
AIME24, prompts and tags: guesses."""
REASONING = {"math500": 3600.0, "aime24": 12_000.0}
"""Of R1-Distill. MATH-500: Table 4, 116,400 tokens a problem, and 32 samples, a number that the paper does not state;
AIME24: a guess."""


def lengths_of(run: Run) -> Lengths | None:
    """Mean lengths of what a run writes and reads; None for a data set of which nobody knows."""
    known = LENGTHS.get(run.problems) if isinstance(run.problems, str) else None
    card = PAPER_POLICIES.get(run.policy.name) if run.policy else None
    if known and card and card.max_new_tokens > ORDINARY_LIMIT:
        return Lengths(REASONING[run.problems], known.prompt, known.step, known.prm_extra)
    return known
