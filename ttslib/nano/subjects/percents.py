"""Parts of a whole added up and told as a percentage; a percent answer."""

import random

from ttslib.nano.subjects.base import Worked

WHOLES = (20, 25, 40, 50, 60, 80)
THINGS = ("apples", "books", "cards", "coins")


def percents(rng: random.Random, level: int) -> Worked:
    """level additions or subtractions and the percentage."""
    whole = rng.choice(WHOLES)
    ends = [part for part in range(1, whole) if 100 * part % whole == 0]
    part = rng.choice(ends)
    steps = [part]
    while len(steps) <= level:
        other = rng.randint(1, whole - 1)
        if other != steps[-1]:
            steps.append(other)
    steps.reverse()
    told, facts = [], []
    for before, after in zip(steps, steps[1:], strict=False):
        change = abs(after - before)
        told.append(f"{'gains' if after > before else 'loses'} {change}")
        facts.append(f"{before}{'+' if after > before else '-'}{change}={after}")
    facts.append(f"{part}/{whole}={100 * part // whole}\\%")
    thing = rng.choice(THINGS)
    lead = rng.choice(["Ann has {} {}, then {}. What percent of {} is that?",
                       "Of {} {}, Ben {}. Give what he has as a percentage of {}."])
    question = lead.format(steps[0], thing, ", ".join(told), whole)
    return Worked("percent", level, question, f"{100 * part // whole}\\%", tuple(facts))
