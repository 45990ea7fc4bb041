"""Lengths and times in two units, brought to the smaller one and added up; a number with its unit."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked

UNITS = (("feet", "inches", 12), ("weeks", "days", 7), ("yards", "feet", 3), ("gallons", "quarts", 4),
         ("dimes", "cents", 10))


def units(rng: random.Random, level: int) -> Worked:
    """level + 1 amounts of the larger unit with some of the smaller."""
    large, small, size = rng.choice(UNITS)
    total, told, facts = 0, [], []
    for _ in range(level + 1):
        whole, rest = rng.randint(1, max(1, LIMIT // size // (level + 1))), rng.randint(1, size - 1)
        told.append(f"{whole} {large} {rest}")
        amount = whole * size + rest
        fact = f"{whole}*{size}={whole * size}, {whole * size}+{rest}={amount}"
        facts.append(f"{fact}, {total}+{amount}={total + amount}" if total else fact)
        total += amount
    if total > LIMIT:
        return units(rng, level)
    lead = rng.choice(["How many {} are {}?", "Give in {}: {}."])
    return Worked("units", level, lead.format(small, " and ".join(told)), f"{total} \\text{{ {small}}}", tuple(facts))
