"""Wrong steps for PRM training: the kinds of slip that tiny policies make, made on purpose."""

import random
import re

EQUATION = re.compile(r"(\d+)([+\-*/])(\d+)=(\d+)")
NUMBER = re.compile(r"\d+")
SET = re.compile(r"\\\{([\d, ]+)\\\}")
MARK = ", wanted"


def mistake(fact: str, question: str, rng: random.Random) -> str:
    """`fact` with one slip: a wrong result, a wrong operand carried through, a wrong operation, a wrong number,
    a member too many or too few in a set, or a mark put in the wrong place."""
    kinds = [_wrong_number, _wrong_number, _wrong_result, _wrong_operand, _wrong_operation]
    if SET.search(fact):
        kinds += [_wrong_member] * 4
    if "balls" in question:
        kinds.append(_wrong_mark)
    for _ in range(20):
        wrong = rng.choice(kinds)(fact, question, rng)
        if wrong != fact:
            return wrong
    return fact + " 0"


def _near(number: int, question: str, rng: random.Random) -> int:
    asked = [int(n) for n in NUMBER.findall(question)]
    return max(0, rng.choice([number + rng.randint(-4, 4), number + rng.choice([-10, 10]), rng.choice(asked or [1])]))


def _wrong_number(fact: str, question: str, rng: random.Random) -> str:
    found = list(NUMBER.finditer(fact))
    if not found:
        return fact
    at = rng.choice(found)
    return fact[: at.start()] + str(_near(int(at.group()), question, rng)) + fact[at.end() :]


def _result(a: int, sign: str, b: int) -> int | None:
    if sign == "/":
        return a // b if b and a % b == 0 else None
    return {"+": a + b, "-": a - b, "*": a * b}[sign]


def _redo(fact: str, rng: random.Random, change) -> str:
    """Changes one equation consistently: the new result replaces the old one wherever it stands later in the step."""
    found = list(EQUATION.finditer(fact))
    if not found:
        return fact
    at = rng.choice(found)
    a, sign, b = change(int(at[1]), at[2], int(at[3]))
    result = _result(a, sign, b)
    if result is None or not 0 <= result <= 99:
        return fact
    rest = re.sub(rf"\b{at[4]}\b", str(result), fact[at.end() :])
    return f"{fact[: at.start()]}{a}{sign}{b}={result}{rest}"


def _wrong_result(fact: str, question: str, rng: random.Random) -> str:
    found = list(EQUATION.finditer(fact))
    if not found:
        return fact
    at = rng.choice(found)
    wrong = str(_near(int(at[4]), question, rng))
    return fact[: at.start(4)] + wrong + re.sub(rf"\b{at[4]}\b", wrong, fact[at.end() :])


def _wrong_operand(fact: str, question: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return _redo(fact, rng, lambda a, sign, b: (_near(a, question, rng), sign, b))
    return _redo(fact, rng, lambda a, sign, b: (a, sign, _near(b, question, rng)))


def _wrong_operation(fact: str, question: str, rng: random.Random) -> str:
    return _redo(fact, rng, lambda a, sign, b: (a, rng.choice("+-*/"), b))


def _wrong_member(fact: str, question: str, rng: random.Random) -> str:
    at = SET.search(fact)
    members = {int(n) for n in NUMBER.findall(at[1])}
    asked = {int(n) for n in NUMBER.findall(question)} - members
    if len(members) > 1 and (not asked or rng.random() < 0.5):
        members.remove(rng.choice(sorted(members)))
    elif asked:
        members.add(rng.choice(sorted(asked)))
    return f"{fact[: at.start()]}\\{{{', '.join(map(str, sorted(members)))}\\}}{fact[at.end() :]}"


def _wrong_mark(fact: str, question: str, rng: random.Random) -> str:
    return fact.removesuffix(MARK) if fact.endswith(MARK) else fact if "frac" in fact else fact + MARK
