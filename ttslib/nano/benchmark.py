"""Writes the fixed benchmark NanoMATH-500: the test split, balanced over subjects and levels in every prefix.

    python -m ttslib.nano.benchmark            # rewrites ttslib/nano/data/nanomath500.jsonl, byte for byte the same
"""

import json
import random

from ttslib.nano.generator import LEVELS, SUBJECTS, Worked, normalise_question, split_of
from ttslib.problems import NANOMATH

SIZE, SEED = 500, 2502


def benchmark() -> list[Worked]:
    """The 500 test problems; any first k of them are spread evenly over the 40 cells of subject and level."""
    rng = random.Random(SEED)
    cells = [(subject, level) for level in LEVELS for subject in SUBJECTS]
    problems, seen = [], set()
    while len(problems) < SIZE:
        rng.shuffle(cells)
        for subject, level in cells:
            worked = subject(rng, level)
            while split_of(worked.question) != "test" or normalise_question(worked.question) in seen:
                worked = subject(rng, level)
            seen.add(normalise_question(worked.question))
            problems.append(worked)
    return problems[:SIZE]


if __name__ == "__main__":
    NANOMATH.parent.mkdir(exist_ok=True)
    with NANOMATH.open("w", encoding="utf-8") as file:
        for number, worked in enumerate(benchmark()):
            row = {"unique_id": f"nanomath/{number:03d}", "problem": worked.question, "answer": worked.answer,
                   "subject": worked.subject, "level": worked.level, "facts": worked.facts}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
