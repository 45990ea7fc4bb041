"""A sum of like radicals; a radical."""

import math
import random

from ttslib.nano.subjects.base import Worked


def radicals(rng: random.Random, level: int) -> Worked:
    """level + 1 radicals, or level + 1 products of a number and a radical where few radicals would repeat."""
    kernel = rng.choice([2, 3, 5, 6, 7])
    largest = math.isqrt(99 // kernel)
    total, terms, facts = 0, [], []
    for _ in range(level + 1):
        factor, root = rng.randint(1, 4), rng.randint(2, largest)
        terms.append(f"{factor if factor > 1 else ''}\\sqrt{{{kernel * root * root}}}")
        fact = f"{terms[-1]}={factor * root}\\sqrt{{{kernel}}}"
        facts.append(f"{fact}, {total}+{factor * root}={total + factor * root}" if total else fact)
        total += factor * root
    if total > 99:
        return radicals(rng, level)
    lead = rng.choice(["Simplify {}.", "Write {} as one radical."])
    return Worked("radicals", level, lead.format(" + ".join(terms)), f"{total}\\sqrt{{{kernel}}}", tuple(facts))
