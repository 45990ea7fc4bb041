"""Math-Shepherd's format: "question step ки\\nstep ки"; the score is softmax(+, -) at each tag.

As on the model card of peiyi9979/math-shepherd-mistral-7b-prm, where the tag is token 12902 and (+, -) are 648 and 387.
"""

from ttslib.plain_text import PlainText
from ttslib.prms.formats.base import Encoded, MarkerInStep, one_token, step_markers
from ttslib.prms.formats.token_pair import TokenPair


class TagToken(TokenPair):
    """`tag` (also at the end of a step), `good` and `bad` are single tokens of the tokenizer; ValueError otherwise.

    `bos`: a token that begins every text; without it the text begins as the tokenizer begins one by itself.
    """

    name = "tag"

    def __init__(self, tokenizer, tag: str = "ки", good: str = "+", bad: str = "-", bos: str | None = None):
        super().__init__(tokenizer, good, bad)
        self.first = () if bos is None else (one_token(tokenizer, bos),)
        self.tag, self.marker = tag, one_token(tokenizer, tag)
        if tokenizer.encode(f"1 {tag}\n1 {tag}").count(self.marker) != 2:
            raise ValueError(f"{tag!r} splits into several tokens where it ends a step; it cannot be this PRM's tag.")

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole text, and the index of each step's tag; MarkerInStep if a step holds it itself."""
        if any(self.tag in step for step in steps):
            raise MarkerInStep(f"A step holds the tag {self.tag!r}.")
        plain = PlainText(self.tokenizer, [question, *steps], self.tag)

        def ids_of(steps: list[str]) -> list[int]:
            text = f"{plain.hide(question)} " + "\n".join(f"{plain.hide(step.strip())} {self.tag}" for step in steps)
            return [*self.first, *plain.encode(text, add_special_tokens=not self.first)]

        ids = ids_of(steps)
        return Encoded(tuple(ids), step_markers(self.marker, len(steps), ids, lambda: ids_of([])))
