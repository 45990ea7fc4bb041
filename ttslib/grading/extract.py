"""Finding the final answer in a model's text."""

from __future__ import annotations

import re

_TAIL = 200_000  # characters looked at, from the end
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![a-zA-Z])\s*")
_BARE_BOX = re.compile(r"\\(?:boxed|fbox)\s+([^\s${}\\]+|\\frac\d\d)")
_CONTINUES = re.compile(r"<\|im_start\|>|<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|\n[ \t]*(?:Human|User):")
_PHRASES = (
    re.compile(r"final answer(?:\*\*)?\s*(?:is\s*:?|:)\s*(?:\*\*)?(?=[^\n]{1,2000}?I hope)", re.I),
    re.compile(r"final answer(?:\*\*)?\s*(?:is\s*:?|:)\s*(?:\*\*)?", re.I),
    re.compile(r"\banswer\s*(?:\*\*)?\s*(?:is\s*:?|:|=)\s*(?:\*\*)?", re.I),
    re.compile(r"\banswer(?:\*\*)?\s*(?=\\\[|\\\(|\$)", re.I),
    re.compile(r"^#{4}", re.M),
)
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$(.+?)(?<!\\)\$")
_SENTENCE_END = re.compile(r"[.!?](?:\s+(?=[A-Z<*\[(])|\s*$)")


def extract_answer(text: object) -> str | None:
    r"""The final answer of a solution, or None where there is none.

    The last ``\boxed{...}`` (or ``\fbox``) with balanced braces and something in it; without one, what the
    last
    closing phrase announces ("the final answer is ...", "answer: ...", "#### ..."). Never simply the last
    number. Linear in the length of the text; does not raise.
    """
    if not isinstance(text, str) or not text:
        return None
    text = text[-_TAIL:]
    boxed = _last_box(text)
    if boxed is not None:
        return boxed
    ended = _CONTINUES.search(text)
    return _closing_phrase(text[: ended.start()] if ended and ended.start() > 0 else text)


def _matching_braces(text: str) -> dict[int, int]:
    """Position of each opening brace -> position of the brace that closes it (one pass; unmatched ones
    absent).
    """
    pairs: dict[int, int] = {}
    stack: list[int] = []
    position, size = 0, len(text)
    while position < size:
        char = text[position]
        if char == "\\":
            position += 2  # an escaped brace is text
            continue
        if char == "{":
            stack.append(position)
        elif char == "}" and stack:
            pairs[stack.pop()] = position
        position += 1
    return pairs


def _last_box(text: str) -> str | None:
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return None
    pairs = _matching_braces(text)
    for match in reversed(boxes):
        opening = match.end()
        if opening < len(text) and text[opening] == "{":
            # A box behind a stray backslash ("\\boxed{") hides no brace: only the box's own backslash is
            # escaped.
            closing = pairs.get(opening)
            content = text[opening + 1 : closing].strip() if closing is not None else ""
        else:
            bare = _BARE_BOX.match(text, match.start())
            content = bare.group(1).rstrip(".,;") if bare else ""
        if content:
            return _without_inner_box(content)
    return None


def _without_inner_box(content: str) -> str:
    inner = _last_box(content) if "boxed" in content else None
    return inner if inner is not None else content


def _closing_phrase(text: str) -> str | None:
    for phrase in _PHRASES:
        last = None
        for match in phrase.finditer(text):
            last = match
        if last is None:
            continue
        announced = text[last.end() : last.end() + 2000].lstrip().split("\n")[0].split("I hope")[0]
        answer = _trim(announced)
        if answer:
            return answer
    return None


def _trim(announced: str) -> str | None:
    """The answer at the start of what follows a closing phrase: its formula, or its first sentence."""
    announced = announced.strip().strip("*").strip()
    math = _MATH.match(announced)
    if math:
        rest = announced[math.end() :].lstrip()
        inner = next(group for group in math.groups() if group is not None).strip()
        if not re.match(r"(?:%|\\%|percent\b|and\b|or\b|,\s*\$)", rest):
            return inner or None
    sentence = announced
    for end in _SENTENCE_END.finditer(announced):
        sentence = announced[: end.start()]
        break
    return sentence.strip().strip("*").strip() or None
