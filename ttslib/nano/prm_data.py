"""Training examples of PRMs: a right prefix, then one step that is right or wrong, half and half.

Nothing after a first error is ever an example. Wrong steps come from two sources: slips made on purpose on the worked
solution (`mistakes`), and the first wrong steps of solutions that policies sampled (`rollouts`).
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ttslib.nano.generator import Worked, generate
from ttslib.nano.mistakes import mistake
from ttslib.nano.styles import STYLES


@dataclass(frozen=True)
class Labelled:
    """Steps whose last one is right or not (`right`), all before it being right; `expected` is the right last step."""

    question: str
    steps: tuple[str, ...]
    right: bool
    expected: str


def made(worked: Worked, style: str, rng: random.Random) -> Labelled:
    """A prefix of the worked solution, with a slip made in its last step half of the time."""
    steps = STYLES[style](worked)
    last = rng.randrange(len(steps))
    right = rng.random() < 0.5
    if right:
        shown = steps
    elif last < len(worked.facts):
        facts = list(worked.facts)
        facts[last] = mistake(facts[last], worked.question, rng)
        shown = STYLES[style](replace(worked, facts=tuple(facts)))
    else:
        shown = STYLES[style](replace(worked, answer=mistake(worked.answer, worked.question, rng)))
    return Labelled(worked.question, tuple(shown[: last + 1]), right, steps[last])


def sampled(row: dict, rng: random.Random) -> Labelled | None:
    """A prefix of a sampled solution: up to its first wrong step, or a right one cut at a random depth.

    None if this row has no solution of the wanted kind, or only ones that go on after their end.
    """
    right = rng.random() < 0.5
    pool = [(steps, wrong) for steps, wrong in row["sampled"] if (wrong < 0) == right and steps]
    if not pool:
        return None
    steps, wrong = rng.choice(pool)
    last = rng.randrange(len(steps)) if right else wrong
    if last >= len(row["right"]):
        return None
    return Labelled(row["question"], tuple(steps[: last + 1]), right, row["right"][last])


def stream(rollouts: list[Path], styles: Sequence[str], seed: int, share: float = 0.5) -> Iterator[Labelled]:
    """An endless mix: `share` of the examples from the rollout files, the rest made, in the given step styles."""
    rng = random.Random(seed)
    rows = [json.loads(line) for path in rollouts for line in path.read_text(encoding="utf-8").splitlines()]
    for worked in generate(1000 + seed, "train"):
        example = sampled(rng.choice(rows), rng) if rows and rng.random() < share else None
        yield example or made(worked, rng.choice(styles), rng)
