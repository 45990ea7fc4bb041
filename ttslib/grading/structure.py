r"""The shape of an answer: number, text, based numeral, list, tuple or interval, relation, or formula."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from .normalise import compact, normalise
from .numbers_exact import Exact, read_number
from .units import split_unit

_RELATION = re.compile(r"\\leq|\\geq|\\neq|\\approx|\\equiv|\\in(?![a-z])|<|>|=")
_WORDS = re.compile(r"(?:[^\W\d_]|['\-.,:()\d\s/])*[^\W\d_]{2,}(?:[^\W\d_]|['\-.,:()\d\s/])*")
_BASED = re.compile(r"\(?([0-9A-Z]+)\)?_\{?(\d+)\}?")
_BASE_WORDS = dict(
    two=2, three=3, four=4, five=5, six=6, seven=7, eight=8, nine=9, ten=10, eleven=11, twelve=12, sixteen=16
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)\s*(?:([aApP])\.?\s*[mM]\.?)?")
_MATRIX = re.compile(r"([^\\]*|[+-]?\\frac\{\d+\}\{\d+\} ?)\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", re.S)
_OPEN, _CLOSE = "([{", ")]}"
_LIMIT = 2000  # longer answers are compared as strings only


@dataclass(frozen=True)
class Node:
    """One answer. `kind`: number | text | based | list | tuple | relation | set | formula | long; `text`
    its spelling.
    """

    kind: str
    text: str
    number: Exact | None = None
    items: tuple[Node, ...] = field(default=())
    brackets: str = ""
    name: str = ""  # what an assignment assigned ("x" of "x = 3")
    unit: str = ""
    raw: str = ""


def parse(answer: str) -> Node:
    """The shape of a bare answer (a box's contents, a gold answer)."""
    if len(answer) > _LIMIT:
        return Node("long", "".join(answer.split()))
    return _node(normalise(answer), 0)


def _node(text: str, depth: int) -> Node:
    text = text.strip()
    if depth > 6 or not text:
        return Node("formula", compact(text))
    text = _unwrap(text)
    whole = _scalar(text) or _clock(text) or _matrix(text, depth)
    if whole is not None:
        return whole
    if r"\begin" not in text:
        pieces = _split(text, ";") if ";" in text and not _wrapped(text) else []
        if len(pieces) > 1:
            return _list([_group(piece, depth + 1) for piece in pieces], text)
        pieces = [] if r"\text{" in text and not _listlike(text) else _split_list(text)
        if len(pieces) > 1:
            return _list([_node(piece, depth + 1) for piece in pieces], text)
        bracketed = _bracketed(text, depth)
        if bracketed is not None:
            return bracketed
    if re.search(r"\\cup|\\cap|\\setminus", text) and not _split_relation(text)[1]:
        return Node("set", compact(text))
    relation = _relation(text, depth)
    if relation is not None:
        return relation
    plus_minus = _plus_minus(text, depth)
    if plus_minus is not None:
        return plus_minus
    body, unit = split_unit(text)
    if unit and body != text:
        inner = _node(body, depth + 1)
        if inner.kind in ("number", "formula"):
            return Node(inner.kind, inner.text, inner.number, unit=unit)
    words = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text)
    words = re.sub(r"\s+", " ", words).strip(" .")
    if _WORDS.fullmatch(words) and (r"\text{" in text or re.search(r"[A-Za-z]{3}", words)):
        return Node("text", words.lower().replace(".", "").replace(" ", ""))
    return Node("formula", compact(text))


def _scalar(text: str) -> Node | None:
    tight = compact(text)
    based = _BASED.fullmatch(re.sub(r"_\{?\\text\{(\w+)\}\}?", _base_word, tight))
    if based and re.search(r"\d", based.group(1)) or based and len(based.group(1)) > 1:
        return Node("based", f"{based.group(1).lstrip('0') or '0'}_{based.group(2)}")
    number = read_number(text)
    if number is not None:
        return Node("number", str(number.value), number)
    body, unit = split_unit(text)
    if unit:
        number = read_number(body)
        if number is not None:
            return Node("number", str(number.value), number, unit=unit)
    return None


def _clock(text: str) -> Node | None:
    match = _CLOCK.fullmatch(re.sub(r"\\text\{([^{}]*)\}", r" \1", text).strip())
    if not match or not (match[3] or len(match[2]) == 2):
        return None
    return Node("text", f"{int(match[1])}:{match[2]}{(match[3] or '').lower()}{'m' if match[3] else ''}")


def _matrix(text: str, depth: int) -> Node | None:
    match = _MATRIX.fullmatch(text)
    if not match or r"\begin" in match[2]:
        return None
    factor = compact(match[1])
    factor = {"-": "-1", "+": "", "": ""}.get(factor, factor)
    scale = read_number(factor) if factor else None
    if factor and scale is None:
        return None
    rows = []
    for row in re.split(r"\\\\", match[2]):
        items = []
        for entry in row.split("&"):
            node = _node(entry, depth + 1)
            if scale is not None and node.number is not None:
                value = Exact(node.number.value * scale.value)
                node = Node("number", str(value.value), value)
            elif scale is not None:
                node = Node("formula", f"({factor})({node.text})")
            items.append(node)
        rows.append(Node("tuple", "&".join(item.text for item in items), items=tuple(items), brackets="&&"))
    return Node("tuple", "\\\\".join(row.text for row in rows), items=tuple(rows), brackets="MM")


def _base_word(match: re.Match) -> str:
    return f"_{_BASE_WORDS.get(match.group(1).lower(), match.group(1))}"


def _unwrap(text: str) -> str:
    """Without parentheses or braces around one letter or one value (never around a pair or an interval)."""
    while len(text) > 2 and text[0] in "({" and _closing(text, 0) == len(text) - 1:
        inner = text[1:-1].strip()
        if len(_split(inner, ",")) > 1 or len(_split(inner, ";")) > 1:
            break
        text = inner
    return text


def _closing(text: str, start: int) -> int:
    depth, position = 0, start
    while position < len(text):
        char = text[position]
        if char == "\\" and text[position + 1 : position + 2] in ("{", "}"):
            position += 1
            char = text[position]
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return -1


def _split(text: str, separator: str) -> list[str]:
    pieces, depth, start, bars = [], 0, 0, 0
    for position, char in enumerate(text):
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif char == separator and depth == 0 and not bars % 2:
            pieces.append(text[start:position])
            start = position + 1
    pieces.append(text[start:])
    pieces = [piece.strip() for piece in pieces]
    return [piece for piece in pieces if piece] if len(pieces) > 1 else pieces


def _listlike(text: str) -> bool:
    return bool(re.search(r"\d|\\frac|\\sqrt|=", text)) or all(
        re.fullmatch(r"\\text\{[^{}]*\}|\w+", piece) for piece in _split(text, ",")
    )


def _split_list(text: str) -> list[str]:
    # "and" and "or" separate too; a preceding comma ("2, 3, and 5") leaves an empty piece, which _split
    # drops.
    joined = re.sub(r"(?<![a-zA-Z\\{])(?:and|or)(?![a-zA-Z}])", ",", text)
    if joined != text and not re.search(r"\d|\\|=|(?<![a-zA-Z])[a-zA-Z](?![a-zA-Z])", text):
        return [text]
    return _split(joined, ",")


def _list(items: list[Node], text: str) -> Node:
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if item.kind == "list" and not item.brackets else [item])
    # "x = 3, 5, 7" assigns all three to x; "x = 3, x = 5" too: only different names make it a naming of
    # parts.
    names = [item.name for item in flat if item.name]
    if len(set(names)) <= 1:
        flat = [Node(i.kind, i.text, i.number, i.items, i.brackets, "", i.unit, i.raw) for i in flat]
    width = len(set(names))
    chunks = [flat[i : i + width] for i in range(0, len(flat), width)] if width else []
    if (
        len(names) == len(flat)
        and len(chunks) > 1
        and all([i.name for i in c] == names[:width] for c in chunks)
        and width > 1
    ):
        # "p=5, q=2 and p=7, q=2": two pairs
        flat = [Node("tuple", "", items=tuple(map(_unnamed, chunk)), brackets="()") for chunk in chunks]
        flat = [
            Node("tuple", "(" + ",".join(i.text for i in n.items) + ")", items=n.items, brackets="()")
            for n in flat
        ]
    return Node("list", compact(text), items=tuple(flat))


def _group(text: str, depth: int) -> Node:
    """One of several groups separated by semicolons: "p=5, q=2" stands for the pair (5, 2)."""
    node = _node(text, depth)
    if node.kind == "list" and all(item.name for item in node.items):
        return Node("tuple", node.text, items=tuple(_unnamed(i) for i in node.items), brackets="()")
    return node


def _unnamed(node: Node) -> Node:
    return Node(node.kind, node.text, node.number, node.items, node.brackets, "", node.unit, node.raw)


def _wrapped(text: str) -> bool:
    return text[:1] in _OPEN and _closing(text, 0) == len(text) - 1 or text.startswith("\\{")


def _bracketed(text: str, depth: int) -> Node | None:
    if text.startswith("\\{") and _closing(text, 1) == len(text) - 1 and text.endswith("\\}"):
        inner = text[2:-2].strip()
        if re.search(r"\||:", inner) and re.search(r"\\in|<|>|=", inner):
            return Node("set", compact(text))
        pieces = _split(inner, ";") if len(_split(inner, ",")) < 2 else _split_list(inner)
        items = _list([_node(piece, depth + 1) for piece in pieces if piece], text).items
        return Node("list", compact(text), items=items, brackets="{}")
    left, right = text[:1], text[-1:]
    if left in "([{" and left and right in ")]}" and right and _closing(text, 0) == len(text) - 1:
        inner = text[1:-1].strip()
        pieces = _split(inner, ";")
        if len(pieces) < 2:
            pieces = _split(inner, ",")
        if len(pieces) < 2:
            return None
        items = tuple(_node(piece, depth + 1) for piece in pieces)
        if left == "{":
            return Node("list", compact(text), items=items, brackets="{}")
        return Node("tuple", compact(text), items=items, brackets=left + right)
    return None


def _split_relation(text: str) -> tuple[list[str], list[str]]:
    """Sides and signs of a chain of relations outside all brackets."""
    sides, signs, depth, start, position = [], [], 0, 0, 0
    while position < len(text):
        char = text[position]
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif depth == 0:
            match = _RELATION.match(text, position)
            if match:
                sides.append(text[start:position].strip())
                signs.append(match.group())
                position = start = match.end()
                continue
        position += 1
    sides.append(text[start:].strip())
    return sides, signs


_NAME = re.compile(
    r"\\angle ?[A-Za-z]{1,3}|m?\\angle ?[A-Za-z]{1,3}|\|?[A-Za-z]{1,3}(?:_\{?\w+\}?)?'*\|?"
    r"|\\(?:alpha|beta|gamma|theta|phi|omega|lambda|mu|sigma|rho|delta|Delta)(?:_\w)?"
    r"|[a-zA-Z](?:_\{?\w+\}?)?(?:\^\{-1\})?'*\([\w,+\-]*\)"
    r"|\\frac\{[A-Z]{1,3}\}\{[A-Z]{1,3}\}|\\text\{[^{}]*\}|P\([A-Za-z,| ]*\)|[A-Z]{1,2}/[A-Z]{1,2}"
    r"|[A-Za-z]+(?:_\{?\w+\}?)?(?::[A-Za-z]+(?:_\{?\w+\}?)?)+"
)


def is_name(text: str) -> bool:
    """Whether a left-hand side only names the answer: x, f(x), AB, |AB|, A:B, (p, q), angle ABC."""
    tight = compact(text)
    if tight[:1] == "(" and tight[-1:] == ")":
        return all(re.fullmatch(r"[a-zA-Z](?:_\{?\w+\}?)?", part) for part in tight[1:-1].split(","))
    return bool(_NAME.fullmatch(tight)) and not re.fullmatch(r"[ei]", tight)


def _relation(text: str, depth: int) -> Node | None:
    sides, signs = _split_relation(text)
    if not signs or any(not side for side in sides):
        return None
    raw = compact(text)
    if signs[-1] == "\\approx" and len(signs) >= 1 and not (len(sides) == 2 and is_name(sides[0])):
        head = text[: text.rindex("\\approx")]  # "exact \approx rounded": the exact side is the answer
        return _node(head, depth + 1)
    if signs == ["\\in"] and is_name(sides[0]):
        return _node(sides[1], depth + 1)
    if signs[-1] == "\\equiv" or "\\in" in signs:
        return Node("relation", raw, raw=raw)
    if all(sign in ("=", "\\approx") for sign in signs):
        if len(sides) == 2 and is_name(sides[0]):
            inner = _node(sides[1], depth + 1)
            return Node(
                inner.kind,
                inner.text,
                inner.number,
                inner.items,
                inner.brackets,
                compact(sides[0]),
                inner.unit,
                raw,
            )
        last = _node(sides[-1], depth + 1)
        closed = not any(
            re.search(r"[a-zA-Z]", re.sub(r"\\(?:begin|end)\{\w+\}|\\[a-zA-Z]+", " ", side)) for side in sides
        )
        calculated = closed or (len(sides) > 2 and is_name(sides[0]))
        if calculated and (last.kind == "number" or closed and last.kind == "formula"):
            # "\sqrt{4} = 2", "x = 5 + 5 = 10": a calculation; its end is the answer.
            return Node(last.kind, last.text, last.number, last.items, last.brackets, "", last.unit, raw)
        return Node("relation", raw, raw=raw)
    return Node("relation", raw, raw=raw)


def _plus_minus(text: str, depth: int) -> Node | None:
    if text.count("\\pm") != 1 or _split_relation(text)[1]:
        return None
    plus = _node(re.sub(r"^\s*\+", "", text.replace("\\pm", "+")), depth + 1)
    minus = _node(text.replace("\\pm", "-"), depth + 1)
    return Node("list", compact(text), items=(plus, minus))


def value_of(node: Node) -> Fraction | None:
    """The exact value of a plain number or a based numeral, else None."""
    if node.kind == "number" and node.number is not None:
        return node.number.value
    if node.kind == "based":
        digits, _, base = node.text.partition("_")
        try:
            return Fraction(int(digits, int(base)))
        except ValueError:
            return None
    return None
