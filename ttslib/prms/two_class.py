"""Qwen2.5-Math-PRM's format: a chat whose assistant steps each end in <extra_0>, read by a two-class head there.

The score is the softmax probability of class 1 at each marker, as on the model card of Qwen/Qwen2.5-Math-PRM-7B. Its
code there drops probabilities that are exactly zero; here each step has its position, and so always its score.
"""

from ttslib.prms.formats import Encoded, one_token, positions_of


class TwoClass:
    """`marker` is a single token of the tokenizer; ValueError otherwise. Without `system` there is none but what the
    tokenizer's chat template puts there itself."""

    head = "class"

    def __init__(self, tokenizer, marker: str = "<extra_0>", system: str | None = None):
        self.tokenizer, self.text_marker, self.system = tokenizer, marker, system
        self.marker = one_token(tokenizer, marker)

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole chat, and the index of each marker."""
        messages = [] if self.system is None else [{"role": "system", "content": self.system}]
        messages += [
            {"role": "user", "content": question},
            {"role": "assistant", "content": "".join(step.strip() + self.text_marker for step in steps)},
        ]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False)
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        return Encoded(tuple(ids), positions_of(ids, self.marker, len(steps), "two-class PRM"))
