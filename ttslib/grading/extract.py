r"""Finding the final answer in a model's text."""

from __future__ import annotations

import re

from .brackets import argument

_TAIL = 200_000  # characters looked at, from the end
_SPAN = 2000  # characters looked at behind a closing phrase
_BARE_BOXES = 20  # boxes without braces looked at, from the end
# Every repetition is bounded or cannot match in two ways: no text takes more than linear time.
_BOX = re.compile(r"(?:\\(?:boxed|fbox|framebox)(?![a-zA-Z])|(?<![a-zA-Z\\])boxed(?=\{))\s{0,9}")
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
        rf"\b(?:answer|ans\.?|correct (?:option|choice)){_MARKS}{_IS}",
        r"\banswer[*_]{0,4}\s{0,9}(?=\\\[|\\\(|\$)",
        r"^[#*_ \t]{0,9}(?:final )?answer[*_ \t]{0,9}$",
        r"^#{4}",
    )
)
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$([^\n]+?)(?<!\\)\$", re.S)
_GOES_ON = re.compile(r"%|\\%|percent\b|and\b|or\b|,\s{0,9}(?:\$|\\\()")
_SENTENCE_END = re.compile(r"[.!?](?:\s+(?=[A-Z<*\[(])|\s*$)")
_REASON = re.compile(r",?\s(?:(?:because|since|which)\b|(?:as|so)\s)")
_HEDGE = re.compile(r"(?:approximately|about|exactly|roughly|equal to)\s+", re.I)
_STATEMENT = re.compile(r"[A-Za-z][^=\\]*?[^=]\b(?:is|are|equals)\s+(?=\S)(?!.*\b(?:is|are|equals)\s)", re.S)


def extract_answer(text: object) -> str | None:
    r"""The final answer of a solution, or None where there is none.

    The last ``\boxed{...}`` (or ``\fbox``) with balanced braces and something in it; without one, what the last closing
    phrase announces ("the final answer is ...", "answer: ...", "#### ..."). Never simply the last number. Text behind
    ``</think>`` counts before the thoughts, and what follows the end of the model's turn counts last. Linear in the
    length of the text; does not raise.
    """
    if not isinstance(text, str):
        return None
    text = text[-_TAIL:]
    turn_end = _NEXT_TURN.search(text)
    turn = text[: turn_end.start()] if turn_end else text
    for part in dict.fromkeys((turn.rpartition("</think>")[2], turn, text)):
        answer = _last_box(part) or _announced(part)
        if answer:
            return answer
    return None


def _last_box(text: str) -> str | None:
    boxes = list(_BOX.finditer(text))
    pairs = _matching_braces(text) if boxes else {}
    bare = 0
    for match in reversed(boxes):
        opening = match.end()
        if text[opening : opening + 1] == "{":
            closing = pairs.get(opening)
            content = text[opening + 1 : closing].strip() if closing is not None else ""
        else:
            bare += 1
            content = _bare_content(text, opening) if bare <= _BARE_BOXES else ""
        if content:
            return (_last_box(content) if "boxed" in content else None) or content
    return None


def _matching_braces(text: str) -> dict[int, int]:
    """Where each opening brace closes, in one pass; unmatched ones are absent, escaped ones are text."""
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.S):
        if match.group() == "{":
            stack.append(match.start())
        elif match.group() == "}" and stack:
            pairs[stack.pop()] = match.start()
    return pairs


def _bare_content(text: str, position: int) -> str:
    r"""What a box without braces holds: \boxed 7, \boxed\frac12, \boxed\text{A}."""
    following = text[position : position + _SPAN]
    if following[:1] == "\\":
        found = argument(following, 0)
        return found[0] if found and len(found[0]) > 2 else ""
    run = re.match(r"[^\s${}\\]+", following)
    return run.group().rstrip(".,;") if run else ""


def _announced(text: str) -> str | None:
    """What the last closing phrase announces: one that ends in "I hope it is correct" first, then one with "final"."""
    final = [match.end() for match in _FINAL.finditer(text)]
    hoped = next((end for end in reversed(final) if "I hope" in text[end : end + _SPAN].split("\n")[0]), None)
    ends = [hoped, *final[-1:]] + [max((m.end() for m in phrase.finditer(text)), default=None) for phrase in _PHRASES]
    return next((answer for end in ends if end is not None and (answer := _start_of(text[end : end + _SPAN]))), None)


def _start_of(announced: str) -> str:
    """The answer at the start of what follows a closing phrase: its formula, or the end of its first sentence."""
    announced = announced.lstrip(" \t\r\n*_}")
    math = _MATH.match(announced)
    if math and not _GOES_ON.match(announced[math.end() :].lstrip()):
        return next(group for group in math.groups() if group is not None).strip()
    sentence = announced.split("\n")[0].split("I hope")[0].strip(" *_")
    for cut in (_SENTENCE_END, _REASON):
        end = cut.search(sentence)
        sentence = sentence[: end.start()] if end else sentence
    statement = _STATEMENT.match(sentence)
    sentence = _HEDGE.sub("", sentence[statement.end() :] if statement else sentence, count=1)
    return sentence.strip(" *_")
