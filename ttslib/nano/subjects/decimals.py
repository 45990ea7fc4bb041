"""Sums and differences of numbers with one decimal place; a decimal answer."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked


def decimals(rng: random.Random, level: int) -> Worked:
    """level + 1 terms; every number is a count of tenths, never whole at the end."""
    value = rng.randint(11, 400)
    text, facts = tenths(value), []
    for _ in range(level):
        sign = "+" if value < 20 else "-" if value > 10 * LIMIT - 20 else rng.choice("+-")
        term = rng.randint(1, min(399, 10 * LIMIT - value)) if sign == "+" else rng.randint(1, min(399, value - 1))
        result = value + term if sign == "+" else value - term
        text += f" {sign} {tenths(term)}"
        facts.append(f"{tenths(value)}{sign}{tenths(term)}={tenths(result)}")
        value = result
    if value % 10 == 0:
        return decimals(rng, level)
    lead = rng.choice(["Work out {}.", "What is {} as a decimal?"])
    return Worked("decimals", level, lead.format(text), tenths(value), tuple(facts))


def tenths(value: int) -> str:
    """123 -> "12.3"."""
    return f"{value // 10}.{value % 10}"
