"""Whether two shapes are the same answer: by spelling, by exact value, part by part; a `leaf` decides formulas."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Context, Decimal
from functools import partial

from .names import is_name, same_name, symbols
from .numbers_exact import same_number
from .structure import Node, in_order
from .units import counted, known_unit, units_clash

Leaf = Callable[[str, str, bool], bool]
"""(gold LaTeX, answer LaTeX, whether they are sets) -> whether they are equal."""
_PARTS = 200  # longer lists are the same only if their parts are spelled the same


def same(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """Whether `answer` is `gold` in another form. What `leaf` raises passes through."""
    if not gold.text or not answer.text or units_clash(gold.unit, answer.unit):
        return False
    if gold.raw and gold.raw == answer.raw:
        return True
    if is_name(gold.name) and is_name(answer.name) and not same_name(gold.name, answer.name):
        return False
    if "deg" in (gold.unit, answer.unit) and r"\pi" in gold.text + answer.text:
        return leaf(_in_radians(gold), _in_radians(answer), False)
    if _equations(gold, answer):
        return bool(gold.raw and answer.raw) and leaf(gold.raw, answer.raw, False)
    if (gold.kind, gold.text, gold.brackets) == (answer.kind, answer.text, answer.brackets):
        return True
    kinds = {gold.kind, answer.kind}
    if "long" in kinds:
        return False
    if "choice" in kinds:
        return _same_choice(gold, answer, leaf)
    if len(kinds) == 1:
        return _SAME_KIND[gold.kind](gold, answer, leaf)
    if kinds & {"text", "clock"}:
        return _same_words(gold, answer, leaf)
    if "ratio" in kinds:
        return _same_quotient(gold, answer, leaf)
    conditions = _all_relations(gold) or _all_relations(answer)
    if kinds == {"list", "tuple"} and not conditions:
        return _same_named_parts(gold, answer, leaf)
    if kinds == {"matrix", "tuple"}:
        return _same_vector(gold, answer, leaf)
    if kinds == {"number", "formula"}:
        return leaf(latex(gold), latex(answer), False)
    sets = (_as_set(gold), _as_set(answer))
    return bool((kinds & {"set", "relation"} or conditions) and sets[0] and sets[1]) and leaf(sets[0], sets[1], True)


def latex(node: Node) -> str:
    """The LaTeX of a number or formula for the symbolic comparison; decimals stay decimals."""
    if node.number is None:
        return node.text
    value, digits = node.number.value, node.number.digits
    if value.denominator == 1:
        return str(value)
    if digits:
        context = Context(prec=digits + 5)
        return format(context.divide(Decimal(value.numerator), Decimal(value.denominator)), "f")
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _in_radians(node: Node) -> str:
    return rf"({latex(node)})\cdot\frac{{\pi}}{{180}}" if node.unit == "deg" else latex(node)


def _equations(gold: Node, answer: Node) -> bool:
    """Whether the two are to be compared as equations, not as the values that they may assign."""
    if gold.name and not is_name(gold.name):
        return True  # "a + b = 5" asks for an equation, 5 is none
    if answer.name and not is_name(answer.name):
        return bool(gold.name) or gold.kind == "relation"
    relation, other = (gold, answer) if gold.kind == "relation" else (answer, gold)
    return relation.kind == "relation" != other.kind and bool(other.name) and "=" in relation.signs


def _same_number(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if gold.number is None or answer.number is None:
        return False
    if same_number(gold.number, answer.number):
        return True
    percents = [node.number.value * (1 if node.unit else 100) for node in (gold, answer)]
    return {gold.unit, answer.unit} == {"%", ""} and percents[0] == percents[1]


def _same_formula(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if re.fullmatch(r"[A-J]", gold.text) and answer.text.upper() == gold.text:
        return True  # a choice
    constant = {gold.text[-2:], answer.text[-2:]} == {"+C", "+c"} and len(symbols(answer.text[:-2])) == 1
    return leaf(gold.text, answer.text[:-1] + gold.text[-1] if constant else answer.text, False)


def _same_text(gold: Node, answer: Node, leaf: Leaf) -> bool:
    # abc may be a product as well as a word
    return bool(re.fullmatch(r"[a-z]{3,4}", gold.raw)) and sorted(gold.raw) == sorted(answer.raw)


def _same_ratio(gold: Node, answer: Node, leaf: Leaf) -> bool:
    values = [[item.number and item.number.value for item in node.items] for node in (gold, answer)]
    if len(gold.items) != len(answer.items) or None in values[0] + values[1]:
        return _same_parts(gold, answer, leaf)
    pairs = list(zip(*values, strict=True))
    return all(map(any, values)) and all(a * d == b * c for a, b in pairs for c, d in pairs)


def _same_quotient(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """A ratio of two parts against a number or a formula."""
    ratio, other = (gold, answer) if gold.kind == "ratio" else (answer, gold)
    if len(ratio.items) != 2 or other.kind not in ("number", "formula") or ratio.items[1].text == "0":
        return False
    above, below = ratio.items
    if above.number and below.number and other.number:
        return above.number.value == other.number.value * below.number.value
    quotient = f"\\frac{{{latex(above)}}}{{{latex(below)}}}"
    return leaf(quotient, latex(other), False) if ratio is gold else leaf(latex(other), quotient, False)


def _same_parts(gold: Node, answer: Node, leaf: Leaf) -> bool:
    return len(gold.items) == len(answer.items) and all(map(partial(same, leaf=leaf), gold.items, answer.items))


def _same_tuple(gold: Node, answer: Node, leaf: Leaf) -> bool:
    return gold.brackets == answer.brackets and _same_parts(gold, answer, leaf)


def _same_list(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if len(gold.items) != len(answer.items):
        return False
    names = [[item.name for item in node.items] for node in (gold, answer)]
    by_name = {item.name: item for item in answer.items}
    if all(names[0]) and sorted(names[0]) == sorted(names[1]) and len(by_name) == len(answer.items):
        return all(same(item, by_name[item.name], leaf) for item in gold.items)
    if all(names[0] + names[1]) and len(set(names[0])) > 1:
        return False
    if any(len(set(each)) > 1 for each in names):
        # names against bare values: the order says which is which
        return _same_parts(_ordered(gold), _ordered(answer), leaf)
    left = list(answer.items)
    # Equal spellings and values first: fewer symbolic comparisons.
    rest = [item for item in gold.items if not _take(left, partial(_same_spelling, item))]
    return len(rest) <= _PARTS and all(_take(left, partial(same, item, leaf=leaf)) for item in rest)


def _take(items: list[Node], wanted: Callable[[Node], bool]) -> bool:
    """Take the first wanted one out of the items, if there is one."""
    position = next((i for i, item in enumerate(items) if wanted(item)), None)
    if position is not None:
        del items[position]
    return position is not None


def _same_spelling(one: Node, other: Node) -> bool:
    return (one.kind, one.text, one.unit, one.name) == (other.kind, other.text, other.unit, other.name)


def _same_named_parts(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """ "y=2, x=1" against "(1, 2)": equal part by part, in the order of the names."""
    listed, pair = (gold, answer) if gold.kind == "list" else (answer, gold)
    names = {item.name for item in listed.items}
    if "" in names or len(names) != len(listed.items) or pair.brackets != "()":
        return False
    return _same_parts(_ordered(gold), _ordered(answer), leaf)


def _ordered(node: Node) -> Node:
    return replace(node, items=in_order(node.items))


def _same_vector(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """A column against "(1, 2)"."""
    matrix, pair = (gold, answer) if gold.kind == "matrix" else (answer, gold)
    if pair.brackets != "()" or any(len(row.items) != 1 for row in matrix.items):
        return False
    column = replace(pair, items=tuple(row.items[0] for row in matrix.items))
    return _same_parts(column, answer, leaf) if matrix is gold else _same_parts(gold, column, leaf)


def _same_relation(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if any(len(node.signs) > 1 and "=" in node.signs for node in (gold, answer)):
        return gold.signs == answer.signs and _same_parts(gold, answer, leaf)
    return leaf(gold.raw, answer.raw, False)


def _same_choice(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """ "(C) 12" is the choice C, and the value 12."""
    if gold.kind == answer.kind:
        return gold.text[0] == answer.text[0] and same(gold.items[0], answer.items[0], leaf)
    choice, other = (gold, answer) if gold.kind == "choice" else (answer, gold)
    if other.kind == "formula" and re.fullmatch(r"[A-J]", other.text):
        return other.text == choice.text[0]
    return same(gold.items[0], answer, leaf) if choice is gold else same(gold, answer.items[0], leaf)


def _same_words(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """Words against what happened to be read as something else."""
    if {gold.kind, answer.kind} & {"number", "clock"}:
        return False
    for word, other in ((gold, answer), (answer, gold)):
        if word.kind == "text" and re.fullmatch(r"[a-z]{3,4}", word.raw) and other.kind == "formula":
            return leaf(word.raw, other.text, False)
    spelled = [re.sub(r"\\text|[\W_]", "", node.raw or node.text).lower() for node in (gold, answer)]
    return bool(spelled[0]) and spelled[0] == spelled[1]


def _all_relations(node: Node) -> bool:
    return node.kind == "list" and all(item.kind == "relation" for item in node.items)


def _as_set(node: Node) -> str:
    """How the set reader spells it: an interval, a finite set, conditions; "" for what is no set."""
    if node.kind == "set" or (node.kind == "relation" and "=" not in node.signs):
        return node.text
    if node.kind == "tuple" and len(node.items) == 2 and node.brackets != "&&":
        return node.text
    if node.kind == "list" and (node.brackets or all(item.kind in ("relation", "set") for item in node.items)):
        return node.text
    return ""


_SAME_KIND: dict[str, Callable[[Node, Node, Leaf], bool]] = {
    "number": _same_number, "formula": _same_formula, "text": _same_text, "clock": lambda gold, answer, leaf: False,
    "based": _same_number, "ratio": _same_ratio, "list": _same_list, "tuple": _same_tuple, "matrix": _same_parts,
    "relation": _same_relation, "set": lambda gold, answer, leaf: leaf(gold.text, answer.text, True),
}  # fmt: skip


def key(node: Node) -> str:
    """One spelling for all answers of this value and shape; itself an answer with the same key."""
    if node.kind in ("relation", "choice") or (node.name and not is_name(node.name)):
        return node.raw
    if node.kind == "list":
        keys = sorted(f"{item.name}={key(item)}" if item.name else key(item) for item in node.items)
        return "\\{" + ",".join(keys) + "\\}"
    if node.kind == "tuple":
        return node.brackets[0] + ",".join(map(key, node.items)) + node.brackets[1]
    if node.kind == "matrix":
        rows = r"\\".join("&".join(map(key, row.items)) for row in node.items)
        return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"
    if node.kind == "text":
        return f"\\text{{{node.text}}}"
    words = " ".join(counted(node.unit))
    unit = known_unit(node.unit) or known_unit(words) or words
    if unit in ("", "%", "deg"):
        return node.text
    if unit.startswith("mod "):
        return f"{node.text} \\pmod{{{unit[4:]}}}"
    return node.text + (re.sub("[a-z]+", r" \\text{\g<0>}", unit) if "^" in unit else f" \\text{{{unit}}}")
