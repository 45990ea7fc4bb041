"""Deciding whether two answers are the same: by spelling, by exact value, by shape, and last by
math-verify.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .numbers_exact import same_number
from .structure import Node, parse, value_of
from .units import known_unit, units_clash

Leaf = Callable[[str, str, bool], bool]
_CACHED = 100_000


class NeedsSymbols(Exception):
    """The pair cannot be decided without symbolic mathematics."""


def equivalent(gold: object, answer: object) -> bool:
    """Whether `answer` is the gold answer in another form. The gold answer comes first; the comparison may
    depend on it.

    False for None, an empty answer, and whatever cannot be read or decided within the time limit (about
    1.5 s). Callable from any thread; does not raise.
    """
    if not isinstance(gold, str) or not isinstance(answer, str) or not gold.strip() or not answer.strip():
        return False
    try:
        return _equivalent(gold, answer)
    except (
        Undecided,
        RecursionError,
        ValueError,
        ArithmeticError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
    ):
        return False


class Undecided(Exception):
    """No verdict (time ran out); not remembered, so that a later call on a less busy machine may find one."""


@lru_cache(maxsize=_CACHED)
def _equivalent(gold: str, answer: str) -> bool:
    if gold.strip() == answer.strip():
        return True
    try:
        return same(parse(gold), parse(answer), _refuse)
    except NeedsSymbols:
        pass
    from .service import ask

    verdict = ask(gold, answer)
    if verdict is None:
        raise Undecided
    return verdict


def _refuse(gold: str, answer: str, sets: bool) -> bool:
    raise NeedsSymbols


@lru_cache(maxsize=_CACHED)
def canonical(answer: str) -> str:
    """A vote key: answers with equal keys are equal; many equal forms share one ("1/2", "0.5",
    "\\frac{1}{2}").
    """
    try:
        return _key(parse(answer))
    except (RecursionError, ValueError, ArithmeticError, TypeError, IndexError):
        return "".join(str(answer).split())


def _key(node: Node) -> str:
    unit = known_unit(node.unit)
    if unit is not None and unit[0] not in ("%", "deg"):
        return f"{node.text} [{unit[0]}^{unit[1]}]"
    if node.kind == "number" and node.number is not None:
        return str(node.number.value)
    if node.kind == "list":
        return "{" + ", ".join(sorted(_named_key(item) for item in node.items)) + "}"
    if node.kind == "tuple":
        return node.brackets[0] + ", ".join(_key(item) for item in node.items) + node.brackets[1]
    if node.kind == "text":
        return f"text:{node.text}"
    return node.text


def _named_key(item: Node) -> str:
    return f"{item.name}={_key(item)}" if item.name else _key(item)


def same(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """Compare two shapes; `leaf(gold_latex, answer_latex, as_sets)` decides formulas."""
    if not gold.text or not answer.text:
        return False
    if units_clash(gold.unit, answer.unit):
        return False
    if gold.kind == answer.kind and gold.text == answer.text and gold.brackets == answer.brackets:
        return True
    if "long" in (gold.kind, answer.kind):
        return False
    kinds = {gold.kind, answer.kind}
    if kinds == {"number"}:
        assert gold.number is not None and answer.number is not None
        return same_number(gold.number, answer.number)
    if "text" in kinds:
        return _same_text(gold, answer)
    if "based" in kinds:
        if kinds == {"based"}:
            return value_of(gold) is not None and value_of(gold) == value_of(answer)
        return False
    if kinds == {"list"}:
        return _same_list(gold, answer, leaf)
    if kinds == {"tuple"}:
        return (
            gold.brackets == answer.brackets
            and len(gold.items) == len(answer.items)
            and all(same(g, a, leaf) for g, a in zip(gold.items, answer.items, strict=True))
        )
    if kinds == {"list", "tuple"}:
        return _named_parts(gold, answer, leaf)
    if kinds & {"list", "tuple"}:
        other = (kinds - {"list", "tuple"} or {""}).pop()
        interval = next((n for n in (gold, answer) if n.kind == "tuple" and len(n.items) == 2), None)
        listed = next((n for n in (gold, answer) if n.kind == "list"), None)
        if (
            other == "set"
            and listed
            and not listed.brackets
            and all(i.kind == "relation" for i in listed.items)
        ):
            union = "\\cup ".join(item.text for item in listed.items)  # "x < -1 or x > 2"
            return leaf(*((union, answer.text) if listed is gold else (gold.text, union)), True)
        if other in ("relation", "set") and (interval is not None or "list" in kinds and other == "set"):
            return leaf(gold.text, answer.text, True)
        if other == "formula" and interval is not None and re.search(r"mathbb", gold.text + answer.text):
            return leaf(gold.text, answer.text, True)
        return False
    if "set" in kinds:
        return leaf(gold.text, answer.text, True)
    return _same_formula(gold, answer, leaf)


def _same_text(gold: Node, answer: Node) -> bool:
    if gold.kind != answer.kind:
        plain = [re.sub(r"\\text\{([^{}]*)\}|[\s\\]", r"\1", n.text).lower() for n in (gold, answer)]
        return plain[0] == plain[1]
    return gold.text == answer.text


def _same_list(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if len(gold.items) != len(answer.items):
        return False
    names = [[item.name for item in node.items] for node in (gold, answer)]
    if all(names[0]) and all(names[1]) and sorted(names[0]) == sorted(names[1]):
        by_name = {item.name: item for item in answer.items}
        if len(by_name) == len(answer.items):
            return all(same(item, by_name[item.name], leaf) for item in gold.items)
    if len(set(names[0])) > 1 or len(set(names[1])) > 1:
        # named parts against bare values: the order is all that says which is which
        return all(same(g, a, leaf) for g, a in zip(gold.items, answer.items, strict=True))
    left = list(answer.items)
    for item in gold.items:  # spelling and exact values first: fewer symbolic comparisons
        match = next(
            (i for i, other in enumerate(left) if other.kind == item.kind and other.text == item.text), None
        )
        if match is None:
            match = next((i for i, other in enumerate(left) if same(item, other, leaf)), None)
        if match is None:
            return False
        del left[match]
    return True


def _named_parts(gold: Node, answer: Node, leaf: Leaf) -> bool:
    """ "x=1, y=2" against "(1, 2)": equal part by part, in order."""
    listed, pair = (gold, answer) if gold.kind == "list" else (answer, gold)
    names = [item.name for item in listed.items]
    if (
        not all(names)
        or len(set(names)) != len(names)
        or pair.brackets != "()"
        or len(names) != len(pair.items)
    ):
        return False
    return all(same(g, a, leaf) for g, a in zip(gold.items, answer.items, strict=True))


def _same_formula(gold: Node, answer: Node, leaf: Leaf) -> bool:
    if gold.kind == "relation" and answer.kind == "relation":
        return leaf(gold.text, answer.text, False)
    if "relation" in (gold.kind, answer.kind):
        relation, other = (gold, answer) if gold.kind == "relation" else (answer, gold)
        if other.name and other.raw and "=" in relation.text:
            return leaf(
                *((relation.text, other.raw) if relation is gold else (other.raw, relation.text)), False
            )
        return False
    return leaf(gold.text, answer.text, False)
