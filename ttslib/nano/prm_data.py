"""Training examples of PRMs: solutions that are right so far or have a first wrong step, half and half.

They come from two sources: slips made on purpose on the worked solution (`mistakes`), whose labels are exact, and
solutions that policies sampled (`rollouts`), whose labels are Monte-Carlo estimates. Most examples end with the step
that decides. Some wrong ones go on behind it, since a PRM whose last score should stand for a whole solution must not
forgive an early error.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ttslib.nano.generator import generate
from ttslib.nano.mistakes import mistake
from ttslib.nano.styles import STYLES
from ttslib.nano.subjects import Worked


@dataclass(frozen=True)
class Labelled:
    """Steps of a solution. `wrong`: index of the first wrong one, -1 if all are right.

    `expected`: the right step at that place; "" if the step there is called wrong and is not.
    """

    question: str
    steps: tuple[str, ...]
    wrong: int = -1
    expected: str = ""


def made(worked: Worked, style: str, rng: random.Random, beyond: float = 0.0) -> Labelled:
    """A prefix of the worked solution; half of the time with a slip, in its last step but for a share `beyond`."""
    steps = STYLES[style](worked)
    if rng.random() < 0.5:
        return Labelled(worked.question, tuple(steps[: rng.randint(1, len(steps))]))
    place = rng.randint(0, len(worked.facts))
    if place < len(worked.facts):
        facts = list(worked.facts)
        facts[place] = mistake(facts[place], worked.question, rng)
        shown = STYLES[style](replace(worked, facts=tuple(facts)))
    else:
        shown = STYLES[style](replace(worked, answer=mistake(worked.answer, worked.question, rng)))
    wrong = next(index for index, (step, right) in enumerate(zip(shown, steps, strict=True)) if step != right)
    return _wrong(worked.question, shown, wrong, steps[wrong], rng, beyond)


def sampled(row: dict, rng: random.Random, labels: str, beyond: float = 0.0) -> Labelled | None:
    """A solution from a rollout file: cut before its first wrong step, or a wrong one (see `made` for `beyond`).

    `labels`: "monte_carlo" takes a step for wrong whose share is 0; "consensus" leaves solutions out whose first wrong
    step is not the exact one. None if this row has no solution of the wanted kind.
    """
    right = rng.random() < 0.5
    pool = []
    for solution in row["sampled"]:
        wrong = first_zero(solution["shares"])
        if labels == "consensus" and wrong != solution["wrong"] or wrong >= len(row["right"]):
            continue
        if wrong != 0 if right else wrong >= 0:
            pool.append((solution["steps"], wrong, solution["wrong"]))
    if not pool:
        return None
    steps, wrong, exact = rng.choice(pool)
    if right:
        last = rng.randrange(wrong if wrong > 0 else min(len(steps), len(row["right"])))
        return Labelled(row["question"], tuple(steps[: last + 1]))
    return _wrong(row["question"], steps, wrong, row["right"][wrong] if wrong == exact else "", rng, beyond)


def first_zero(shares: Sequence[float]) -> int:
    """Index of the first step from which no sampled ending was right; -1 if there is none."""
    return next((index for index, share in enumerate(shares) if share == 0), -1)


def _wrong(question: str, steps: Sequence[str], wrong: int, expected: str, rng: random.Random,
           beyond: float) -> Labelled:  # fmt: skip
    whole = beyond > 0 and rng.random() < beyond
    return Labelled(question, tuple(steps if whole else steps[: wrong + 1]), wrong, expected)


def stream(rollouts: list[Path], styles: Sequence[str], seed: int, *, labels: str = "monte_carlo",
           beyond: float = 0.0, share: float = 0.8) -> Iterator[Labelled]:  # fmt: skip
    """An endless mix: `share` of the examples from the rollout files, the rest made, in the given step styles."""
    rng = random.Random(seed)
    rows = [json.loads(line) for path in rollouts for line in path.read_text(encoding="utf-8").splitlines()]
    for worked in generate(1000 + seed, "train"):
        example = sampled(rng.choice(rows), rng, labels, beyond) if rows and rng.random() < share else None
        yield example or made(worked, rng.choice(styles), rng, beyond)
