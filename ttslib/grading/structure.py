r"""The shape of an answer: a number, words, a list, a tuple or interval, a matrix, a relation, a formula, ..."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from .brackets import closing, enclosed, split, split_keeping
from .names import SYMBOL, is_name, is_quantity, label, symbols
from .normalise import compact, normalise, said
from .numbers_exact import Exact, read_number
from .units import known_unit, split_unit

_LIMIT = 2000  # longer answers are compared as strings only
_DEPTH = 6
_SIGN = r"\\leq|\\geq|\\neq|\\approx|\\equiv|\\in(?![a-z])|<|>|="
_TURNED = {">": "<", r"\geq": r"\leq"}
_AND_OR = r"(?<![a-zA-Z\\{])(?:and|or)(?![a-zA-Z}])"
_SET_SIGN = re.compile(r"\\(?:cup|cap|setminus|mathbb|emptyset)(?![a-zA-Z])")
_WORDS = re.compile(r"(?:[^\W\d_]|\d+(?: [a-zA-Z]{2,})+(?= \d))[\w'\-.,:()/\s]*")
_FILLING = {"a", "an", "the", "and", "it", "is"}
_CONDITION = re.compile(r"\\leq|\\geq|\\neq|\\in(?![a-z])|<|>")
_REALS = re.compile(r"(?:the )?(?:set of )?(?:all|any) (?:the )?reals?(?: numbers?| values?)?", re.I)
_NOTHING = re.compile(r"(?:the )?(?:empty|null) set", re.I)
_MEETS = re.compile(rf"[\d)}}\]](?: | ?\| ?){SYMBOL}$")  # of "x = 1 y = 2": an end and a start
_INTEGERS = re.compile(  # k in Z, (k in Z), where k is an integer; for any integer k
    r"[,;]? ?\(?(?:\\text\{[^{}]*\}|where|for)? ?\b([a-z])"
    r" ?(?:\\in ?\\mathbb\{Z\}|\\text\{[^{}]*\bintegers?\}|is an integer)\)?$"
    r"|[,;]? ?\(?(?:\\text\{)?(?:for|where) (?:all |any |some |every |each |an )?integers?\}? ([a-z])\)?$"
)
_TIMES_PI = re.compile(r"(?<![a-zA-Z\\])([kmn]) ?\\pi(?![a-zA-Z])")
_AMOUNTS = re.compile(r"(?: *\d+(?:\.\d+)? *(?!and\b)[a-zA-Z]+ *,?(?: *and\b)?){2,4} *")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d\d)|(?=\s*[aApP]\.?[mM]))\s*(?:([aApP])\.?\s*[mM]\.?)?")
_CHOICE = re.compile(
    r"(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer) )?(?:\(([A-J])\)|([A-J])(?:[.)]|:(?= )))"
    r"(?!\s*(?:[+*/^_=<>,;(]|and\b|or\b)|-)\s*(?=\S)(.*)",
    re.S,
)
# Behind what is no choice: an operator, or the next label, as in "A: 4, B: 5".
_NO_CHOICE = re.compile(r"^\\(?:cup|cap|cdot|times|setminus|leq|geq|neq|in\b|pm)|[\s,;]\(?[A-J][).:]")
_OPTION = re.compile(r"(?:option|choice|answer) \(?([A-Ja-j])\)?", re.I)
_MATRIX = re.compile(r"([^\\]*|[+-]?\\frac\{\d+\}\{\d+\} ?)\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", re.S)
_BASED = re.compile(r"\(?([0-9A-Za-z]+?)\)?(?:_\{?\(?(?:base)?(\w+)\)?\}?|\(?base(\w+)\)?|inbase(\w+))")
_BASES = dict(two=2, three=3, four=4, five=5, six=6, seven=7, eight=8, nine=9, ten=10, eleven=11, twelve=12, sixteen=16)


@dataclass(frozen=True)
class Node:
    """One answer.

    kind: number, text, choice, clock, based, ratio, list, tuple, matrix, relation, set, formula, or long (not looked
    into). text: its spelling. items: the parts, of a relation its sides. name: the left-hand side of "x = 3", an
    expression in "a + b = 3" too. raw: the spelling with name and unit.
    """

    kind: str
    text: str
    number: Exact | None = None
    items: tuple["Node", ...] = ()
    brackets: str = ""
    signs: tuple[str, ...] = ()
    name: str = ""
    unit: str = ""
    raw: str = ""


def parse(answer: str) -> Node:
    """The shape of a bare answer (a box's contents, a gold answer)."""
    answer = "\n".join(" ".join(line.split()) for line in answer.strip().splitlines())
    if len(answer) <= _LIMIT and len(text := normalise(answer)) <= 2 * _LIMIT:
        return _node(text, 0)
    return Node("long", answer)


def _node(text: str, depth: int) -> Node:
    text = _unwrap(_family(text.strip()).strip())
    name, rest = label(text)
    # of "red: 5, blue: 3" each has its own
    one = rest != text and not (name and split_keeping(rest, f"[,;]|{_AND_OR}")[1])
    if one and ((node := _node(rest, depth + 1)).kind != "text" or not name):
        return replace(node, name=node.name or name, raw=compact(text))
    if depth > _DEPTH or not text:
        return Node("formula", compact(text))
    for shape in _SHAPES:
        if node := shape(text, depth):
            return node
    body, unit = split_unit(text)
    if unit and (node := _node(body, depth + 1)).kind in ("number", "formula", "tuple"):
        return replace(node, unit=unit, raw=compact(text))
    return _words(text) or Node("formula", compact(text))


def _family(text: str) -> str:
    r"""Without "k \in \mathbb{Z}" at its end, and with the letter that stands for every integer called n."""
    match = _INTEGERS.search(text)
    text, letter = (text[: match.start()], match[1] or match[2]) if match else (text, "")
    if match or (match := _TIMES_PI.search(text)):
        letter = letter or match[1]
        bare = r"\\text\{[^{}]*\}|\\[a-zA-Z]+|"
        if letter != "n" and "n" not in symbols(text) and letter in symbols(text):
            return re.sub(bare + letter, lambda found: "n" if found[0] == letter else found[0], text)
    return text


def _unwrap(text: str) -> str:
    """Without parentheses or braces around one value (never around a pair or an interval)."""
    while text[:1] in ("(", "{") and enclosed(text) and not split_keeping(text[1:-1], "[,;]")[1]:
        text = text[1:-1].strip()
    return text


def _choice(text: str, depth: int) -> Node | None:
    words = said(text)
    if option := _OPTION.fullmatch(words):
        return Node("formula", option[1].upper())
    match = _CHOICE.fullmatch(words)
    if not match or _NO_CHOICE.search(match[3]):
        return None
    item = _node(match[3], depth + 1)
    return Node("choice", f"{(match[1] or match[2]).upper()}) {item.text}", items=(item,), raw=compact(text))


def _number(text: str, depth: int) -> Node | None:
    for body, unit in ((text, ""), split_unit(text)):
        if number := read_number(body):
            return Node("number", str(number.value), number, unit=unit, raw=compact(text))
    return None


def _based(text: str, depth: int) -> Node | None:
    """A numeral with a base: 1011_2, 2A_{16}, 101_{two}, 101 base 2. In base ten it is a number."""
    match = _BASED.fullmatch(compact(said(text)))
    if not match:
        return None
    digits, named = match[1], (match[2] or match[3] or match[4]).lower()
    base = _BASES.get(named) or (int(named) if re.fullmatch(r"[1-9]\d?", named) else 0)
    if not base or not re.search(r"\d", digits) and not (len(digits) > 1 and digits.isupper() and base > 10):
        return None
    try:
        value = Exact(Fraction(int(digits, base)))
    except ValueError:  # no such base, or no such digit in it
        value = None
    if base == 10 and value:
        return Node("number", str(value.value), value)
    spelled = f"{digits.upper().lstrip('0') or '0'}_{{{base}}}"
    return Node("based", spelled, value) if value or digits.isdigit() else None


def _clock(text: str, depth: int) -> Node | None:
    match = _CLOCK.fullmatch(said(text))
    if not match:
        return None
    return Node("clock", f"{int(match[1])}:{match[2] or '00'}" + (f" {match[3].lower()}m" if match[3] else ""))


def _matrix(text: str, depth: int) -> Node | None:
    match = _MATRIX.fullmatch(text)
    if not match or r"\begin" in match[2]:
        return None
    factor = {"-": "-1", "+": ""}.get(match[1].strip(), compact(match[1]))
    scale = read_number(factor)
    if factor and scale is None:
        return None
    rows = (row.split("&") for row in match[2].split(r"\\"))
    return _rows([_scaled(_node(entry, depth + 1), factor, scale) for entry in row] for row in rows)


def _transposed(text: str, depth: int) -> Node | None:
    """A row or column with a raised T, as the column or row that it is."""
    body = _node(text[:-4], depth + 1) if text.endswith("^{T}") else None
    if body is None or body.kind not in ("tuple", "matrix"):
        return None
    table = [row.items for row in body.items] if body.kind == "matrix" else [body.items]
    return _rows(zip(*table, strict=True)) if len({len(row) for row in table}) == 1 else None


def _rows(rows: Iterable[Sequence[Node]]) -> Node:
    lines = [Node("tuple", "&".join(item.text for item in row), items=tuple(row), brackets="&&") for row in rows]
    return Node("matrix", r"\\".join(line.text for line in lines), items=tuple(lines))


def _scaled(node: Node, factor: str, scale: Exact | None) -> Node:
    if scale is None:
        return node
    if node.number is None:
        return Node("formula", f"({factor})({node.text})")
    value = node.number.value * scale.value
    return Node("number", str(value), Exact(value))


def _conditions(text: str, depth: int) -> Node | None:
    r"""Inequalities joined by "and" or "or" are a set, as the union or intersection that they say."""
    pieces, words = split_keeping(text, f",? ?{_AND_OR}")
    joins = {word.strip(", ") for word in words}
    unknowns = [set(re.findall(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+", "", piece))) for piece in pieces]
    if len(joins) != 1 or not all(_CONDITION.search(piece) for piece in pieces) or len(set.union(*unknowns)) != 1:
        return None
    return Node("set", compact((r"\cup " if joins == {"or"} else r"\cap ").join(pieces)))


def _ratio(text: str, depth: int) -> Node | None:
    parts = split_keeping(text, ":")[0] if r"\text" not in text else []
    if len(parts) < 2 or not all(re.search(r"[\da-z]", part) for part in parts) or re.search(rf"{_SIGN}|,|\\to", text):
        return None
    items = tuple(_node(part, depth + 1) for part in parts)
    if any(item.kind not in ("number", "formula") for item in items):
        return None
    return Node("ratio", ":".join(item.text for item in items), items=items)


def _several(text: str, depth: int) -> Node | None:
    """A list: separated by semicolons, else by commas, "and" and "or"."""
    if r"\begin" in text:
        return None
    if len(groups := split(text, ";")) > 1:
        return _list([_group(group, depth + 1) for group in groups], text)
    pieces = _measures(text)
    if not pieces and (_list_like(text) or ("," in text and r"\text{" not in text)):
        pieces = split(text, f",|{_AND_OR}")
    return _list([_node(piece, depth + 1) for piece in pieces], text) if len(pieces) > 1 else None


def _measures(text: str) -> list[str]:
    """The parts of "3 hours and 20 minutes": amounts in known units, side by side."""
    plain = said(text)
    parts = re.findall(r"(\d+(?:\.\d+)?) *([a-zA-Z]+)", plain) if _AMOUNTS.fullmatch(plain) else []
    return [rf"{size} \text{{{unit}}}" for size, unit in parts] if all(known_unit(unit) for _, unit in parts) else []


def _list_like(text: str) -> bool:
    """Whether "and" and "or" separate values here: they are about mathematics, or words with commas."""
    bare = re.sub(r"\\text\{[^{}]*\}", "", text)
    if re.search(r"\d|\\frac|\\sqrt|=|(?<![a-zA-Z])[a-zA-Z](?![a-zA-Z])", bare):
        return True
    return all(re.fullmatch(r"\\text\{[^{}]*\}", piece) for piece in split(text, ","))


def _list(items: list[Node], text: str, brackets: str = "") -> Node:
    flat = [each for item in items for each in (item.items if item.kind == "list" and not item.brackets else [item])]
    # "x = 3, 5, 7" assigns all three to x; "x = 3, x = 5" too: only different names make it a naming of parts.
    names = [item.name for item in flat if item.name]
    width = len(set(names))
    if width <= 1:
        flat = [replace(item, name="") if item.kind != "relation" else item for item in flat]
    elif len(names) == len(flat) > width and names == names[:width] * (len(flat) // width):
        # "p = 5, q = 2 and p = 7, q = 2" are two pairs
        flat = [_pair(flat[i : i + width]) for i in range(0, len(flat), width)]
    return Node("list", compact(text), items=tuple(flat), brackets=brackets)


def _group(text: str, depth: int) -> Node:
    """One of several groups separated by semicolons: "p=5, q=2" stands for the pair (5, 2)."""
    node = _node(text, depth)
    return _pair(node.items) if node.kind == "list" and all(item.name for item in node.items) else node


def _pair(items: Sequence[Node]) -> Node:
    unnamed = tuple(replace(item, name="") for item in items)
    return Node("tuple", "(" + ",".join(item.text for item in unnamed) + ")", items=unnamed, brackets="()")


def _bracketed(text: str, depth: int) -> Node | None:
    text = re.sub(r"^[A-Z]'* ?(?=\()", "", text) if "," in text else text  # the point P(1, 2)
    if text.startswith(r"\{") and closing(text, 1) == len(text) - 1:
        return _braces(text, depth)
    if not enclosed(text):
        return None
    left, inner, right = text[0], text[1:-1], text[-1]
    if left == "(" and r"\pm" in inner:
        return None  # several tuples
    pieces = split_keeping(inner, ";" if ";" in inner else ",")[0]
    if len(pieces) < 2 or not all(pieces):
        return None
    items = tuple(_node(piece, depth + 1) for piece in pieces)
    kind, brackets = ("list", "{}") if left == "{" else ("tuple", left + right)
    return Node(kind, compact(text), items=items, brackets=brackets)


def _braces(text: str, depth: int) -> Node:
    inner = text[2:-1].removesuffix("\\").strip()
    if not inner:
        return Node("set", r"\emptyset")
    pieces, bars = split_keeping(inner, r"\||:")
    if len(pieces) == 2 and _INTEGERS.fullmatch(pieces[1]):
        return _node(", ".join(pieces), depth + 1)
    if bars and re.search(_SIGN, inner):  # \{x \mid x > 2\}
        if len(pieces) == 2 and re.fullmatch(rf"{SYMBOL}(?: ?\\in ?\\mathbb\{{R\}})?", pieces[0]):
            return _node(pieces[1], depth + 1)
        return Node("set", compact(text))
    pieces = split(inner, ";" if ";" in inner and "," not in inner else f",|{_AND_OR}")
    items = [_node(piece, depth + 1) for piece in pieces]
    if len(items) == 1 and items[0].kind == "tuple":
        return items[0]
    return _list(items, text, "{}")


def _set(text: str, depth: int) -> Node | None:
    words = said(text)
    if _REALS.fullmatch(words):
        return Node("set", r"\mathbb{R}")
    if _NOTHING.fullmatch(words):
        return Node("set", r"\emptyset")
    if not _SET_SIGN.search(text) or split_keeping(text, _SIGN)[1]:
        return None
    return Node("set", compact(re.sub(r"(?<=\}) ?[-/\\] ?(?=\\\{)", r"\\setminus ", text)))


def _relation(text: str, depth: int) -> Node | None:
    sides, signs = split_keeping(text, _SIGN)
    if not signs or not all(sides):
        return None
    if signs[-1] == r"\approx" and not (len(sides) == 2 and is_name(sides[0])):
        return _node(text[: text.rindex(r"\approx")], depth + 1)  # "exact \approx rounded": the exact side counts
    if signs == [r"\in"] and is_name(sides[0]):
        return _node(sides[1], depth + 1)
    if set(signs) <= {"=", r"\approx"} or (signs == [r"\equiv"] and is_name(sides[0])):
        return _equation(text, sides, depth)
    if set(signs) <= {*_TURNED}:
        sides, signs = sides[::-1], [_TURNED[sign] for sign in reversed(signs)]
    items = tuple(_node(side, depth + 1) for side in sides)
    spelled = compact(sides[0] + "".join(f" {sign} {side}" for sign, side in zip(signs, sides[1:], strict=True)))
    return Node("relation", spelled, items=items, signs=tuple(signs), raw=spelled)


def _equation(text: str, sides: list[str], depth: int) -> Node:
    raw = compact(text)
    if len(sides) == 2 and is_name(sides[1]) and not is_name(sides[0]):
        sides = sides[::-1]  # 5 = x
    last = _node(sides[-1], depth + 1)
    if len(sides) == 2 and is_name(sides[0]):
        return _named(sides[0], last, raw)
    letters = [bool(symbols(side)) for side in sides]
    values = {number.value for side in sides if (number := read_number(side))}
    meets = any(_MEETS.search(side) for side in sides[1:-1])
    if last.kind in ("number", "formula") and not letters[-1] and len(values) < 2 and not meets:
        if not any(letters) or (len(sides) > 2 and is_name(sides[0]) and last.kind == "number"):
            return replace(last, raw=raw)  # "\sqrt{4} = 2", "x = 5 + 5 = 10": a calculation; its end is the answer
        if is_quantity(sides[0]):
            return replace(last, name=compact(sides[0]), raw=raw)
    items = tuple(_node(side, depth + 1) for side in sides)
    return Node("relation", raw, items=items, signs=("=",) * (len(sides) - 1), raw=raw)


def _named(name: str, value: Node, raw: str) -> Node:
    """ "x = 5"; and "(y, x) = (1, 0)", brought into the order of the alphabet where its names are neighbours."""
    names = compact(name)[1:-1].split(",")
    if value.kind == "tuple" and len(names) == len(value.items) > 1 and name.startswith("("):
        ordered = in_order([replace(item, name=each) for each, item in zip(names, value.items, strict=True)])
        name = f"({','.join(item.name for item in ordered)})"
        value = replace(_pair(ordered), brackets=value.brackets)
    return replace(value, name=compact(name), raw=raw)


def in_order(items: Sequence[Node]) -> tuple[Node, ...]:
    """Sorted by name where the names are neighbours in the alphabet (x, y, z), as written elsewhere (m, b)."""
    names = sorted(item.name for item in items)
    neighbours = "".join(names) in "abcdefghijklmnopqrstuvwxyz"
    return tuple(sorted(items, key=lambda item: item.name) if neighbours else items)


def _plus_minus(text: str, depth: int) -> Node | None:
    signs = text.count(r"\pm") + text.count(r"\mp")
    if not 1 <= signs <= 3:
        return None
    # With \mp the signs go together; several \pm are independent of each other.
    together = signs == 1 or r"\mp" in text
    texts = [text.replace(r"\pm", a).replace(r"\mp", b) for a, b in ("+-", "-+")] if together else [text]
    while not together and r"\pm" in texts[0]:
        texts = [one.replace(r"\pm", sign, 1) for one in texts for sign in "+-"]
    items = tuple(_node(re.sub(r"^\s*\+|(?<=[({])\s*\+", "", one), depth + 1) for one in texts)
    return Node("list", compact(text), items=items)


def _words(text: str) -> Node | None:
    words = said(text)
    if not _WORDS.fullmatch(words) or not (r"\text{" in text or re.search(r"[A-Za-z]{3}|^\d", words)):
        return None
    pieces = re.findall(r"-?\d+(?:[.,:/]\d+)*|[^\W\d_]+", words.lower())
    spelled = "".join(word for word in pieces if word not in _FILLING)
    return Node("text", re.sub(r"(?<=.{3})(?<![isu])s$", "", spelled) or words.lower(), raw=compact(text))


# In the order in which they are tried.
_SHAPES = (
    _choice, _based, _number, _clock, _matrix, _transposed, _conditions, _ratio, _several, _bracketed, _set, _relation,
    _plus_minus,
)  # fmt: skip
