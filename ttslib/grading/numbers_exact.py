r"""Plain numbers, read exactly: integers, decimals, fractions, mixed numbers, repeating decimals, powers of ten."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

_DECIMAL = r"(?:\d+(?:\.\d*)?|\.\d+)"
_PLAIN = re.compile(rf"({_DECIMAL})(?:[eE]([+-]?\d{{1,3}}))?")
_POWER = re.compile(rf"(?:({_DECIMAL})(?:\\times|\\cdot|\*|x))?10\^\{{([+-]?\d{{1,3}})\}}")
_FRAC = re.compile(rf"\\frac\{{([+-]?{_DECIMAL})\}}\{{([+-]?{_DECIMAL})\}}")
_SLASH = re.compile(rf"(\()?([+-]?{_DECIMAL})(?(1)\))/(\()?([+-]?{_DECIMAL})(?(3)\))")
_MIXED = re.compile(r"(\d+) ?(?:\\frac ?\{(\d+)\} ?\{(\d+)\}|(?<= )(\d+) ?/ ?(\d+))")
_REPEATING = re.compile(r"(\d*)\.(\d*?)(?:\\(?:overline|bar|dot)\{(\d+)\}|\((\d+)\)|(?P<same>\d)(?P=same)+\\ldots)")
_MAX_DIGITS = 4000
_ROUNDED = 12  # a decimal with this many significant digits may be a rounding of an exact value


@dataclass(frozen=True)
class Exact:
    """A number's exact value; for one spelled as a decimal also its significant digits and its last place."""

    value: Fraction
    digits: int = 0
    last_place: Fraction = Fraction(0)


def read_number(text: str) -> Exact | None:
    """The number that `text` (normalised) spells and nothing else, or None."""
    if len(text) > _MAX_DIGITS or not re.search(r"\d", text):
        return None
    size = text.lstrip("+- ")
    try:
        number = _read(size)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    negative = text[: len(text) - len(size)].count("-") % 2
    return replace(number, value=-number.value) if number and negative else number


def _read(text: str) -> Exact | None:
    if match := _MIXED.fullmatch(text):
        part = Fraction(int(match[2] or match[4]), int(match[3] or match[5]))
        return Exact(int(match[1]) + part) if part else None
    if re.search(r"\d \d", text):
        return None
    tight = text.replace(" ", "")
    if match := _PLAIN.fullmatch(tight) or _POWER.fullmatch(tight):
        return _decimal(match[1] or "1", int(match[2] or 0))
    if match := _FRAC.fullmatch(tight) or _SLASH.fullmatch(tight):
        above, below = (match[1], match[2]) if match.re is _FRAC else (match[2], match[4])
        return Exact(Fraction(above.rstrip(".")) / Fraction(below.rstrip(".")))
    if match := _REPEATING.fullmatch(tight):
        whole, fixed, block = match[1] or "0", match[2], match[3] or match[4] or match["same"]
        value = Fraction(int(whole + fixed), 10 ** len(fixed))
        return Exact(value + Fraction(int(block), (10 ** len(block) - 1) * 10 ** len(fixed)))
    return None


def _decimal(spelled: str, exponent: int) -> Exact:
    whole, _, decimals = spelled.partition(".")
    last_place = Fraction(10) ** (exponent - len(decimals))
    value = int(whole + decimals) * last_place
    return Exact(value, len((whole + decimals).lstrip("0")), last_place) if decimals else Exact(value)


def same_number(a: Exact, b: Exact) -> bool:
    """Equal exactly; or one is a decimal of at least 12 significant digits that rounds a fraction without an end."""
    return a.value == b.value or any(
        short.digits >= _ROUNDED and not _ends(other.value) and abs(short.value - other.value) <= short.last_place
        for short, other in ((a, b), (b, a))
    )


def rounding(*texts: str) -> float:
    """The relative error to allow where one text is a decimal of at least 12 significant digits; 0.0 elsewhere."""
    digits = [number.digits for text in texts if (number := read_number(text)) and number.digits >= _ROUNDED]
    return 10.0 ** (1 - min(digits)) if digits else 0.0


def _ends(value: Fraction) -> bool:
    """Whether its decimal has an end: the denominator divides a power of ten."""
    return pow(10, value.denominator.bit_length(), value.denominator) == 0
