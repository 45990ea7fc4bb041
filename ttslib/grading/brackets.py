r"""Brackets in LaTeX: where they close, splitting outside them, and the arguments of commands."""

import re

_OPEN, _CLOSE = "([{", ")]}"
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+|.)", re.S)
# Arguments of a command that is itself an argument.
_TAKES = {"frac": 2, "dfrac": 2, "tfrac": 2, "binom": 2, "sqrt": 1, "overline": 1, "text": 1, "textbf": 1, "mathrm": 1}


def closing(text: str, start: int) -> int:
    """Where the bracket at `start` closes, -1 if nowhere. All kinds of brackets count alike, as in [0, 1)."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] in _OPEN:
            depth += 1
        elif text[position] in _CLOSE:
            depth -= 1
            if depth == 0:
                return position
    return -1


def enclosed(text: str) -> bool:
    """Whether the first character is a bracket that the last character closes."""
    return len(text) > 1 and text[0] in _OPEN and closing(text, 0) == len(text) - 1


def split(text: str, separator: str) -> list[str]:
    """The pieces between matches of the pattern `separator` outside all brackets; empty pieces are left out."""
    pieces, _ = split_keeping(text, separator)
    return [piece for piece in pieces if piece]


def split_keeping(text: str, separator: str) -> tuple[list[str], list[str]]:
    """The pieces (stripped, empty ones too) and the separators between them."""
    pattern = re.compile(separator)
    pieces, found, depth, start, position = [], [], 0, 0, 0
    while position < len(text):
        if text[position] in _OPEN:
            depth += 1
        elif text[position] in _CLOSE:
            depth -= 1
        elif depth == 0:
            match = pattern.match(text, position)
            if match and match.end() > position:
                pieces.append(text[start:position].strip())
                found.append(match.group().strip())
                start = position = match.end()
                continue
        position += 1
    pieces.append(text[start:].strip())
    return pieces, found


def argument(text: str, position: int) -> tuple[str, int] | None:
    """The TeX argument at `position` (a group, a command with its own arguments, or one character) and its end."""
    while position < len(text) and text[position] == " ":
        position += 1
    if position >= len(text) or text[position] in "()[]}&":
        return None
    if text[position] == "{":
        end = closing(text, position)
        return (text[position + 1 : end], end + 1) if end > 0 else None
    if text[position] != "\\":
        return text[position], position + 1
    command = _COMMAND.match(text, position)
    if command is None:
        return None
    end, count = command.end(), _TAKES.get(command.group()[1:], 0)
    if count and text[end : end + 1] == "[":
        end = closing(text, end) + 1 or len(text)
    inner, end = arguments(text, end, count)
    return (text[position:end], end) if len(inner) == count else None


def arguments(text: str, position: int, count: int) -> tuple[list[str], int]:
    """The arguments in a row at `position`, at most `count` of them, and where the last one ends."""
    found = []
    while len(found) < count and (one := argument(text, position)):
        found.append(one[0])
        position = one[1]
    return found, position
