r"""Long chains of thought, for policies in place of the R1 distillations: equations are checked, slips mended.

    <think>
    First, $12+5=18$.
    Check, $18-5=13$, not 12.
    Wait, $12+5=17$.
    Check, $17-5=12$.
    </think>
    So the answer is \boxed{17}.

(with a blank line after every step). The slip itself is shown but not learned: a policy learns to notice slips and to
mend them, not to make them.
"""

import random
import re

from ttslib.nano.subjects import Worked
from ttslib.nano.subjects.base import UNDO

EQUATION = re.compile(r"(?<![\d.])(\d+)([+\-*/])(\d+)=(\d+)(?![\d.])")
SLIP_SHARE = 0.12


def thinking_steps(worked: Worked, rng: random.Random | None = None) -> list[tuple[str, bool]]:
    """(step, whether it is to be learned) pairs; with `rng`, some equations first come out wrong."""
    steps: list[tuple[str, bool]] = [("<think>", True)]
    for k, fact in enumerate(worked.facts):
        lead = "First" if not k else "Next"
        wrong = _slip(fact, rng) if rng is not None and rng.random() < SLIP_SHARE else fact
        if wrong != fact:
            steps += [(f"{lead}, ${wrong}$.", False), (_check(wrong), True)]
            lead = "Wait"
        steps.append((f"{lead}, ${fact}$.", True))
        if EQUATION.search(fact):
            steps.append((_check(fact), True))
    return [*steps, ("</think>", True), (f"So the answer is \\boxed{{{worked.answer}}}.", True)]


def _slip(fact: str, rng: random.Random) -> str:
    """`fact` with the result of its last equation off by a little; unchanged if it has none."""
    found = list(EQUATION.finditer(fact))
    if not found:
        return fact
    at = found[-1]
    wrong = int(at[4]) + rng.choice([-10, -3, -2, -1, 1, 2, 3, 10])
    return f"{fact[: at.start(4)]}{wrong}{fact[at.end(4) :]}" if 0 <= wrong <= 99 else fact


def _check(fact: str) -> str:
    """The last equation of `fact` undone, and whether that gives its first number back."""
    at = list(EQUATION.finditer(fact))[-1]
    first, sign, second, result = int(at[1]), at[2], int(at[3]), int(at[4])
    back = {"+": result - second, "-": result + second, "*": _divided(result, second), "/": result * second}[sign]
    verdict = "" if back == first else f", not {first}"
    return f"Check, ${result}{UNDO[sign]}{second}={back}${verdict}."


def _divided(a: int, b: int) -> int | str:
    return a // b if b and a % b == 0 else "no whole number"
