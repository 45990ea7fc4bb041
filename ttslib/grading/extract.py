r"""Finding the final answer in a model's text."""

import re

from ..boxes import BOX, answered_boxes, is_answer
from .brackets import argument

_TAIL = 200_000  # characters looked at, from the end
_SPAN = 2000  # characters looked at behind a closing phrase
_BARE_BOXES = 20  # boxes without braces looked at, from the end
# Every repetition is bounded or cannot match in two ways: no text takes more than linear time.
_BARE_BOX = re.compile(BOX + r"(?=[^\s{])")
_ROUNDED = re.compile(
    r"[\s$,.;(]*(?:\\(?:approx|simeq|doteq)|≈"
    r"|(?:or|which is|that is|i\.e\.)?,? ?(?:approximately|about|roughly|around))[\s$:]*"
)
_NEXT_TURN = re.compile(r"<\|(?:im_start|im_end|eot_id|endoftext)\|>|\n[ \t]*(?:Human|User):")
_IS = (
    r"(?: to [^.\n:=]{1,60}?)?(?:\s{1,9}(?:is|are|(?:would|will|should|must) be|equals|becomes)\b"
    r"(?: (?:therefore|thus|hence|then|simply|just|indeed|given by|equal to))?\s{0,9}:?|\s{0,9}[:=])"
)
_MARKS = r"[*_}\]]{0,4}"
_FINAL = re.compile(rf"\bfinal answer{_MARKS}{_IS}", re.I)
_PHRASES = tuple(
    re.compile(pattern, re.I | re.M)
    for pattern in (
        rf"\b(?:answers?|ans\.?|solutions(?= are)|correct (?:option|choice)){_MARKS}{_IS}",
        r"^[#*_ \t]{0,9}(?:final )?answer(?:[*_ \t]{0,9}$|[*_]{0,4}\s{0,9}(?=\\\[|\\\(|\$))",
        r"^#{4}(?=[ \t]{0,9}[-+$\\]?\d[^\n]{0,99}\s*\Z)(?![ \t]*\d+[.):])",  # a line of its own at the end
    )
)
# What makes of a closing phrase a guess, a condition or a denial: directly before it, or directly behind.
_GUESSED = re.compile(
    r"(?:\b(?:may ?be|perhaps|possibly|suppos(?:e|ing)|assum(?:e|ing)|imagine|let(?:['’]s say)?|guess(?:ing)?|hope|if"
    r"|whether|unless|doubt|unlikely)|(?:n['’]t|\bnot|\bnever) (?:think|believe|sure|say|know|true|clear|the case))"
    r",?(?: that)?(?: (?:the|our|your|my|his|her|final|correct|right))*\s*$", re.I,
)  # fmt: skip
_ASKED = re.compile(
    r"(?i)\s*(?:(?:not|n['’]t|as follows|found|obtained|unknown|unclear)\b|[^.?!\n]{0,200}(?:\.\d[^.?!\n]{0,200})?\?)"
)
_BULLET = re.compile(r"\A\s*\n\s*[-+•–]\s+(?=\S)")
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$([^\n]+?)(?<!\\)\$", re.S)
_GOES_ON = re.compile(r"%|\\%|percent\b|and\b|or\b|,\s{0,9}(?:\$|\\\()")
_SENTENCE_END = re.compile(r"[.!?](?:\s+(?=[A-Z<*\[(])|\s*$)")
_REASON = re.compile(r",?\s(?:(?:because|since|which)\b|(?:as|so)\s)")
_HEDGE = re.compile(r"(?:approximately|about|exactly|roughly|equal to)\s+", re.I)
_STATEMENT = re.compile(r"[A-Za-z][^=\\]*?[^=]\b(?:is|are|equals)\s+(?=\S)(?!.*\b(?:is|are|equals)\s)", re.S)


def extract_answer(text: object) -> str | None:
    r"""The final answer of a solution, or None where there is none.

    The last ``\boxed{...}`` or ``\fbox`` with an answer in it (see ``ttslib.boxes``), or what a later ``<answer>`` tag
    holds; of a box and the box with its rounded value the first. Without these, what the last closing phrase announces
    ("the final answer is ...", "answer: ...", "#### ..." at the end), unless it is a guess, a question or a denial.
    Never simply the last number. Text behind ``</think>`` counts before the thoughts, and what follows the end of the
    model's turn counts last. Linear in the length of the text; does not raise.
    """
    if not isinstance(text, str):
        return None
    text = text[-_TAIL:]
    turn = _NEXT_TURN.split(text, 1)[0]
    parts = dict.fromkeys((turn.rpartition("</think>")[2], turn, text))
    return next((answer for part in parts if (answer := _marked(part) or _announced(part))), None)


def _marked(text: str) -> str:
    """What the last box or answer tag holds."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, max(end, 0)) + len("<answer>")
    boxes = answered_boxes(text)
    if end >= start >= len("<answer>") and not (boxes and boxes[-1].start > end):
        inner = text[start:end]
        return next((box.content for box in reversed(boxes) if start <= box.start < end), inner.strip())
    for bare in list(_BARE_BOX.finditer(text, boxes[-1].end if boxes else 0))[: -_BARE_BOXES - 1 : -1]:
        if content := _bare_content(text, bare.end()):
            return content
    while len(boxes) > 1 and _ROUNDED.fullmatch(text[boxes[-2].end : boxes[-1].start][:100]):
        boxes.pop()
    return boxes[-1].content if boxes else ""


def _bare_content(text: str, position: int) -> str:
    r"""What a box without braces holds: \boxed 7, \boxed\frac12, \boxed\text{A}."""
    following = text[position : position + _SPAN]
    if following[:1] == "\\":
        found = argument(following, 0)
        return found[0] if found and len(found[0]) > 2 else ""
    return re.match(r"[^\s${}\\]*", following).group().rstrip(".,;")


def _announced(text: str) -> str | None:
    """What the last closing phrase announces: one that ends in "I hope it is correct" first, then one with "final"."""
    final = _meant(_FINAL, text)
    hoped = [end for end in final if "I hope" in text[end : end + _SPAN].split("\n")[0]]
    ends = [hoped, final, *(_meant(phrase, text) for phrase in _PHRASES)]
    said = (_start_of(text[end[-1] : end[-1] + _SPAN]) for end in ends if end)
    return next((answer for answer in said if is_answer(re.sub(BOX, "", answer))), None)


def _meant(phrase: re.Pattern, text: str) -> list[int]:
    """Where matches of a closing phrase end, without guesses, questions and denials."""
    return [
        match.end() for match in phrase.finditer(text)
        if not _GUESSED.search(text[max(0, match.start() - 60) : match.start()]) and not _ASKED.match(text, match.end())
    ]


def _start_of(announced: str) -> str:
    """The answer at the start of what follows a closing phrase: its formula, or the end of its first sentence."""
    announced = _BULLET.sub("", announced).lstrip(" \t\r\n*_}")
    math = _MATH.match(announced)
    if math and not _GOES_ON.match(announced[math.end() :].lstrip()):
        return next(group for group in math.groups() if group is not None).strip()
    sentence = announced.split("\n")[0].split("I hope")[0].strip(" *_")
    for cut in (_SENTENCE_END, _REASON):
        sentence = cut.split(sentence, 1)[0]
    statement = _STATEMENT.match(sentence)
    sentence = _HEDGE.sub("", sentence[statement.end() :] if statement else sentence, count=1)
    return sentence.strip(" *_")
