"""Problems and where they come from: NanoMATH-500 and NanoAIME-30, which are built in, the Hub, or a local file."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ttslib.zoo import hub_file


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
    """One file of a benchmark on the Hugging Face Hub, at a commit. `answers` is its `answers_checksum`."""

    repo: str
    revision: str
    file: str
    size: int
    answers: str


NAMES = {"nanomath": "NanoMATH", "nanoaime": "NanoAIME", "math500": "MATH-500", "aime24": "AIME24", "amc23": "AMC23"}
NANO_DATA = Path(__file__).parent / "nano" / "data"
NANOMATH, NANOAIME = NANO_DATA / "nanomath500.jsonl", NANO_DATA / "nanoaime30.jsonl"
BUILT_IN = {"nanomath": NANOMATH, "nanoaime": NANOAIME}
HUB = {
    "math500": HubSet(
        "HuggingFaceH4/MATH-500", "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be", "test.jsonl", 500,
        "4563c132723345af807dfeb0624fbef921b6ce25f08051a0cb4922d9a650d13a",
    ),
    "aime24": HubSet(
        "HuggingFaceH4/aime_2024", "2fe88a2f1091d5048c0f36abc874fb997b3dd99a", "data/train-00000-of-00001.parquet", 30,
        "26b2e319e14bdec51519f4cbb0a47ad57a80751c03b39c937514c67994cea9f2",
    ),
    "amc23": HubSet(
        "math-ai/amc23", "80815d37005feb82cd7f8fbc6901d5d3eff43057", "test-00000-of-00001.parquet", 40,
        "395f5c1282d3240db046ebebbda62ecb1515401edc317595d195891a78895d7c",
    ),
}


def load_problems(name_or_path: str | Path, *, limit: int | None = None) -> list[Problem]:
    """Problems of "nanomath", "nanoaime", "math500", "aime24", "amc23" or of a local file: JSONL, or JSON that is one
    list.

    A line of JSONL, or a member of the list, has `problem` (or `question`) and `answer`, and may have `unique_id` (or
    `id`), `subject` and `level` (5 or "Level 5"). `limit` keeps the first ones. The three on the Hub are read at a
    fixed commit, from the local cache if they are there. Raises ValueError for an unknown name, a missing or empty
    file, a line that is not such a problem, a Hub that cannot be reached, or a download whose answers are not the
    expected ones.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}.")
    if name_or_path in BUILT_IN:
        problems = _read_file(BUILT_IN[str(name_or_path)])
    elif name_or_path in HUB:
        problems = _from_hub(str(name_or_path))
    elif str(name_or_path).endswith((".jsonl", ".json")):
        problems = _read_file(Path(name_or_path))
    else:
        known = ", ".join([*BUILT_IN, *HUB])
        raise ValueError(
            f"Unknown problem set {str(name_or_path)!r}: give one of {known}, or a path to a .jsonl or .json file."
        )
    return problems[:limit]


def benchmark_name(name_or_path: str | Path) -> str:
    """The name of a problem set in headings: a benchmark's own, or a file's without its folder and ending."""
    return NAMES.get(str(name_or_path), Path(name_or_path).stem)


def answers_checksum(problems: Iterable[Problem]) -> str:
    """sha256 of the answers, sorted, one a line: tells one copy of a benchmark from another.

    Copies differ in the order of the problems and in how they write a whole number (AIME's "025" and "25"), so neither
    counts.
    """
    lines = sorted(_plain(problem.answer) for problem in problems)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(answer: str) -> str:
    return str(int(answer)) if re.fullmatch(r"-?[0-9]+", answer) else answer


def read_rows(path: Path) -> Iterator[tuple[int, str, Any]]:
    """(number from 1, place in words, value) of each line of a JSONL file, or of each member of a .json file's list.

    Raises ValueError, in one sentence, for a file that is missing or is not that.
    """
    if not path.is_file():
        raise ValueError(f"No problem file at {path}.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    if path.suffix == ".json":
        rows = _json(text, str(path))
        if not isinstance(rows, list):
            raise ValueError(f"{path} is not a list of problems.")
        yield from ((number, f"Row {number} of {path}", row) for number, row in enumerate(rows, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, f"Line {number} of {path}", _json(line, f"Line {number} of {path}")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is not JSON: {error}.") from None


def _read_file(path: Path) -> list[Problem]:
    found = [_problem(row, f"{path.stem}/{number}", where) for number, where, row in read_rows(path)]
    return _checked(found, str(path))


def _from_hub(name: str) -> list[Problem]:
    source = HUB[name]
    file = hub_file(source.repo, source.file, revision=source.revision, kind="dataset")
    problems = _read_file(file) if file.suffix == ".jsonl" else _read_parquet(file, name)
    if len(problems) != source.size or answers_checksum(problems) != source.answers:
        raise ValueError(f"{source.repo} is not the expected copy: its size or its answers differ from those pinned.")
    return problems


def _read_parquet(path: Path, name: str) -> list[Problem]:
    import pandas

    try:
        rows = pandas.read_parquet(path).to_dict("records")
    except ImportError:
        raise ValueError(
            f"{name} is a parquet file on the Hub, which needs pyarrow: run pip install pyarrow, or give a .jsonl file."
        ) from None
    found = [_problem(row, str(i), f"Row {i} of {name}") for i, row in enumerate(rows)]
    return _checked([replace(problem, id=f"{name}/{problem.id}") for problem in found], name)


def _problem(row: Any, default_id: str, where: str) -> Problem:
    fields = row if isinstance(row, dict) else {}
    question, answer = fields.get("problem") or fields.get("question"), fields.get("answer")
    if not isinstance(question, str) or not isinstance(answer, str | int | float) or answer == "":
        raise ValueError(f"{where} has no question or no answer: it needs `problem` (or `question`) and `answer`.")
    if isinstance(answer, float) and answer.is_integer():  # a table's way to hold 27
        answer = int(answer)
    named = next((str(fields[key]) for key in ("unique_id", "id") if fields.get(key) not in (None, "")), default_id)
    level = str(fields.get("level") or 0).removeprefix("Level ").strip()
    return Problem(
        id=named,
        question=question,
        answer=str(answer),
        subject=str(fields.get("subject") or ""),
        level=int(level) if level.isdigit() else 0,
    )


def _checked(problems: list[Problem], where: str) -> list[Problem]:
    if not problems:
        raise ValueError(f"{where} holds no problem.")
    if len({problem.id for problem in problems}) != len(problems):
        raise ValueError(f"{where} has problems with the same id: ids name the records, so each must be its own.")
    return problems
