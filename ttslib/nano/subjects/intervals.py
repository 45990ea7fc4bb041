"""A double inequality solved at both ends at once; an interval, open or closed at each end."""

import random

from ttslib.nano.subjects.base import LIMIT, UNDO, Worked, nest


def intervals(rng: random.Random, level: int) -> Worked:
    """level + 1 operations around x."""
    low = rng.randint(0, 20)
    high = low + rng.randint(1, 15)
    left, right = rng.choice(["<", "\\le"]), rng.choice(["<", "\\le"])
    ends, term, done = (low, high), "x", []
    for _ in range(level + 1):
        factors = [b for b in range(2, 6) if ends[1] * b <= LIMIT]
        signs = ["+"] * (ends[1] < LIMIT) + ["-"] * (ends[0] > 0) + ["*"] * bool(factors)
        if not signs:
            return intervals(rng, level)
        sign = rng.choice(signs)
        if sign == "+":
            partner = rng.randint(1, LIMIT - ends[1])
            result = (ends[0] + partner, ends[1] + partner)
        elif sign == "-":
            partner = rng.randint(1, ends[0])
            result = (ends[0] - partner, ends[1] - partner)
        else:
            partner = rng.choice(factors)
            result = (ends[0] * partner, ends[1] * partner)
        term = nest(term, sign, partner)
        done.append((ends, sign, partner, result))
        ends = result
    facts = [
        f"{result[0]}{UNDO[sign]}{partner}={before[0]}, {result[1]}{UNDO[sign]}{partner}={before[1]}"
        for before, sign, partner, result in reversed(done)
    ]
    answer = f"{'(' if left == '<' else '['}{low}, {high}{')' if right == '<' else ']'}"
    lead = rng.choice(["Solve {} {} {} {} {}. Give the interval.", "Find all x with {} {} {} {} {} as an interval."])
    question = lead.format(ends[0], left, term, right, ends[1])
    return Worked("intermediate algebra", level, question, answer, tuple(facts))
