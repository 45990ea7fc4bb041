"""NanoMATH problems and their worked solutions, generated.

Eight subjects, five levels. A level-k problem takes k + 1 small facts (numbers up to 99, each one token), so a tiny
model can learn every fact and still find the whole solution hard: errors add up with depth. Every subject has exactly
one worked solution, which makes the correctness of a sampled step exact (`check_steps`).

    python -m ttslib.nano.generator            # prints one problem of each subject and level

Splits never meet: a question belongs to the test split when the hash of its normalised text falls into one
residue class, and to the training split otherwise.
"""

import hashlib
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

LIMIT = 60
LEVELS = (1, 2, 3, 4, 5)
TEST_RESIDUE, RESIDUES = 0, 16


@dataclass(frozen=True)
class Worked:
    """A question with its answer and the facts of its only worked solution, one string per step."""

    subject: str
    level: int
    question: str
    answer: str
    facts: tuple[str, ...]


def normalise_question(question: str) -> str:
    """Lower-case question text with single spaces: what the splits are told apart by."""
    return " ".join(question.lower().split())


def split_of(question: str) -> str:
    """"test" or "train", by the hash of the normalised question."""
    digest = hashlib.sha256(normalise_question(question).encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") % RESIDUES == TEST_RESIDUE else "train"


def _operation(rng: random.Random, value: int) -> tuple[str, int, int]:
    """One of + - * / with a partner that keeps the value a whole number in [0, LIMIT]."""
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


def arithmetic(rng: random.Random, level: int) -> Worked:
    """A running total told in words; an integer answer."""
    words = {"+": "add {}", "-": "take away {}", "*": "multiply by {}", "/": "divide by {}"}
    value = rng.randint(2, 40)
    told, facts = [], []
    start = value
    for _ in range(level + 1):
        sign, partner, result = _operation(rng, value)
        told.append(words[sign].format(partner))
        facts.append(f"{value}{sign}{partner}={result}")
        value = result
    lead = rng.choice(["Start with {}, then {}. What is the result?", "Take {}, then {}. Find the value."])
    return Worked("prealgebra", level, lead.format(start, ", ".join(told)), str(value), tuple(facts))


def _nest(term: str, sign: str, partner: int) -> str:
    if sign in "+-":
        return f"{term} {sign} {partner}"
    inner = term if term == "x" else f"({term})"
    return f"{partner}{inner}" if sign == "*" else f"{inner} / {partner}"


UNDO = {"+": "-", "-": "+", "*": "/", "/": "*"}


def equation(rng: random.Random, level: int) -> Worked:
    """A nested linear equation solved by undoing one operation a step; an integer answer."""
    value = solution = rng.randint(1, 30)
    term, done = "x", []
    for _ in range(level + 1):
        sign, partner, result = _operation(rng, value)
        term = _nest(term, sign, partner)
        done.append((value, sign, partner, result))
        value = result
    facts = [f"{result}{UNDO[sign]}{partner}={before}" for before, sign, partner, result in reversed(done)]
    lead = rng.choice(["Solve {} = {} for x.", "Find x if {} = {}."])
    return Worked("algebra", level, lead.format(term, value), str(solution), tuple(facts))


def fractions(rng: random.Random, level: int) -> Worked:
    """Fractions over one denominator, added one by one and then reduced; a fraction (or integer) answer."""
    denominator = rng.choice([4, 6, 8, 9, 10, 12, 15, 18, 20, 24])
    total = rng.randint(1, denominator)
    text, facts = f"\\frac{{{total}}}{{{denominator}}}", []
    for _ in range(level):
        sign = "+" if total == 1 else "-" if total == LIMIT else rng.choice("+-")
        term = rng.randint(1, min(denominator, LIMIT - total)) if sign == "+" else rng.randint(1, total - 1)
        result = total + term if sign == "+" else total - term
        text += f" {sign} \\frac{{{term}}}{{{denominator}}}"
        facts.append(f"{total}{sign}{term}={result}")
        total = result
    value = Fraction(total, denominator)
    answer = str(value.numerator) if value.denominator == 1 else f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
    facts.append(f"\\frac{{{total}}}{{{denominator}}}={answer}")
    lead = rng.choice(["Compute {}.", "Evaluate {} in lowest terms."])
    return Worked("number sense", level, lead.format(text), answer, tuple(facts))


def moves(rng: random.Random, level: int) -> Worked:
    """A point moved on the grid; an ordered pair."""
    x, y = rng.randint(0, 30), rng.randint(0, 30)
    start, told, facts = f"({x}, {y})", [], []
    for _ in range(level + 1):
        kind = rng.choice(["right", "left", "up", "down", "swap"])
        if kind == "swap":
            told.append("reflect it in y = x")
            x, y = y, x
            facts.append(f"reflect ({x}, {y})")
            continue
        here = x if kind in ("right", "left") else y
        sign = "+" if kind in ("right", "up") else "-"
        if (sign == "-" and here == 0) or (sign == "+" and here >= LIMIT):
            sign, kind = ("+", {"left": "right", "down": "up"}[kind]) if here == 0 else (
                "-", {"right": "left", "up": "down"}[kind])
        step = rng.randint(1, here) if sign == "-" else rng.randint(1, LIMIT - here)
        result = here + step if sign == "+" else here - step
        x, y = (result, y) if kind in ("right", "left") else (x, result)
        told.append(f"move it {kind} {step}")
        facts.append(f"{here}{sign}{step}={result}, ({x}, {y})")
    lead = rng.choice(["A point is at {}. Now {}. Where is it?", "Begin at {}: {}. Give the point."])
    return Worked("geometry", level, lead.format(start, ", ".join(told)), f"({x}, {y})", tuple(facts))


def inequality(rng: random.Random, level: int) -> Worked:
    """A double inequality solved at both ends at once; an interval, open or closed at each end."""
    low = rng.randint(0, 12)
    high = low + rng.randint(1, 10)
    left, right = rng.choice(["<", "\\le"]), rng.choice(["<", "\\le"])
    ends, term, done = (low, high), "x", []
    for _ in range(level + 1):
        factors = [b for b in range(2, 6) if ends[1] * b <= LIMIT]
        signs = ["+"] * (ends[1] < LIMIT) + ["-"] * (ends[0] > 0) + ["*"] * bool(factors)
        if not signs:
            return inequality(rng, level)
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
        term = _nest(term, sign, partner)
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


def radicals(rng: random.Random, level: int) -> Worked:
    """A sum of like radicals; a radical."""
    kernel = rng.choice([2, 3, 5, 6, 7])
    largest = math.isqrt(99 // kernel)
    total, terms, facts = 0, [], []
    for _ in range(level + 1):
        root = rng.randint(2, largest)
        square = kernel * root * root
        terms.append(f"\\sqrt{{{square}}}")
        fact = f"\\sqrt{{{square}}}={root}\\sqrt{{{kernel}}}"
        facts.append(fact if not total else f"{fact}, {total}+{root}={total + root}")
        total += root
    lead = rng.choice(["Simplify {}.", "Write {} as one radical."])
    return Worked("radicals", level, lead.format(" + ".join(terms)), f"{total}\\sqrt{{{kernel}}}", tuple(facts))


def expressions(rng: random.Random, level: int) -> Worked:
    """Brackets expanded and collected one by one; a linear expression."""
    slope, constant, terms, facts = 0, 0, [], []
    for _ in range(level + 1):
        factor, shift = rng.randint(2, 5), rng.randint(1, 9 if level < 4 else 4)
        terms.append(f"{factor}(x + {shift})")
        fact = f"{factor}x + {factor * shift}"
        slope, constant = slope + factor, constant + factor * shift
        facts.append(fact if len(terms) == 1 else f"{fact}, {slope}x + {constant}")
    lead = rng.choice(["Expand and simplify {}.", "Write {} without brackets."])
    return Worked("expressions", level, lead.format(" + ".join(terms)), f"{slope}x + {constant}", tuple(facts))


def remainders(rng: random.Random, level: int) -> Worked:
    """A product of several numbers modulo a small one, reduced as it goes; an integer."""
    modulus = rng.choice([5, 6, 7, 8, 9, 11])
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


SUBJECTS: tuple[Callable[[random.Random, int], Worked], ...] = (
    arithmetic, equation, fractions, moves, inequality, radicals, expressions, remainders,
)


def generate(seed: int, split: str) -> Iterator[Worked]:
    """An endless stream of problems of one split ("train" or "test"), uniform over subjects and levels."""
    rng = random.Random(f"{split}-{seed}")
    while True:
        worked = rng.choice(SUBJECTS)(rng, rng.choice(LEVELS))
        if split_of(worked.question) == split:
            yield worked


if __name__ == "__main__":
    for subject in SUBJECTS:
        for level in LEVELS:
            w = subject(random.Random(level), level)
            print(f"[{w.subject} {w.level}] {w.question}\n    " + " | ".join(w.facts) + f"\n    -> {w.answer}")
