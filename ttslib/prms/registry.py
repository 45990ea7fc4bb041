"""The paper's seven PRMs: where they are, how large they are, and how they are asked.

Sources. Hub ids: the paper's code. Formats: see the file of each format. Sizes are those of the config.json of the
model that each was trained from and has the architecture of: Mistral-7B-v0.1 (Math-Shepherd), Llama-3.1-8B-Instruct
(both of RLHFlow, "Mistral" and "Deepseek" name the data), Qwen2.5-Math-1.5B, 7B and 72B-Instruct (the rest, 4,096
tokens of context). Parameters follow from them, without the `lm_head` where scores do not need it; a test counts them.

Revisions. Three commits were found, in published code that names the cached snapshot it used: Math-Shepherd, RLHFlow
Deepseek, and Qwen2.5-Math-PRM-7B (whose page on the Hub shows the same commit). The others are not pinned: "main".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ttslib.prompts import QWEN_SYSTEM


@dataclass(frozen=True)
class PRMCard:
    """One PRM.

    Attributes:
        name: as the paper calls it.
        hub_id, revision: on the Hugging Face Hub; a commit, or "main" where none is known.
        parameters: of the network that scores, embeddings included.
        layers, hidden_size, heads, kv_heads, head_dim, vocabulary: its architecture.
        context: tokens that it takes at most.
        format, options: of `load_prm`, and what its format is built with.
    """

    name: str
    hub_id: str
    revision: str
    parameters: int
    layers: int
    hidden_size: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    format: str
    options: Mapping[str, str] = field(hash=False)


MISTRAL_7B = {
    "parameters": 7_241_732_096, "layers": 32, "hidden_size": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128,
    "vocabulary": 32_000, "context": 32_768,
}  # fmt: skip
LLAMA_8B = {
    "parameters": 8_030_261_248, "layers": 32, "hidden_size": 4096, "heads": 32, "kv_heads": 8, "head_dim": 128,
    "vocabulary": 128_256, "context": 131_072,
}  # fmt: skip
QWEN_MATH_1_5B = {
    "layers": 28, "hidden_size": 1536, "heads": 12, "kv_heads": 2, "head_dim": 128, "vocabulary": 151_936,
    "context": 4096,
}  # fmt: skip
QWEN_MATH_7B = {
    "layers": 28, "hidden_size": 3584, "heads": 28, "kv_heads": 4, "head_dim": 128, "vocabulary": 152_064,
    "context": 4096,
}  # fmt: skip
QWEN_MATH_72B = {
    "layers": 80, "hidden_size": 8192, "heads": 64, "kv_heads": 8, "head_dim": 128, "vocabulary": 152_064,
    "context": 4096,
}  # fmt: skip
TAG = MappingProxyType({"tag": "ки", "good": "+", "bad": "-", "bos": "<s>"})
CHAT = MappingProxyType({"good": "+", "bad": "-"})
LINE = MappingProxyType({"separator": "\n"})
EXTRA_0 = MappingProxyType({"marker": "<extra_0>", "system": QWEN_SYSTEM})

CARDS = (
    PRMCard(
        "Math-Shepherd-PRM-7B", "peiyi9979/math-shepherd-mistral-7b-prm", "45dc0a3c9ec699b645085c098ed38dc99fba4617",
        **MISTRAL_7B, format="tag", options=TAG,
    ),
    PRMCard(
        "RLHFlow-PRM-Mistral-8B", "RLHFlow/Llama3.1-8B-PRM-Mistral-Data", "main",
        **LLAMA_8B, format="chat_turns", options=CHAT,
    ),
    PRMCard(
        "RLHFlow-PRM-Deepseek-8B", "RLHFlow/Llama3.1-8B-PRM-Deepseek-Data", "51100bc635eff6ad6a3e3fdab87703491461a88b",
        **LLAMA_8B, format="chat_turns", options=CHAT,
    ),
    PRMCard(
        "Skywork-PRM-1.5B", "Skywork/Skywork-o1-Open-PRM-Qwen-2.5-1.5B", "main",
        parameters=1_543_715_841, **QWEN_MATH_1_5B, format="value_head", options=LINE,
    ),
    PRMCard(
        "Skywork-PRM-7B", "Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B", "main",
        parameters=7_070_622_721, **QWEN_MATH_7B, format="value_head", options=LINE,
    ),
    PRMCard(
        "Qwen2.5-Math-PRM-7B", "Qwen/Qwen2.5-Math-PRM-7B", "0610740060112df12585d00a1c5f4624d2f59051",
        parameters=7_083_474_946, **QWEN_MATH_7B, format="two_class", options=EXTRA_0,
    ),
    PRMCard(
        "Qwen2.5-Math-PRM-72B", "Qwen/Qwen2.5-Math-PRM-72B", "main",
        parameters=71_527_628_802, **QWEN_MATH_72B, format="two_class", options=EXTRA_0,
    ),
)  # fmt: skip
PAPER_PRMS: dict[str, PRMCard] = {card.hub_id: card for card in CARDS}
"""The card of each by Hub id, in the paper's order."""
