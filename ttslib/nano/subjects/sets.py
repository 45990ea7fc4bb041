"""Unions, intersections and differences of small sets, one after another; a set."""

import random

from ttslib.nano.subjects.base import Worked

WORDS = {"|": "join it with {}", "&": "keep what is also in {}", "-": "remove what is in {}"}
MEMBERS, LARGEST = range(1, 16), 5


def sets(rng: random.Random, level: int) -> Worked:
    """level + 1 operations; the set always has 1 to LARGEST members."""
    members = set(rng.sample(MEMBERS, 3))
    start, told, facts = written(members), [], []
    for _ in range(level + 1):
        sign, other, result = _operation(rng, members)
        told.append(WORDS[sign].format(written(other)))
        facts.append(written(result))
        members = result
    lead = rng.choice(["Take {}, {}. Which set is left?", "From {}, {}. Give the set."])
    return Worked("sets", level, lead.format(start, ", ".join(told)), written(members), tuple(facts))


def _operation(rng: random.Random, members: set[int]) -> tuple[str, set[int], set[int]]:
    while True:
        sign = rng.choice("|&-")
        shared = set(rng.sample(sorted(members), rng.randint(1, min(2, len(members)))))
        fresh = set(rng.sample(MEMBERS, 1)) - members
        other = shared | fresh
        result = {"|": members | other, "&": members & other, "-": members - other}[sign]
        if 1 <= len(result) <= LARGEST and result != members:
            return sign, other, result


def written(members: set[int]) -> str:
    r"""\{2, 5, 9\}, in order."""
    return "\\{" + ", ".join(map(str, sorted(members))) + "\\}"
