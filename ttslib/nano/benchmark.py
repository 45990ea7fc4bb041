"""Writes the fixed benchmark NanoMATH-500: the test split, balanced over subjects and levels in every prefix.

    python -m ttslib.nano.benchmark            # rewrites ttslib/nano/data/nanomath500.jsonl, byte for byte the same
"""

import json
import random

from ttslib.nano.generator import LEVELS, SUBJECTS, Worked, normalise_question, split_of
from ttslib.problems import NANOMATH

SIZE, SEED, TRIES = 500, 2502, 1000


def benchmark() -> list[Worked]:
    """The 500 test problems; any first k of them are spread about evenly over the 40 cells of subject and level."""
    rng = random.Random(SEED)
    cells = [(subject, level) for level in LEVELS for subject in SUBJECTS]
    problems, seen = [], set()
    while len(problems) < SIZE:
        rng.shuffle(cells)
        for subject, level in cells:
            worked = _fresh(subject, level, rng, seen)
            if worked is not None:
                seen.add(normalise_question(worked.question))
                problems.append(worked)
    return problems[:SIZE]


def _fresh(subject, level: int, rng: random.Random, seen: set[str]) -> Worked | None:
    """A test problem not seen yet; None where a small cell (few short radicals exist) has no more to give."""
    for _ in range(TRIES):
        worked = subject(rng, level)
        if split_of(worked.question) == "test" and normalise_question(worked.question) not in seen:
            return worked
    return None


if __name__ == "__main__":
    NANOMATH.parent.mkdir(exist_ok=True)
    with NANOMATH.open("w", encoding="utf-8") as file:
        for number, worked in enumerate(benchmark()):
            row = {"unique_id": f"nanomath/{number:03d}", "problem": worked.question, "answer": worked.answer,
                   "subject": worked.subject, "level": worked.level, "facts": worked.facts}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
