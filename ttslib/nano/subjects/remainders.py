"""A sum of several numbers modulo a small one, reduced as it goes; an integer."""

import random

from ttslib.nano.subjects.base import LIMIT, Worked


def remainders(rng: random.Random, level: int) -> Worked:
    """level + 1 numbers."""
    modulus = rng.choice([6, 7, 8, 9, 11, 12, 13])
    numbers = [rng.randint(2, LIMIT) for _ in range(level + 1)]
    value = numbers[0] % modulus
    facts = [f"{numbers[0]} mod {modulus}={value}"]
    for number in numbers[1:]:
        small = number % modulus
        result = (value + small) % modulus
        facts.append(f"{number} mod {modulus}={small}, {value}+{small}={value + small}, mod {result}")
        value = result
    text = " + ".join(map(str, numbers))
    lead = rng.choice(["Find the remainder of {} divided by {}.", "What is {} modulo {}?"])
    return Worked("number theory", level, lead.format(text, modulus), str(value), tuple(facts))
