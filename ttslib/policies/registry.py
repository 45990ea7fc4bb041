"""The paper's policies: where they are, how large they are, how they are asked and sampled.

Sources. Hub ids, prompts and sampling: the paper's section on its setup and its code: temperature 0.7, top_p 1 and
8,192 new tokens, 2,048 a step; for the models distilled from R1 0.6, 0.95 and 32,768, of one step too, and chain of
thought, greedy elsewhere, is sampled like that. These are asked without a system message: see prompts.py. Qwen2.5-Math
is in the code's list only; it writes no more than its context holds.

Architecture: each model's config.json; `parameters` is the exact count that follows from it, shared embeddings once.
Revisions: for each Hub id the commit that several published projects pin, by name or as the snapshot in their cache.

Pre-training tokens are those of the paper's Table 4: 9T for Llama 3.2 and 18T for Qwen2.5, found from its FLOPs; 15T
for Llama 3.1 is Meta's model card, and Table 4's number for the 405B. What came after counts nothing there, so
R1-Distill and Qwen2.5-Math have the 18T of the Qwen2.5 they grew from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ttslib.policies.base import MAX_TOKENS


@dataclass(frozen=True)
class PolicyCard:
    """One policy.

    Attributes:
        name: its short name, the last part of the Hub id.
        hub_id, revision: on the Hugging Face Hub, and a commit there.
        family: "llama3", "qwen2.5", "qwen2.5-math" or "r1-distill".
        parameters, active_parameters: all, embeddings included, and those that one token meets.
        layers, hidden_size, intermediate_size, heads, kv_heads, head_dim, vocabulary: its architecture.
        tied: whether the embedding matrix is also the output matrix.
        context: tokens that it takes at most, prompt included.
        prompt: name in `ttslib.prompts.PROMPTS`.
        sampling: the fields of `SearchConfig` in which it differs from the defaults.
        pretraining_tokens: for the FLOPs of its training.
    """

    name: str
    hub_id: str
    revision: str
    family: str
    parameters: int
    active_parameters: int
    layers: int
    hidden_size: int
    intermediate_size: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    context: int
    prompt: str
    sampling: Mapping[str, float] = field(hash=False)
    pretraining_tokens: float

    @property
    def max_new_tokens(self) -> int:
        """Tokens of the longest solution it may write."""
        return self.sampling.get("max_tokens", MAX_TOKENS)


# layers, hidden size, intermediate size, heads, key/value heads, channels a head, vocabulary, tied
LLAMA_1B = (16, 2048, 8192, 32, 8, 64, 128_256, True)
LLAMA_3B = (28, 3072, 8192, 24, 8, 128, 128_256, True)
LLAMA_8B = (32, 4096, 14336, 32, 8, 128, 128_256, False)
QWEN_0_5B = (24, 896, 4864, 14, 2, 64, 151_936, True)
QWEN_1_5B = (28, 1536, 8960, 12, 2, 128, 151_936, True)
QWEN_1_5B_UNTIED = (*QWEN_1_5B[:-1], False)
QWEN_3B = (36, 2048, 11008, 16, 2, 128, 151_936, True)
QWEN_7B = (28, 3584, 18944, 28, 4, 128, 152_064, False)
QWEN_14B = (48, 5120, 13824, 40, 8, 128, 152_064, False)
QWEN_32B = (64, 5120, 27648, 40, 8, 128, 152_064, False)
QWEN_72B = (80, 8192, 29568, 64, 8, 128, 152_064, False)
# context, prompt, sampling
LLAMA = (131_072, "llama3", {})
QWEN = (32_768, "qwen2.5", {})
MATH = (4096, "qwen2.5", {"max_tokens": 4096})
R1 = (131_072, "r1", {
    "temperature": 0.6, "top_p": 0.95, "cot_temperature": 0.6, "max_tokens": 32_768, "max_step_tokens": 32_768,
})  # fmt: skip


def _card(
    hub_id: str, revision: str, family: str, parameters: int, shape: tuple, asked: tuple, tokens: float
) -> PolicyCard:
    """A card; every model of the paper is dense, so all parameters are active."""
    return PolicyCard(
        hub_id.partition("/")[2], hub_id, revision, family, parameters, parameters, *shape, *asked, tokens
    )


CARDS = (
    _card("meta-llama/Llama-3.2-1B-Instruct", "9213176726f574b556790deb65791e0c5aa438b6",
          "llama3", 1_235_814_400, LLAMA_1B, LLAMA, 9e12),
    _card("meta-llama/Llama-3.2-3B-Instruct", "0cb88a4f764b7a12671c53f0838cd831a0843b95",
          "llama3", 3_212_749_824, LLAMA_3B, LLAMA, 9e12),
    _card("meta-llama/Llama-3.1-8B-Instruct", "0e9e39f249a16976918f6564b8830bc894c89659",
          "llama3", 8_030_261_248, LLAMA_8B, LLAMA, 15e12),
    _card("Qwen/Qwen2.5-0.5B-Instruct", "7ae557604adf67be50417f59c2c2f167def9a775",
          "qwen2.5", 494_032_768, QWEN_0_5B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-1.5B-Instruct", "989aa7980e4cf806f80c7fef2b1adb7bc71aa306",
          "qwen2.5", 1_543_714_304, QWEN_1_5B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-3B-Instruct", "aa8e72537993ba99e69dfaafa59ed015b17504d1",
          "qwen2.5", 3_085_938_688, QWEN_3B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-7B-Instruct", "a09a35458c702b33eeacc393d103063234e8bc28",
          "qwen2.5", 7_615_616_512, QWEN_7B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-14B-Instruct", "cf98f3b3bbb457ad9e2bb7baf9a0125b6b88caa8",
          "qwen2.5", 14_770_033_664, QWEN_14B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-32B-Instruct", "5ede1c97bbab6ce5cda5812749b4c0bdf79b18dd",
          "qwen2.5", 32_763_876_352, QWEN_32B, QWEN, 18e12),
    _card("Qwen/Qwen2.5-72B-Instruct", "495f39366efef23836d0cfae4fbe635880d2be31",
          "qwen2.5", 72_706_203_648, QWEN_72B, QWEN, 18e12),
    _card("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "ad9f0ae0864d7fbcd1cd905e3c6c5b069cc8b562",
          "r1-distill", 1_777_088_000, QWEN_1_5B_UNTIED, R1, 18e12),
    _card("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "916b56a44061fd5cd7d6a8fb632557ed4f724f60",
          "r1-distill", 7_615_616_512, QWEN_7B, R1, 18e12),
    _card("Qwen/Qwen2.5-Math-1.5B-Instruct", "aafeb0fc6f22cbf0eaeed126eff8be45b0360a35",
          "qwen2.5-math", 1_543_714_304, QWEN_1_5B, MATH, 18e12),
    _card("Qwen/Qwen2.5-Math-7B-Instruct", "ef9926d75ab1d54532f6a30dd5e760355eb9aa4d",
          "qwen2.5-math", 7_615_616_512, QWEN_7B, MATH, 18e12),
    _card("Qwen/Qwen2.5-Math-72B-Instruct", "8fcf92b1eac8eca48c3d49778ad3dd1b394c9a17",
          "qwen2.5-math", 72_706_203_648, QWEN_72B, MATH, 18e12),
)  # fmt: skip
PAPER_POLICIES: dict[str, PolicyCard] = {card.hub_id: card for card in CARDS}
"""The card of each by Hub id: the paper's twelve in its order, then Qwen2.5-Math."""
