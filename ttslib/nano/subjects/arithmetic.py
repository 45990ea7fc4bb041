"""A running total told in words; an integer answer."""

import random

from ttslib.nano.subjects.base import Worked, operation

WORDS = {"+": "add {}", "-": "take away {}", "*": "multiply by {}", "/": "divide by {}"}


def arithmetic(rng: random.Random, level: int) -> Worked:
    """level + 2 operations."""
    start = value = rng.randint(2, 60)
    told, facts = [], []
    for _ in range(level + 2):
        sign, partner, result = operation(rng, value)
        told.append(WORDS[sign].format(partner))
        facts.append(f"{value}{sign}{partner}={result}")
        value = result
    lead = rng.choice(["Start with {}, then {}. What is the result?", "Take {}, then {}. Find the value."])
    return Worked("prealgebra", level, lead.format(start, ", ".join(told)), str(value), tuple(facts))
