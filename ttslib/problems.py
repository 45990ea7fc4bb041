"""Problems and where they come from: NanoMATH-500 and NanoAIME-30, which are built in, the Hub, or a local file."""

import hashlib
import json
import re
import reprlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ttslib.boxes import answers_in
from ttslib.names import unknown
from ttslib.plain_text import mend
from ttslib.zoo import hub_file


@dataclass(frozen=True)
class Problem:
    """One question with its gold answer. `level` is 1-5, or 0 where the benchmark has none. `steps`: a solution that it
    comes with, for the method "read".

    A lone surrogate in a text, which no hash, tokenizer or file takes, becomes U+FFFD.
    """

    id: str
    question: str
    answer: str
    subject: str = ""
    level: int = 0
    steps: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("id", "question", "answer", "subject"):
            object.__setattr__(self, name, mend(getattr(self, name)))
        object.__setattr__(self, "steps", tuple(map(mend, self.steps)))


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
# How tables write that there is no value, and a number that is none.
MISSING = ("nan", "nat", "none", "null", "n/a", "<na>", "inf", "-inf")
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
FILE = ", or a path to a .jsonl or .json file"
SIZES = {"nanomath": 500, "nanoaime": 30} | {name: source.size for name, source in HUB.items()}


def load_problems(name_or_path: str | Path, *, limit: int | None = None) -> list[Problem]:
    """Problems of "nanomath", "nanoaime", "math500", "aime24", "amc23" or of a local file: JSONL, or JSON that is one
    list.

    A line of JSONL, or a member of the list, has `problem` (or `question`) and `answer`, and may have `unique_id` (or
    `id`; by default the row, "row/3"), `subject` and `level` (5, "5" or "Level 5"; 0 if it is left out or "?"). An
    answer that is a whole solution gives what stands behind the last `####`, at its end, or in the last box; a row
    without `answer` gives that of its `solution`. Any other answer stays as it is. `limit` keeps the first ones. The
    three on the Hub are read at a fixed commit, from the local cache if they are there. Raises ValueError for an
    unknown name, a missing or empty file, a line that is not such a problem, an id that comes twice, a Hub that cannot
    be reached, or a download whose answers are not the expected ones.
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
        raise unknown("problem set", str(name_or_path), SIZES, FILE)
    return problems[:limit]


def known_size(name_or_path: str | Path) -> int | None:
    """How many problems a benchmark has, without reading it; None for a local file, which only reading tells.

    Raises ValueError for a name that is neither.
    """
    name = str(name_or_path)
    if name not in SIZES and not name.endswith((".jsonl", ".json")):
        raise unknown("problem set", name, SIZES, FILE)
    return SIZES.get(name)


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
        raise ValueError(f"No problem file at {path.absolute()}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
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
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} is not JSON: {error}.") from None


def _read_file(path: Path) -> list[Problem]:
    rows = enumerate(read_rows(path), 1)
    found = [(_problem(row, f"row/{place}", where), where) for place, (_, where, row) in rows]
    if not found:
        raise ValueError(f"{path} holds no problem.")
    return unique(found)


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
    found = [(_problem(row, str(i), f"Row {i} of {name}"), f"Row {i} of {name}") for i, row in enumerate(rows)]
    return unique([(replace(problem, id=f"{name}/{problem.id}"), where) for problem, where in found])


def _problem(row: Any, default_id: str, where: str) -> Problem:
    fields = {key: value for key, value in row.items() if not _absent(value)} if isinstance(row, dict) else {}
    question = fields.get("problem", fields.get("question"))
    if not isinstance(question, str) or (answer := _gold(row, where)) is None:
        raise ValueError(
            f"{where} has no question or no answer: it needs `problem` (or `question`) and `answer`"
            + (f", which is {reprlib.repr(row['answer'])}." if "answer" in fields else ".")
        )
    return Problem(
        id=str(fields.get("unique_id", fields.get("id", default_id))),
        question=question,
        answer=answer,
        subject=str(fields.get("subject", "")),
        level=_level(fields.get("level", 0), where),
    )


def _absent(value: Any) -> bool:
    return value is None or value != value or not str(value).strip()  # a table's NaN is unlike itself


def _gold(row: dict[str, Any], where: str) -> str | None:
    """The answer, or that of the solution which stands for it; None if there is none."""
    if "answer" not in row and isinstance(row.get("solution"), str):
        if found := _concluded(row["solution"]):
            return found
        raise ValueError(f"{where} has no `answer`, and its `solution` ends in no \\boxed{{...}} and no '#### ...'.")
    answer = row.get("answer")
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return None
    if _absent(answer) or str(answer).strip().lower() in MISSING:
        return None
    if isinstance(answer, float) and answer.is_integer():  # a table's way to hold 27
        answer = int(answer)
    found = _concluded(str(answer))
    return str(answer) if found is None else found or None


def _concluded(text: str) -> str | None:
    """The answer that a solution ends with, "" if that is empty; None for a text that is no solution."""
    _, mark, end = text.rpartition("####")
    ends = bool(mark) and "\n" not in end.strip()
    text = end.strip() if ends else text
    if "\\boxed" in text or "\\fbox" in text:
        return next(reversed(answers_in(text)), "")
    return text if ends else None


def _level(value: Any, where: str) -> int:
    found = re.fullmatch(r"(?:level\s*)?(?:([0-9]+)(?:\.0+)?|\?)", str(value).strip(), re.I)
    if not found:
        raise ValueError(f"{where} has the level {value!r}: give a whole number, as 5 or 'Level 5', or leave it out.")
    return int(found[1] or 0)


def unique(found: Iterable[tuple[Any, str]]) -> list:
    """The members of (member, its place in words); ValueError if two have the same `id`."""
    places: dict[str, str] = {}
    for each, where in found:
        if (first := places.setdefault(each.id, where)) != where:
            raise ValueError(
                f"{first} and {where} are two with the same id {each.id!r}: ids name the records, so give each its own."
            )
    return [each for each, _ in found]
