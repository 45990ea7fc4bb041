r"""What boxes a text holds, and whether what stands in a box is an answer.

Search ends a path at such a box and grading reads its answer there, so both ask here. A box is ``\boxed{...}``,
``\fbox{...}`` or ``\framebox{...}`` whose brace closes; one that quotes the prompt (``\boxed{}``, ``\boxed{answer}``)
holds no answer.
"""

import re
import unicodedata
from typing import NamedTuple

# With a backslash, with two (escaped once too often), or with none directly before its brace.
BOX = r"(?:\\\\?(?:boxed|fbox|framebox)(?![a-zA-Z])|(?<![a-zA-Z\\])boxed(?=\{))\s{0,9}"
_BRACES = re.compile(rf"{BOX}\{{|\\.|[{{}}]", re.S)
# Commands that write nothing of their own: a font, a space, a size, a colour, dots, an empty square.
_SILENT = re.compile(
    r"\\(?:[hv]space|rule|phantom|(?:text)?color)\*?(?:\{[^{}]*\})*"
    r"|\\(?:(?:text|math)[a-z]*|[mf]box|operatorname|displaystyle|underline|bf|rm|it|q?quad|hfill|left|right"
    r"|[lr]angle|[bB]igg?[lr]?"
    r"|[a-z]*dots?[a-z]?|(?:black)?square|[Bb]ox|Square)(?![a-zA-Z])|\\(?:[\s,;:!._$-]|$)|[~$]|(?<!\\)[{}]"
)
_ANGLES = re.compile(r"<([^<>]*)>")
_WORDS = re.compile(r"[^\W\d_]+")
_NAMES = re.compile(r"answers?|ans|results?|solutions?|number|value|expression|your|here", re.I)
_BESIDE = re.compile(
    r"an?|the|my|this|final|correct|numeric(?:al)?|exact|simplified|in|as|of|is|be|goes|go|insert|put|write|enter|fill"
    r"|place|give|type|box(?:ed)?|blank|option|letter|choice", re.I
)  # fmt: skip


class Box(NamedTuple):
    """`content` without the blanks around it; the whole box is `text[start:end]`."""

    content: str
    start: int
    end: int


def answered_boxes(text: str) -> list[Box]:
    """The closed boxes that hold an answer, in order. Of nested boxes only the innermost count. Linear in the length of
    the text, whatever it holds."""
    found: list[Box] = []
    open_braces: list[tuple[re.Match, bool]] = []  # each with whether a box is closed inside it
    for brace in _BRACES.finditer(text):
        mark = brace.group()
        if mark[-1] == "{" and mark != r"\{":
            open_braces.append((brace, False))
        elif mark == "}" and open_braces:
            opening, holds_box = open_braces.pop()
            is_box = len(opening.group()) > 1
            content = text[opening.end() : brace.start()].strip() if is_box and not holds_box else ""
            if is_answer(content):
                found.append(Box(content, opening.start(), brace.end()))
            if (is_box or holds_box) and open_braces:
                open_braces[-1] = (open_braces[-1][0], True)
    return found


def answers_in(text: str) -> list[str]:
    """What stands in the boxes of `answered_boxes`."""
    return [box.content for box in answered_boxes(text)]


def is_answer(content: str) -> bool:
    r"""Whether the content of a box is an answer, not a blank (``\ldots``, ``?``, ``\square``, ``x=``) and not words
    that stand for one ("your final answer here"). "No solution" and ``\{\}`` are answers."""
    value = _ANGLES.sub(r" \1 ", _SILENT.sub(" ", content.rpartition("=")[2]))
    if "".join(value.split()) == r"\{\}":
        return True
    value = value.replace(r"\{", " ").replace(r"\}", " ")
    words = _WORDS.findall(value)
    named = [word for word in words if _NAMES.fullmatch(word)]
    others = (word for word in words if word not in named)
    if not all(map(_says_nothing, _WORDS.sub("", value))) or not all(map(_BESIDE.fullmatch, others)):
        return True
    return bool(words) and not named


def _says_nothing(character: str) -> bool:
    """Whether it is punctuation, an accent, a space, an invisible character or an empty square."""
    kind = unicodedata.category(character)
    return character != "\\" and (kind[0] in "PZC" or kind == "Sk") or "\u25a0" <= character <= "\u25ff"
