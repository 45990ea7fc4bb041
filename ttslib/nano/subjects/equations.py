"""A nested linear equation solved by undoing one operation a step; an integer answer."""

import random

from ttslib.nano.subjects.base import UNDO, Worked, nest, operation


def equations(rng: random.Random, level: int) -> Worked:
    """level + 1 operations around x."""
    value = solution = rng.randint(1, 40)
    term, done = "x", []
    for _ in range(level + 1):
        sign, partner, result = operation(rng, value)
        term = nest(term, sign, partner)
        done.append((value, sign, partner, result))
        value = result
    facts = [f"{result}{UNDO[sign]}{partner}={before}" for before, sign, partner, result in reversed(done)]
    lead = rng.choice(["Solve {} = {} for x.", "Find x if {} = {}."])
    return Worked("algebra", level, lead.format(term, value), str(solution), tuple(facts))
