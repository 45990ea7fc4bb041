"""Qwen2.5-Math-PRM's format: a chat whose assistant steps each end in <extra_0>, read by a two-class head there.

The score is the softmax probability of class 1 at each marker, as on the model card of Qwen/Qwen2.5-Math-PRM-7B. Its
code there drops probabilities that are exactly zero; here each step has its position, and so always its score.
"""

from ttslib.plain_text import PlainText
from ttslib.prms.formats import Encoded, MarkerInStep, one_token, step_markers


class TwoClass:
    """`marker` is a single token of the tokenizer; ValueError otherwise. Without `system` there is none but what the
    tokenizer's chat template puts there itself."""

    head = "class"

    def __init__(self, tokenizer, marker: str = "<extra_0>", system: str | None = None):
        self.tokenizer, self.text_marker, self.system = tokenizer, marker, system
        self.marker = one_token(tokenizer, marker)

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole chat, and the index of each step's marker; MarkerInStep if a step holds it itself."""
        if any(self.text_marker in step for step in steps):
            raise MarkerInStep(f"A step holds the marker {self.text_marker!r}.")
        plain = PlainText(self.tokenizer, [question, *steps], self.text_marker)

        def ids_of(steps: list[str]) -> list[int]:
            messages = [] if self.system is None else [{"role": "system", "content": self.system}]
            answer = "".join(plain.hide(step.strip()) + self.text_marker for step in steps)
            messages += [{"role": "user", "content": plain.hide(question)}, {"role": "assistant", "content": answer}]
            return plain.encode(self.tokenizer.apply_chat_template(messages, tokenize=False))

        ids = ids_of(steps)
        return Encoded(tuple(ids), step_markers(self.marker, len(steps), ids, lambda: ids_of([])))
