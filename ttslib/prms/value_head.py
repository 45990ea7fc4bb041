"""Skywork-o1-Open-PRM's format: bos, question and line break, then one step a line.

The score of a step is the sigmoid of the value head at the line break that closes it. As in `prepare_input` of
SkyworkAI/skywork-o1-prm-inference, question and steps are tokenised one by one, and the line break's token is put
behind each step: nothing merges with it. There every line is a step; as in the code of the paper, a step is put on one
line here, its line breaks as spaces.
"""

from ttslib.plain_text import PlainText
from ttslib.prms.formats import Encoded, one_token


class ValueHead:
    """`separator` is a single token of the tokenizer; ValueError otherwise. A tokenizer without bos puts none."""

    head = "value"

    def __init__(self, tokenizer, separator: str = "\n"):
        self.tokenizer, self.separator = tokenizer, separator
        self.marker = one_token(tokenizer, separator)

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole text, and the index of the separator that closes each step, also of an empty one."""
        plain = PlainText(self.tokenizer, [question, *steps])
        ids = plain.encode((self.tokenizer.bos_token or "") + plain.hide(question) + self.separator)
        positions = []
        for step in steps:
            line = step.replace(self.separator, " ").strip()
            ids += [*(plain.encode(plain.hide(line)) if line else ()), self.marker]
            positions.append(len(ids) - 1)
        return Encoded(tuple(ids), tuple(positions))
