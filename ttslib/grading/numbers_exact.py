r"""Plain numbers, read exactly: integers, decimals, fractions, mixed numbers, repeating decimals, powers
of ten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_DECIMAL = r"(?:\d+(?:\.\d*)?|\.\d+)"
_PLAIN = re.compile(r"([+-]*)(" + _DECIMAL + r")")
_FRAC = re.compile(r"([+-]*)\\frac\{([+-]?" + _DECIMAL + r")\}\{([+-]?" + _DECIMAL + r")\}")
_SLASH = re.compile(r"([+-]*)\(?([+-]?" + _DECIMAL + r")\)?/\(?([+-]?" + _DECIMAL + r")\)?")
_MIXED = re.compile(r"([+-]?)(\d+) ?(?:\\frac\{(\d+)\}\{(\d+)\}|(?<= )(\d+)/(\d+))")
_REPEATING = re.compile(r"([+-]?)(\d*)\.(\d*)\\(?:overline|bar|dot)\{(\d+)\}")
_POWER = re.compile(r"([+-]?)(?:(" + _DECIMAL + r")(?:\\times|\\cdot|\*|x))?10\^(?:\{([+-]?\d{1,3})\}|(\d))")
_EXPONENT = re.compile(r"([+-]?)(" + _DECIMAL + r")[eE]([+-]?\d{1,3})")
_MAX_DIGITS = 4000


@dataclass(frozen=True)
class Exact:
    """A number's exact value, and how many significant digits a decimal point spelling showed (0: none)."""

    value: Fraction
    digits: int = 0


def read_number(text: str) -> Exact | None:
    """The number that `text` spells and nothing else, or None."""
    if len(text) > _MAX_DIGITS or not re.search(r"\d", text):
        return None
    spaced = re.sub(r"\s+", " ", text).strip()
    try:
        mixed = _MIXED.fullmatch(re.sub(r"([+-]) ", r"\1", spaced))
        if mixed:
            above, below = int(mixed[3] or mixed[5]), int(mixed[4] or mixed[6])
            if above > 0 and below:
                value = int(mixed[2]) + Fraction(above, below)
                return Exact(-value if mixed[1] == "-" else value)
        # "12 000" groups thousands, "1 2" is no number
        spaced = re.sub(r"(?<=\d) (?=\d{3}(?: \d{3})*(?:\.\d+)?$)", "", spaced)
        if re.search(r"\d \d", spaced):
            return None
        tight = spaced.replace(" ", "")
        if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", tight) and not re.search(r"\d, \d", text[:0]):
            tight = tight.replace(",", "")
        tight = re.sub(r"(?<![\d,.])(\d{1,3}(?:,\d{3})+)(?=/)", lambda m: m[1].replace(",", ""), tight)
        return _read(tight)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _read(tight: str) -> Exact | None:
    match = _PLAIN.fullmatch(tight)
    if match:
        return Exact(_sign(match[1]) * Fraction(match[2].rstrip(".")), _significant(match[2]))
    match = _FRAC.fullmatch(tight) or _SLASH.fullmatch(tight)
    if match:
        return Exact(_sign(match[1]) * Fraction(match[2].rstrip(".")) / Fraction(match[3].rstrip(".")))
    match = _REPEATING.fullmatch(tight)
    if match:
        whole, fixed, block = match[2] or "0", match[3], match[4]
        value = Fraction(int(whole + fixed), 10 ** len(fixed))
        value += Fraction(int(block), (10 ** len(block) - 1) * 10 ** len(fixed))
        return Exact(_sign(match[1]) * value)
    match = _POWER.fullmatch(tight) or _EXPONENT.fullmatch(tight)
    if match:
        exponent = int(match[3] or match[4]) if match.re is _POWER else int(match[3])
        factor = match[2] or "1"
        return Exact(
            _sign(match[1]) * Fraction(factor.rstrip(".")) * Fraction(10) ** exponent, _significant(factor)
        )
    return None


def _sign(signs: str) -> int:
    return -1 if signs.count("-") % 2 else 1


def _significant(decimal: str) -> int:
    return len(decimal.replace(".", "").lstrip("0")) if "." in decimal else 0


def same_number(a: Exact, b: Exact) -> bool:
    """Equal exactly; or one is a decimal of at least 12 significant digits that rounds a fraction which
    has no end.
    """
    if a.value == b.value:
        return True
    for short, other in ((a, b), (b, a)):
        if short.digits >= 12 and not _terminates(other.value):
            return abs(short.value - other.value) <= abs(other.value) * Fraction(1, 10**12)
    return False


def _terminates(value: Fraction) -> bool:
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1
