"""RLHFlow's format: question and first step are a user turn, every further step is one, and every reply is "+".

The score of a step is softmax(+, -) where its reply is predicted: at the token before the "+". As in RLHFlow's
math-rm/prm_evaluate.py, which reads one step a call, three tokens from the end ("+" and the end of the turn follow),
and in the code of the paper, which reads all steps in one pass, through placeholder replies.
"""

from bisect import bisect_left

from ttslib.plain_text import PlainText
from ttslib.prms.formats.base import Encoded
from ttslib.prms.formats.token_pair import TokenPair
from ttslib.prompts import DATE


class ChatTurns(TokenPair):
    """`good` and `bad` are single tokens of the tokenizer; ValueError otherwise. Without `system` there is none but
    what the tokenizer's chat template puts there itself, which for Llama 3.1 is two dates."""

    name = "chat_turns"

    def __init__(self, tokenizer, good: str = "+", bad: str = "-", system: str | None = None):
        super().__init__(tokenizer, good, bad)
        self.good, self.system = good, system

    def encode(self, question: str, steps: list[str]) -> Encoded:
        """Ids of the whole chat, and for each step the index before its reply; ValueError if a reply is not one
        token of its own, or the chat template changes replies."""
        plain = PlainText(self.tokenizer, [question, *steps])
        turns = [plain.hide(step.strip()) for step in steps]
        turns[:1] = [f"{plain.hide(question)} {turn}" for turn in turns[:1]]
        before = [plain.reveal(text) for text in self._around_replies(turns)]
        ids, offsets = plain.tokens(self.good.join(before))
        starts = [start for start, _ in offsets]
        positions, character = [], 0
        for text in before[:-1]:
            character += len(text)
            reply = bisect_left(starts, character)
            end = character + len(self.good)
            if reply == len(ids) or ids[reply] != self.pair[0] or tuple(offsets[reply]) != (character, end):
                raise ValueError(f"chat-turn PRM: the reply {self.good!r} is not one token of its own in this chat.")
            positions.append(reply - 1)
            character = end
        return Encoded(tuple(ids), tuple(positions))

    def _around_replies(self, turns: list[str]) -> list[str]:
        """The rendered chat, cut at its replies: exact whatever the turns hold, "+" included."""
        reply = "\ue000"
        while any(reply in turn for turn in turns):
            reply += "\ue000"
        messages = [] if self.system is None else [{"role": "system", "content": self.system}]
        for turn in turns:
            messages += [{"role": "user", "content": turn}, {"role": "assistant", "content": reply}]
        # Templates that write the date write this one by default; later ones write today's, and scores would follow it.
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, date_string=DATE)
        pieces = text.split(reply)
        if len(pieces) != len(turns) + 1:
            raise ValueError(f"chat-turn PRM: {len(turns)} steps but {len(pieces) - 1} replies in the rendered chat.")
        return pieces
