"""Records -> an archive. The same records give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow
from pyarrow import parquet

from ttslib.archive import CONTENTS, is_archive, layout, opened
from ttslib.archive.layout import NONE, STEPS, Steps, file_of, named
from ttslib.archive.reading import Archive, grading_of, with_samples
from ttslib.canonical import canonical_json
from ttslib.graded import Graded, prepare
from ttslib.records import Record, Store, StoreError, to_json

TOGETHER = 1000  # records whose answers are graded in one batch
SHAPE = ("N", "M", "kept", "subtrees")


def write(store: str | os.PathLike, to: str | os.PathLike, *, profile: str = "") -> int:
    """Archive all records of a store in the folder `to`; how many it then has.

    An archive that is there gains those that it lacks, so that work can go on where only the archive is; files that
    stay as they are are not touched, and the verdicts of another version of grading are made anew. Texts are kept of
    the records that the store's `shown` names. The store may be an archive. profile: a name that the archive bears.
    Raises ValueError if there is nothing to archive, and StoreError if a store cannot be used or lacks the samples that
    one of its records scores.
    """
    to = Path(to)
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(path)) for path in (store, to) if path != to or is_archive(to)]
        records = _Records(sources)
        if not len(records):
            raise ValueError(f"There is no record in {store}: there is nothing to archive.")
        plan = _Plan(records)
        files = dict(plan.tables(records))
        files[layout.TEXTS] = _texts(plan, records)
        about = {"format": layout.FORMAT, "profile": profile, "grading": grading_of()}
        files[CONTENTS] = files[CONTENTS].replace_schema_metadata({"ttslib": canonical_json(about)})
    to.mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        _put(table, to / name)
    return len(records)


class _Records:
    """The records of several stores and archives: each is that of the first one that holds it."""

    def __init__(self, sources: Sequence[Store | Archive]):
        self._of = {key: source for source in reversed(sources) for key in source.addresses()}
        self.shown = {key for source in sources for key in source.shown() if key in self._of}

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, key: str) -> bool:
        return key in self._of

    def addresses(self) -> list[str]:
        return sorted(self._of)

    def get(self, key: str) -> Record:
        record = self._of[key].get(key)
        if record is None:
            raise StoreError(f"Record {key} was removed from {self._of[key].path} while it was read: run again.")
        return record


@dataclass(frozen=True)
class _Place:
    """A record's key, the places of its content and its problem in their files, and the key of its pool, if any."""

    key: str
    content: int
    problem: int
    pool: str | None


class _Plan:
    """Which cells are archived, and in which order: by policy, content of their address, and problem."""

    def __init__(self, records: _Records):
        contents: dict[str, tuple[dict, dict]] = {}
        problems: dict[tuple[str, str], dict] = {}
        found = []
        for key in records.addresses():
            record = records.get(key)
            content = {name: part for name, part in record.cell.items() if name != "problem"}
            text, problem = canonical_json(content), tuple(record.cell["problem"][part] for part in ("id", "content"))
            contents.setdefault(text, (content, {name: getattr(record, name) for name in SHAPE}))
            problems.setdefault(problem, record.problem)
            found.append((key, text, problem, record.pool and record.pool["key"]))
        order = sorted(contents, key=lambda text: (file_of(contents[text][0]["policy"]), text))
        self.contents = {text: contents[text] for text in order}
        self.problems = dict(sorted(problems.items()))
        number, asked = ({name: place for place, name in enumerate(each)} for each in (self.contents, self.problems))
        self.places = [_Place(key, number[text], asked[problem], pool) for key, text, problem, pool in found]
        for *_, pool in found:
            if pool and pool not in records:
                raise StoreError(f"A record scores samples that are not there ({pool}): run again what has them.")

    def tables(self, records: _Records) -> Iterator[tuple[str, pyarrow.Table]]:
        """(name of a file, what it holds)."""
        number = {text: place for place, text in enumerate(self.contents)}
        rows, scoring = [], {place.content for place in self.places if place.pool}
        for text, (content, shape) in self.contents.items():
            pool = number[canonical_json(content | {"prm": None})] if number[text] in scoring else NONE
            rows.append({"content": text, "file": file_of(content["policy"]), "pool": pool, **shape})
        yield CONTENTS, pyarrow.Table.from_pylist(rows, layout.CONTENT)
        asked = [
            {"id": id, "hash": hash, "problem": canonical_json(problem)}
            for (id, hash), problem in self.problems.items()
        ]
        yield layout.PROBLEMS, pyarrow.Table.from_pylist(asked, layout.PROBLEM)
        files: dict[str, list[_Place]] = {}
        for place in self.places:
            files.setdefault(rows[place.content]["file"], []).append(place)
        for file, own in sorted(files.items()):
            cells, answers = _File(own).tables(records)
            yield f"cells-{file}.parquet", cells
            yield f"answers-{file}.parquet", answers


def _texts(plan: _Plan, records: _Records) -> pyarrow.Table:
    """All of the records that are shown; of those that a pool and scores are enough for, the pool's."""
    kept: dict[str, bytes] = {}
    for place in sorted(plan.places, key=lambda place: (place.problem, place.content)):
        if place.key not in records.shown or place.key in kept:
            continue
        record = records.get(place.key)
        if place.pool and not record.failed:
            pool = records.get(place.pool)
            kept.setdefault(place.pool, to_json(pool))
            if to_json(with_samples(record, pool)) == to_json(record):
                continue
        kept[place.key] = to_json(record)
    rows = [{"key": key, "record": text} for key, text in kept.items()]
    return pyarrow.Table.from_pylist(rows, layout.TEXT)


class _File:
    """The cells of one policy."""

    def __init__(self, places: Sequence[_Place]):
        self.places = sorted(places, key=lambda place: (place.pool is not None, place.content, place.problem))
        self.pools = {place.pool for place in places}
        self.said: dict[int, dict[str, bool | None]] = {}  # of a problem its answers, and whether they are right
        self.together: dict[tuple[int, str], str] = {}  # of an answer to it another one that it votes with
        self.rows: list[dict] = []
        self.drawn: dict[str, tuple[Steps, list]] = {}  # by address of a pool: its steps, and what names them

    def tables(self, records: _Records) -> tuple[pyarrow.Table, pyarrow.Table]:
        """(cells, answers)."""
        for start in range(0, len(self.places), TOGETHER):
            some = self.places[start : start + TOGETHER]
            found = [records.get(place.key) for place in some]
            graded = [{same: Graded(record, same) for same in ("math", "string")} for record in found]
            prepare([each for pair in graded for each in pair.values()])
            for place, pair in zip(some, graded, strict=True):
                self.rows.append({"content": place.content, "problem": place.problem} | self._row(place, pair))
        answers, number, group = self._answers()
        for row in self.rows:
            self._numbered(row, number, group)
        rows = sorted(self.rows, key=lambda row: (row["content"], row["problem"]))
        return pyarrow.Table.from_pylist(rows, layout.CELL), pyarrow.Table.from_pylist(answers, layout.ANSWER)

    def _row(self, place: _Place, graded: Mapping[str, Graded]) -> dict:
        problem, record = place.problem, graded["math"].record
        said = self.said.setdefault(problem, {})
        for each in graded.values():
            said.update((answer, each.verdicts[answer]) for answer in each.answers if answer is not None)
        answers, groups = graded["math"].answers, graded["math"].groups
        for at, leader in enumerate(groups):
            if leader != at and answers[at] is not None:
                self._join(problem, answers[leader], answers[at])
        row = _plain(record) | {"left": graded["math"].left, "said": answers, "led": groups}
        drawn, names = self.drawn.get(place.pool), [tuple(path) for path in named(record)]
        if drawn and drawn[1] == names and (scores := drawn[0].scored_by(record)) is not None:
            return row | dict.fromkeys(STEPS, []) | {"score": scores}
        steps = Steps.of(record)
        if place.key in self.pools:
            self.drawn[place.key] = steps, names
        last: dict[int, tuple] = {}
        for leaf, *pair in zip(steps.leaf, answers, graded["string"].answers, strict=True):
            last[leaf] = tuple(pair)
        scored = not all(score != score for score in steps.score)
        return row | {
            "parent": [0 if parent == NONE else at - parent for at, parent in enumerate(steps.parent)],
            "tokens": steps.tokens, "score": steps.score if scored else [], "leaf": steps.leaf,
            "answer": [last.get(at, (None, None))[0] for at in range(len(steps.parent))],
            "respelled": [last.get(at, (None, None))[1] for at in range(len(steps.parent))],
            "end": [layout.ENDS.index(end) for end in record.ends()],
        }  # fmt: skip

    def _join(self, problem: int, one: str, other: str) -> None:
        one, other = self._leader(problem, one), self._leader(problem, other)
        if one != other:
            self.together[problem, max(one, other)] = min(one, other)

    def _leader(self, problem: int, answer: str) -> str:
        while (problem, answer) in self.together:
            answer = self.together[problem, answer]
        return answer

    def _answers(self) -> tuple[list[dict], dict, dict]:
        """Rows of the answers file; of (problem, answer) its place among the problem's, and the place of its leader."""
        rows, number, group = [], {}, {}
        for problem, said in sorted(self.said.items()):
            for place, answer in enumerate(sorted(said)):
                number[problem, answer] = place
                group[problem, answer] = number[problem, self._leader(problem, answer)]
                row = {"problem": problem, "text": answer, "right": said[answer], "group": group[problem, answer]}
                rows.append(row)
        return rows, number, group

    @staticmethod
    def _numbered(row: dict, number: Mapping, group: Mapping) -> None:
        """The row with numbers for answers, and with its own groups where those of its answers are others."""
        problem, said, led = row["problem"], row.pop("said"), row.pop("led")
        for kind in ("answer", "respelled"):
            row[kind] = [NONE if answer is None else number[problem, answer] for answer in row[kind]]
        seen: dict[int, int] = {}
        names = [NONE if answer is None else group[problem, answer] for answer in said]
        row["groups"] = None if [seen.setdefault(name, at) for at, name in enumerate(names)] == led else led


def _plain(record: Record) -> dict:
    """The columns of a record that are single values."""
    (context, generated), (steps, dropped) = record.context(), record.sampled()
    policy, prm = record.policy_usage, record.prm_usage
    return {
        "started": round(record.started * 1000), "milliseconds": round(record.seconds * 1000),
        "attempts": record.attempts, "versions": canonical_json(record.versions),
        "engines": canonical_json(record.engines), "error": record.error and canonical_json(record.error),
        "policy_tokens": policy.get("tokens"), "policy_calls": policy.get("calls"),
        "policy_prompt": policy.get("prompt"), "prm_tokens": prm.get("tokens"), "prm_calls": prm.get("calls"),
        "context": round(2 * context), "generated": generated, "steps": steps,
        **{why: dropped.get(why, 0) for why in layout.DROPPED},
    }  # fmt: skip


def _put(table: pyarrow.Table, path: Path) -> None:
    """Write a file, unless it is there as it would be written; at no moment is there half of it."""
    scores = {"score.list.element": "BYTE_STREAM_SPLIT"} if "score" in table.schema.names else None
    numbers = [name for name in _leaves(table.schema) if not name.startswith("score.")]
    new = path.with_suffix(".new")
    parquet.write_table(
        table, new, compression="zstd", compression_level=15, use_dictionary=numbers, column_encoding=scores,
        write_statistics=False, row_group_size=1 << 20, data_page_size=1 << 20,
    )  # fmt: skip
    if path.exists() and path.read_bytes() == new.read_bytes():
        new.unlink()
    else:
        os.replace(new, path)


def _leaves(schema: pyarrow.Schema) -> list[str]:
    lists = pyarrow.types.is_list
    return [f"{field.name}.list.element" if lists(field.type) else field.name for field in schema]
