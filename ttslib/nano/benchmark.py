"""Writes the fixed benchmarks NanoMATH-500 and NanoAIME-30, both from the test split.

    python -m ttslib.nano.benchmark            # rewrites both files in ttslib/nano/data, byte for byte the same
"""

import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ttslib.nano.generator import normalise_question, split_of
from ttslib.nano.subjects import AIME, LEVELS, SUBJECTS, Subject, Worked
from ttslib.problems import NANOAIME, NANOMATH

SEED, TRIES = 2502, 1000


def nanomath() -> list[Worked]:
    """500 test problems; any first k of them are spread about evenly over the 65 cells of subject and level."""
    return list(_balanced(tuple((subject, level) for level in LEVELS for subject in SUBJECTS), 500))


def nanoaime() -> list[Worked]:
    """30 test problems of the hardest level, a whole number below 1,000 as the answer of each."""
    return list(_balanced(((AIME, max(LEVELS)),), 30))


@cache  # it takes a second
def _balanced(cells: tuple[tuple[Subject, int], ...], size: int) -> tuple[Worked, ...]:
    rng, order = random.Random(SEED), list(cells)
    problems, seen = [], set()
    while len(problems) < size:
        rng.shuffle(order)
        for subject, level in order:
            worked = _fresh(subject, level, rng, seen)
            if worked is not None:
                seen.add(normalise_question(worked.question))
                problems.append(worked)
    return tuple(problems[:size])


def _fresh(subject: Subject, level: int, rng: random.Random, seen: set[str]) -> Worked | None:
    """A test problem not seen yet; None where a small cell (few short radicals exist) has no more to give."""
    for _ in range(TRIES):
        worked = subject(rng, level)
        if split_of(worked.question) == "test" and normalise_question(worked.question) not in seen:
            return worked
    return None


def _write(path: Path, problems: Sequence[Worked]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for number, worked in enumerate(problems):
            row = {"unique_id": f"{path.stem.rstrip('0123456789')}/{number:03d}", "problem": worked.question,
                   "answer": worked.answer, "subject": worked.subject, "level": worked.level, "facts": worked.facts}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    _write(NANOMATH, nanomath())
    _write(NANOAIME, nanoaime())
