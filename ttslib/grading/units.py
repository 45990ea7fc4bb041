r"""Units behind a value: taken off, and compared where both sides name one that is known."""

from __future__ import annotations

import re

_KNOWN = {
    "mm": "mm millimeter millimetre", "cm": "cm centimeter centimetre", "m": "m meter metre",
    "km": "km kilometer kilometre", "in": "in inch inches", "ft": "ft foot feet", "yd": "yd yard",
    "mi": "mi mile", "s": "s sec second", "min": "min minute", "h": "h hr hour", "day": "day", "week": "week",
    "month": "month", "year": "year yr", "mg": "mg milligram", "g": "g gram", "kg": "kg kilogram", "lb": "lb lbs pound",  # noqa: E501
    "oz": "oz ounce", "ml": "ml milliliter millilitre", "l": "liter litre", "gal": "gallon gal", "cent": "cent",  # noqa: E501
    "dollar": "dollar usd", "mph": "mph", "kph": "kph", "pint": "pint", "quart": "quart", "cup": "cup", "ton": "ton tonne",  # noqa: E501
}  # fmt: skip
_CANON = {word: canon for canon, words in _KNOWN.items() for word in words.split()}
_SQUARED = re.compile(r"^(?:square|sq)\b\.?\s*|\s*(?:squared)\b|\s*\^\s*\{?2\}?\s*$")
_CUBED = re.compile(r"^(?:cubic|cu)\b\.?\s*|\s*(?:cubed)\b|\s*\^\s*\{?3\}?\s*$")
_PERCENT = re.compile(
    r"(?:\\?%|(?<![a-zA-Z])(?:percent|pct|percentage)(?: points?)?\.?|\\text\{\s*(?:\\?%|percent(?:age)?)\s*\})\s*$",  # noqa: E501
    re.I,
)
_DEGREES = re.compile(
    r"(?:\^\\circ ?(?:C|F|\\text\{\s*[CF]\s*\})?|\\text\{\s*degrees?\s*\}|(?<![a-zA-Z\\])degrees?)\s*$", re.I
)
_TEXT = re.compile(r"\\text\{([^{}]*)\}\s*(\^\s*\{?\d\}?)?\s*$")
_POWERED = r"[a-zA-Z]+\.?(?:\s*\^\s*\{?[23]\}?)?"
_BARE = re.compile(r"(?:(?<=[\d\s)}])|^)((?:" + _POWERED + r"[ /]+){0,4}" + _POWERED + r")\s*$")
_NOT_UNITS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "max", "min", "pi", "mod", "and", "or", "for", "if", "where",  # noqa: E501
    "all", "any", "is", "no", "not", "none", "undefined", "infinity", "to", "when", "with", "lambda", "return", "import",  # noqa: E501
    "sqrt", "over", "choose", "am", "pm", "a.m", "p.m", "a", "p",
}  # fmt: skip
_SHORT = {"cm", "km", "mm", "kg", "mg", "ft", "yd", "mi", "hr", "lb", "oz", "ml", "in"}


def split_unit(text: str) -> tuple[str, str]:
    """(value, unit) of "5.4 cents", "10 cm^2", "28 percent"; (text, "") where nothing is a unit.

    Percent and degree signs count as units and are named "%" and "deg".
    """
    text = text.strip()
    for pattern, name in ((_PERCENT, "%"), (_DEGREES, "deg")):
        match = pattern.search(text)
        if match and _value_like(text[: match.start()]):
            return text[: match.start()].strip(), name
    match = _TEXT.search(text)
    if match and _value_like(text[: match.start()]):
        unit = (match.group(1) + (match.group(2) or "")).strip().lower()
        if (
            unit.rstrip(".") in ("am", "pm", "a.m", "p.m")
            or re.fullmatch(r"(?:base )?\w+_?\d*", unit)
            and "base" in unit
        ):
            return text, ""
        return text[: match.start()].strip(), unit or "-"
    match = _BARE.search(text)
    if match and match.start() > 0 and _value_like(text[: match.start()]):
        words = re.findall(r"[a-zA-Z]+", match.group(1))
        spaced = text[match.start() - 1] == " "
        if all(_is_unit(word, spaced) for word in words):
            return text[: match.start()].strip(), match.group(1).lower().strip()
    return text, ""


def _is_unit(word: str, spaced: bool) -> bool:
    word = word.lower()
    if word in _NOT_UNITS:
        return False
    return len(word) >= 3 or word in _SHORT or (spaced and word in ("of", "per", "sq", "cu"))


def _value_like(text: str) -> bool:
    text = re.sub(r"\\(?:frac|sqrt|pi|times|cdot|overline|infty)(?![a-zA-Z])", "", text)
    return bool(re.search(r"\d", text)) and not re.search(
        r"[a-zA-Z=<>,]\s*$|[a-zA-Z]{2,}|[<>]", re.sub(r",(?=\d)|\\pi", "", text)
    )


def units_clash(a: str, b: str) -> bool:
    """Whether both units are known and they are different ones (feet against inches, area against length)."""
    if not a or not b or a == b:
        return False
    known_a, known_b = known_unit(a), known_unit(b)
    return known_a is not None and known_b is not None and known_a != known_b


def known_unit(unit: str) -> tuple[str, int] | None:
    """(unit, power) of a unit that is known ("square feet" is ("ft", 2)), else None."""
    power = 1
    if unit in ("%", "deg"):
        return unit, 1
    if _SQUARED.search(unit):
        unit, power = _SQUARED.sub("", unit), 2
    elif _CUBED.search(unit):
        unit, power = _CUBED.sub("", unit), 3
    unit = unit.strip(" .")
    canon = _CANON.get(unit) or (_CANON.get(unit[:-1]) if unit.endswith("s") else None)
    return (canon, power) if canon else None
