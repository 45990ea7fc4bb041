"""Fractions over one denominator, added one by one and then reduced; a fraction (or integer) answer."""

import random
from fractions import Fraction

from ttslib.nano.subjects.base import Worked, frac, plus_or_minus

DENOMINATORS = (4, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 28, 30, 36)


def reduced(numerator: int, denominator: int) -> str:
    """The fraction in lowest terms, an integer where it is one."""
    value = Fraction(numerator, denominator)
    return str(value.numerator) if value.denominator == 1 else frac(value.numerator, value.denominator)


def fractions(rng: random.Random, level: int) -> Worked:
    """level + 1 fractions and the reduction."""
    denominator = rng.choice(DENOMINATORS)
    total = rng.randint(1, denominator)
    text, facts = frac(total, denominator), []
    for _ in range(level):
        sign, term, result = plus_or_minus(rng, total, largest=denominator)
        text += f" {sign} {frac(term, denominator)}"
        facts.append(f"{total}{sign}{term}={result}")
        total = result
    answer = reduced(total, denominator)
    facts.append(f"{frac(total, denominator)}={answer}")
    lead = rng.choice(["Compute {}.", "Evaluate {} in lowest terms."])
    return Worked("number sense", level, lead.format(text), answer, tuple(facts))
