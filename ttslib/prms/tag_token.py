"""Math-Shepherd's format: "question step ки\\nstep ки"; the score is softmax(+, -) at each tag (paper.md section 2)."""

from ttslib.prms.formats import Encoded, one_token, positions_of


class TagToken:
    """`tag`, `good` and `bad` are single tokens of the tokenizer; ValueError otherwise."""

    head = "pair"

    def __init__(self, tokenizer, tag: str = "ки", good: str = "+", bad: str = "-"):
        self.tokenizer, self.tag = tokenizer, tag
        self.marker = one_token(tokenizer, tag)
        self.pair = (one_token(tokenizer, good), one_token(tokenizer, bad))

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole text, and the index of each tag."""
        text = f"{question} " + "\n".join(f"{step.strip()} {self.tag}" for step in steps)
        ids = self.tokenizer.encode(text)
        return Encoded(tuple(ids), positions_of(ids, self.marker, len(steps), "tag-token PRM"))
