"""What every subject makes: a worked problem; and the small facts that most of them are made of."""

import random
from dataclasses import dataclass

# Every number in a step but the last of a NanoAIME problem stays below 100: one token each.
LIMIT = 99
UNDO = {"+": "-", "-": "+", "*": "/", "/": "*"}


@dataclass(frozen=True)
class Worked:
    """A question with its answer and the facts of its only worked solution, one string per step."""

    subject: str
    level: int
    question: str
    answer: str
    facts: tuple[str, ...]


def operation(rng: random.Random, value: int) -> tuple[str, int, int]:
    """(sign, partner, result): one of + - * / with a partner that keeps the value a whole number in [0, LIMIT]."""
    options = ["+"] * (value < LIMIT) + ["-"] * (value > 0)
    factors = [b for b in range(2, 10) if 0 < value * b <= LIMIT]
    divisors = [b for b in range(2, 10) if value and value % b == 0]
    options += ["*"] * bool(factors) + ["/"] * bool(divisors)
    sign = rng.choice(options)
    if sign == "+":
        partner = rng.randint(1, LIMIT - value)
        return sign, partner, value + partner
    if sign == "-":
        partner = rng.randint(1, value)
        return sign, partner, value - partner
    if sign == "*":
        partner = rng.choice(factors)
        return sign, partner, value * partner
    partner = rng.choice(divisors)
    return sign, partner, value // partner


def plus_or_minus(rng: random.Random, value: int, largest: int = LIMIT) -> tuple[str, int, int]:
    """(sign, partner, result) with a partner in [1, largest]; the result stays in [1, LIMIT]."""
    sign = "+" if value <= 1 else "-" if value >= LIMIT else rng.choice("+-")
    partner = rng.randint(1, min(largest, LIMIT - value)) if sign == "+" else rng.randint(1, min(largest, value - 1))
    return sign, partner, value + partner if sign == "+" else value - partner


def nest(term: str, sign: str, partner: int) -> str:
    """`term` with one more operation around it, as it is written in a question."""
    if sign in "+-":
        return f"{term} {sign} {partner}"
    inner = term if term == "x" else f"({term})"
    return f"{partner}{inner}" if sign == "*" else f"{inner} / {partner}"


def frac(numerator: int, denominator: int) -> str:
    r"""\frac{numerator}{denominator}."""
    return f"\\frac{{{numerator}}}{{{denominator}}}"
