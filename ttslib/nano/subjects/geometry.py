"""A point moved on the grid; an ordered pair."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked

OPPOSITE = {"right": "left", "left": "right", "up": "down", "down": "up"}


def geometry(rng: random.Random, level: int) -> Worked:
    """level + 1 moves or reflections."""
    x, y = rng.randint(0, 40), rng.randint(0, 40)
    start, told, facts = f"({x}, {y})", [], []
    for _ in range(level + 1):
        kind = rng.choice(["right", "left", "up", "down", "swap"])
        if kind == "swap":
            told.append("reflect it in y = x")
            x, y = y, x
            facts.append(f"reflect ({x}, {y})")
            continue
        here = x if kind in ("right", "left") else y
        if here == (LIMIT if kind in ("right", "up") else 0):
            kind = OPPOSITE[kind]
        sign = "+" if kind in ("right", "up") else "-"
        step = rng.randint(1, LIMIT - here) if sign == "+" else rng.randint(1, here)
        result = here + step if sign == "+" else here - step
        x, y = (result, y) if kind in ("right", "left") else (x, result)
        told.append(f"move it {kind} {step}")
        facts.append(f"{here}{sign}{step}={result}, ({x}, {y})")
    lead = rng.choice(["A point is at {}. Now {}. Where is it?", "Begin at {}: {}. Give the point."])
    return Worked("geometry", level, lead.format(start, ", ".join(told)), f"({x}, {y})", tuple(facts))
