"""What is not worth a symbolic comparison: towers of powers, long factorials, code, texts that are no formula."""

import math
import re

_LENGTH = 800
_DIGITS = 20_000  # of a number that an evaluation may meet
_LARGE = 10**6  # stands for any larger value while estimating
_CODE = re.compile(r"lambda\b|import|__|\\(?:input|def|write|include|catcode|loop)\b|[;@#\"`]", re.A)
_NO_FORMULA = re.compile(r"\d \d|\d_\{\d|^\[[^,]*\]$|\d{400}|!!")  # 1 2, a numeral with a base among others, [5]
_GROUP = re.compile(r"[({] *(\d+) *[)}]")
_FACTORIAL = re.compile(r"(\d+) *!")
_POWER = re.compile(r"(\d+) *\^ *(\d+)(?! *[\^!\d])")
_NESTING = 4


def hopeless(formula: str) -> bool:
    """Whether evaluating the formula (normalised LaTeX) would take too long or make no sense."""
    if len(formula) > _LENGTH or formula.count("(") > 60 or formula.count("{") > 120:
        return True
    if _CODE.search(formula) or _NO_FORMULA.search(formula):
        return True
    return _nested_powers(formula) >= _NESTING or _has_large_number(formula)


def _nested_powers(formula: str) -> int:
    deepest, opened = 0, []
    for position, char in enumerate(formula):
        if char == "{":
            opened.append(position > 0 and formula[position - 1] == "^")
            deepest = max(deepest, sum(opened))
        elif char == "}" and opened:
            opened.pop()
    return deepest


def _has_large_number(formula: str) -> bool:
    """Estimate powers and factorials of plain numbers, from the inside outwards."""
    try:
        for _ in range(40):
            shorter = _GROUP.sub(r" \1 ", formula)
            shorter = _FACTORIAL.sub(_factorial, shorter)
            shorter = _POWER.sub(_power, shorter)
            if shorter == formula:
                return False
            formula = shorter
    except OverflowError:
        return True
    return False


def _factorial(match: re.Match) -> str:
    number = int(match[1])
    if number > _DIGITS:
        raise OverflowError
    return f" {math.factorial(number) if number < 10 else _LARGE} "


def _power(match: re.Match) -> str:
    base, exponent = int(match[1]), int(match[2])
    if base > 1 and exponent * math.log10(base) > _DIGITS:
        raise OverflowError
    return f" {min(_LARGE, base**exponent)} "
