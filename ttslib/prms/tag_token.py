"""Math-Shepherd's format: "question step ки\\nstep ки"; the score is softmax(+, -) at each tag.

As on the model card of peiyi9979/math-shepherd-mistral-7b-prm, where the tag is token 12902 and (+, -) are 648 and 387.
"""

from ttslib.prms.formats import Encoded, one_token, positions_of


class TagToken:
    """`tag` (also at the end of a step), `good` and `bad` are single tokens of the tokenizer; ValueError otherwise.

    `bos`: a token that begins every text; without it the text begins as the tokenizer begins one by itself.
    """

    head = "pair"

    def __init__(self, tokenizer, tag: str = "ки", good: str = "+", bad: str = "-", bos: str | None = None):
        self.tokenizer, self.tag = tokenizer, tag
        self.first = () if bos is None else (one_token(tokenizer, bos),)
        self.marker = one_token(tokenizer, tag)
        self.pair = (one_token(tokenizer, good), one_token(tokenizer, bad))
        if self._ids(f"1 {tag}\n1 {tag}").count(self.marker) != 2:
            raise ValueError(f"{tag!r} splits into several tokens where it ends a step; it cannot be this PRM's tag.")

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole text, and the index of each tag."""
        text = f"{question} " + "\n".join(f"{step.strip()} {self.tag}" for step in steps)
        ids = self._ids(text)
        return Encoded(tuple(ids), positions_of(ids, self.marker, len(steps), "tag-token PRM"))

    def _ids(self, text: str) -> list[int]:
        return [*self.first, *self.tokenizer.encode(text, add_special_tokens=not self.first)]
