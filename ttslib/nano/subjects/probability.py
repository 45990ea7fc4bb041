"""A bag of coloured balls; the probability of some of the colours, a fraction."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked, frac
from ttslib.nano.subjects.fractions import reduced

COLOURS = ("red", "blue", "green", "white", "black", "pink", "grey")


def probability(rng: random.Random, level: int) -> Worked:
    """level + 1 colours: the wanted ones added up, then all, then the fraction reduced."""
    colours = rng.sample(COLOURS, level + 1)
    counts = [rng.randint(1, 16) for _ in colours]
    wanted = rng.randint(1, level)
    total, facts = counts[0], []
    for place, count in enumerate(counts[1:], 2):
        facts.append(f"{total}+{count}={total + count}" + (", wanted" if place == wanted else ""))
        total += count
    part = sum(counts[:wanted])
    if total > LIMIT:
        return probability(rng, level)
    answer = reduced(part, total)
    facts.append(f"{frac(part, total)}={answer}")
    bag = ", ".join(f"{count} {colour}" for count, colour in zip(counts, colours, strict=True))
    lead = rng.choice(["A bag holds {} balls. How likely is {}?", "From {} balls, find the probability of {}."])
    question = lead.format(bag, " or ".join(colours[:wanted]))
    return Worked("probability", level, question, answer, tuple(facts))
