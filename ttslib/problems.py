"""Problems and where they come from: the built-in NanoMATH-500, three benchmarks on the Hub, or a local JSONL file."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One question with its gold answer. `level` is 1-5, or 0 where the benchmark has none."""

    id: str
    question: str
    answer: str
    subject: str = ""
    level: int = 0


@dataclass(frozen=True)
class HubSet:
    """A benchmark on the Hugging Face Hub. `answers`: sha256 of its answers, one a line, in order; "" if unknown."""

    repo: str
    revision: str
    split: str
    size: int
    answers: str = ""


NANOMATH = Path(__file__).parent / "nano" / "data" / "nanomath500.jsonl"
HUB = {
    "math500": HubSet("HuggingFaceH4/MATH-500", "main", "test", 500),
    "aime24": HubSet("HuggingFaceH4/aime_2024", "main", "train", 30),
    "amc23": HubSet("math-ai/amc23", "main", "test", 40),
}


def load_problems(name_or_path: str | Path, *, limit: int | None = None) -> list[Problem]:
    """Problems of "nanomath", "math500", "aime24", "amc23" or of a local JSONL file.

    A JSONL line has `problem` (or `question`) and `answer`, and may have `unique_id` (or `id`), `subject` and `level`
    (5 or "Level 5"). `limit` keeps the first ones. Raises ValueError for an unknown name, a missing or empty file, a
    line that is not such a problem, or a download whose answers are not the expected ones.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}.")
    if name_or_path == "nanomath":
        problems = _read_jsonl(NANOMATH)
    elif name_or_path in HUB:
        problems = _from_hub(str(name_or_path))
    elif str(name_or_path).endswith(".jsonl"):
        problems = _read_jsonl(Path(name_or_path))
    else:
        known = ", ".join(["nanomath", *HUB])
        raise ValueError(f"Unknown problem set {str(name_or_path)!r}: give one of {known}, or a path to a .jsonl file.")
    return problems[:limit]


def answers_checksum(problems: Iterable[Problem]) -> str:
    """sha256 of the answers, one a line, in order: tells one copy of a benchmark from another."""
    return hashlib.sha256("\n".join(problem.answer for problem in problems).encode()).hexdigest()


def _read_jsonl(path: Path) -> list[Problem]:
    if not path.is_file():
        raise ValueError(f"No problem file at {path}.")
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"Line {number} of {path} is not JSON: {error}.") from None
        problems.append(_problem(row, f"{path.stem}/{number}", f"Line {number} of {path}"))
    return _checked(problems, str(path))


def _from_hub(name: str) -> list[Problem]:
    source = HUB[name]
    try:
        from datasets import load_dataset
    except ImportError:
        raise ValueError(
            f"Loading {name} from the Hub needs the package `datasets`; install it, or give a local .jsonl file."
        ) from None
    try:
        rows = load_dataset(source.repo, revision=source.revision, split=source.split)
    except Exception as error:
        raise ValueError(
            f"{source.repo} could not be loaded ({type(error).__name__}): check the network, or give a local .jsonl file."
        ) from error
    problems = _checked([_problem(row, f"{name}/{i}", f"Row {i} of {name}") for i, row in enumerate(rows)], name)
    if len(problems) != source.size or (source.answers and answers_checksum(problems) != source.answers):
        raise ValueError(f"{source.repo} is not the expected copy: its size or its answers differ from the pinned ones.")
    return problems


def _problem(row: dict[str, Any], default_id: str, where: str) -> Problem:
    question = row.get("problem") or row.get("question")
    if not question or row.get("answer") in (None, ""):
        raise ValueError(f"{where} has no question or no answer: it needs `problem` (or `question`) and `answer`.")
    level = str(row.get("level") or 0).removeprefix("Level ").strip()
    return Problem(
        id=str(row.get("unique_id") or row.get("id") or default_id),
        question=question,
        answer=str(row["answer"]),
        subject=str(row.get("subject") or ""),
        level=int(level) if level.isdigit() else 0,
    )


def _checked(problems: list[Problem], where: str) -> list[Problem]:
    if not problems:
        raise ValueError(f"{where} holds no problem.")
    if len({problem.id for problem in problems}) != len(problems):
        raise ValueError(f"{where} has problems with the same id: ids name the records, so each must be its own.")
    return problems
