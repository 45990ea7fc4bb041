"""Brackets expanded and collected one by one; a linear expression."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked


def expressions(rng: random.Random, level: int) -> Worked:
    """level + 1 brackets."""
    slope, constant, terms, facts = 0, 0, [], []
    for _ in range(level + 1):
        factor, shift = rng.randint(2, 9), rng.randint(1, 9)
        terms.append(f"{factor}(x + {shift})")
        fact = f"{factor}x + {factor * shift}"
        slope, constant = slope + factor, constant + factor * shift
        facts.append(fact if len(terms) == 1 else f"{fact}, {slope}x + {constant}")
    if constant > LIMIT:
        return expressions(rng, level)
    lead = rng.choice(["Expand and simplify {}.", "Write {} without brackets."])
    return Worked("expressions", level, lead.format(" + ".join(terms)), f"{slope}x + {constant}", tuple(facts))
