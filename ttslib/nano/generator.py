"""NanoMATH problems and their worked solutions, generated.

Thirteen subjects (`subjects/`, one a file), five levels. A problem is a chain of small facts, longer with its level
(numbers up to 99, each one token), so a tiny model can learn every fact and still find the whole solution hard: errors
add up with depth. Every problem has exactly one worked solution, which makes the correctness of a sampled step exact
(`styles.check_steps`). NanoAIME problems are those of level 5 with one step more and a whole number below 1,000.

    python -m ttslib.nano.generator            # prints one problem of each subject and level

Splits never meet: a question belongs to the test split when the hash of its normalised text falls into one
residue class, and to the training split otherwise.
"""

import hashlib
import random
from collections.abc import Iterator

from ttslib.nano.subjects import AIME, LEVELS, SUBJECTS, Worked

TEST_RESIDUE, RESIDUES = 0, 16
AIME_SHARE = 0.08  # of the training problems


def normalise_question(question: str) -> str:
    """Lower-case question text with single spaces: what the splits are told apart by."""
    return " ".join(question.lower().split())


def split_of(question: str) -> str:
    """"test" or "train", by the hash of the normalised question."""
    digest = hashlib.sha256(normalise_question(question).encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") % RESIDUES == TEST_RESIDUE else "train"


def generate(seed: int, split: str) -> Iterator[Worked]:
    """An endless stream of problems of one split ("train" or "test"), uniform over subjects and levels."""
    rng = random.Random(f"{split}-{seed}")
    while True:
        subject = AIME if rng.random() < AIME_SHARE else rng.choice(SUBJECTS)
        worked = subject(rng, rng.choice(LEVELS))
        if split_of(worked.question) == split:
            yield worked


if __name__ == "__main__":
    for subject in (*SUBJECTS, AIME):
        for level in LEVELS:
            w = subject(random.Random(level), level)
            print(f"[{w.subject} {w.level}] {w.question}\n    " + " | ".join(w.facts) + f"\n    -> {w.answer}")
