"""Sums and differences of numbers with one decimal place; a decimal answer."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked


def decimals(rng: random.Random, level: int) -> Worked:
    """level + 1 terms, nothing ever carried from tenths to ones; the answer is never whole."""
    value = rng.randint(11, 400)
    text, facts = tenths(value), []
    for _ in range(level):
        sign, term = _term(rng, value)
        result = value + term if sign == "+" else value - term
        text += f" {sign} {tenths(term)}"
        facts.append(f"{tenths(value)}{sign}{tenths(term)}={tenths(result)}")
        value = result
    if value % 10 == 0:
        return decimals(rng, level)
    lead = rng.choice(["Work out {}.", "What is {} as a decimal?"])
    return Worked("decimals", level, lead.format(text), tenths(value), tuple(facts))


def _term(rng: random.Random, value: int) -> tuple[str, int]:
    """(sign, tenths of the next term): ones and tenths can be added or subtracted apart."""
    ones, rest = divmod(value, 10)
    sign = "+" if ones < 3 else "-" if ones > LIMIT - 3 else rng.choice("+-")
    if sign == "+":
        return sign, 10 * rng.randint(1, min(39, LIMIT - ones)) + rng.randint(0, 9 - rest)
    return sign, 10 * rng.randint(1, min(39, ones - 1)) + rng.randint(0, rest)


def tenths(value: int) -> str:
    """123 -> "12.3"."""
    return f"{value // 10}.{value % 10}"
