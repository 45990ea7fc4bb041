"""The paper's models and benchmarks by the names that it calls them: the roles that a profile casts.

Hub ids, sizes and formats stand in the cards of `ttslib.policies.registry` and `ttslib.prms.registry`.
"""

from __future__ import annotations

import re

from ttslib.paper.published import table3
from ttslib.policies.registry import CARDS as POLICY_CARDS
from ttslib.policies.registry import PolicyCard
from ttslib.prms.registry import CARDS as PRM_CARDS
from ttslib.prms.registry import PRMCard
from ttslib.problems import NAMES

CODE_ONLY = ("Qwen2.5-Math-1.5B", "Qwen2.5-Math-72B")  # in the list of the paper's code, in no figure or table


def role_name(model: str) -> str:
    """The role of a model by its full name: "Llama-3.2-1B" of "Llama-3.2-1B-Instruct"."""
    return model.replace("DeepSeek-R1-Distill", "R1-Distill").removesuffix("-Instruct")


POLICIES: dict[str, PolicyCard] = {
    role: card for card in POLICY_CARDS if (role := role_name(card.name)) not in CODE_ONLY
}
"""Role -> card: the paper's twelve policies in its order, then Qwen2.5-Math-7B of Table 6."""
LLAMA, QWEN, R1, MATH = (
    tuple(role for role, card in POLICIES.items() if card.family == family)
    for family in ("llama3", "qwen2.5", "r1-distill", "qwen2.5-math")
)
FAMILIES = {"Llama": LLAMA, "Qwen2.5": QWEN, "R1-Distill": R1, "Qwen2.5-Math": MATH}
PRMS: dict[str, PRMCard] = {card.name: card for card in PRM_CARDS}
"""Role -> card of the seven PRMs, in the paper's order."""
BENCHMARKS = {NAMES[data_set]: data_set for data_set in ("math500", "aime24")}
"""Role -> data set of `load_problems`."""
REFERENCES = tuple(model for group, model, *_ in table3.rows if group != "tts")
"""The models that the paper quotes scores of and did not run: played only where a profile casts them."""


def size(policy: str) -> float:
    """A policy's nominal size in billions of parameters, from its role. ValueError for a role that names none."""
    if not (found := re.search(r"-(\d+(?:\.\d+)?)B\b", policy)):
        raise ValueError(f"The size of {policy!r} is not in its name.")
    return float(found[1])
