"""Records -> an archive. The same records give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from ttslib.archive import layout
from ttslib.archive.layout import NONE, STEPS, Steps, file_of, named
from ttslib.archive.reading import Archive, grading_of, opened
from ttslib.canonical import canonical_json
from ttslib.cells import Cell, cells_of
from ttslib.graded import Graded, prepare
from ttslib.records import Record, Store, StoreError, encoded
from ttslib.runs import Run

TOGETHER = 1000  # records whose answers are graded in one batch


def write(
    store: str | os.PathLike, runs: Iterable[Run], to: str | os.PathLike, *, profile: str = "",
    texts: Iterable[str] = (),
) -> tuple[list[Run], list[Run]]:  # fmt: skip
    """Archive the runs that a store holds whole in the folder `to`; (those, the others).

    Runs that score samples bring these along. An archive that is there becomes this one; files that stay as they are
    are not touched. texts: addresses of cells whose records are kept with their texts. The store may be an archive,
    whose answers are graded again if grading has changed. Raises ValueError if there is nothing to archive, and
    StoreError if the store cannot be used or does not hold one of the `texts`.
    """
    to, texts = Path(to), sorted(set(texts))
    with opened(store) as records:
        cells = {run: cells_of(run) for run in dict.fromkeys(runs)}
        whole = {run: each for run, each in cells.items() if _whole(records, each)}
        if not whole:
            raise ValueError(f"None of {len(cells)} runs is whole in {store}: there is nothing to archive.")
        plan = _Plan(cell for each in whole.values() for cell in each)
        files = dict(plan.tables(records))
        kept = [{"key": key, "record": encoded(_record(records, key))} for key in texts]
        files[layout.TEXTS] = pyarrow.Table.from_pylist(kept, layout.TEXT)
        about = {"format": layout.FORMAT, "profile": profile, "grading": grading_of()}
        files[layout.CONTENTS] = files[layout.CONTENTS].replace_schema_metadata({"ttslib": canonical_json(about)})
    to.mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        _put(table, to / name)
    for file in {*to.glob("cells-*.parquet"), *to.glob("answers-*.parquet")} - {to / name for name in files}:
        file.unlink()
    return list(whole), [run for run in cells if run not in whole]


class _Plan:
    """Which cells are archived, and in which order: by policy, content of their address, and problem."""

    def __init__(self, cells: Iterable[Cell]):
        found: dict[str, tuple[Mapping[str, Any], dict[tuple[str, str], Cell]]] = {}
        for cell in cells:
            for one in (cell, cell.pool):
                if one is not None:
                    content = {name: part for name, part in one.content.items() if name != "problem"}
                    _, cells_of_it = found.setdefault(canonical_json(content), (content, {}))
                    cells_of_it[tuple(one.content["problem"][part] for part in ("id", "content"))] = one
        order = sorted(found, key=lambda text: (file_of(found[text][0]["policy"]), text))
        self.contents = {text: found[text] for text in order}
        problems = {key: cell.problem for _, each in self.contents.values() for key, cell in each.items()}
        self.problems = dict(sorted(problems.items()))

    def tables(self, records: Store | Archive) -> Iterator[tuple[str, pyarrow.Table]]:
        """(name of a file, what it holds)."""
        number = {text: place for place, text in enumerate(self.contents)}
        rows = []
        for text, (content, cells) in self.contents.items():
            cell = next(iter(cells.values()))
            pool = canonical_json(content | {"prm": None}) if cell.pool else None
            rows.append({
                "content": text, "file": file_of(content["policy"]), "pool": number[pool] if pool else NONE,
                **vars(cell.shape),
            })  # fmt: skip
        yield layout.CONTENTS, pyarrow.Table.from_pylist(rows, layout.CONTENT)
        asked = [
            {"id": id, "hash": hash, "problem": canonical_json(asdict(problem))}
            for (id, hash), problem in self.problems.items()
        ]
        yield layout.PROBLEMS, pyarrow.Table.from_pylist(asked, layout.PROBLEM)
        for file in dict.fromkeys(row["file"] for row in rows):
            own = [place for place, row in enumerate(rows) if row["file"] == file]
            cells, answers = _File(self, own).tables(records)
            yield f"cells-{file}.parquet", cells
            yield f"answers-{file}.parquet", answers


class _File:
    """The cells of one policy."""

    def __init__(self, plan: _Plan, contents: Sequence[int]):
        every, places = list(plan.contents.values()), {key: place for place, key in enumerate(plan.problems)}
        self.cells = [
            (content, places[key], cell)
            for content in sorted(contents, key=lambda place: any(cell.pool for cell in every[place][1].values()))
            for key, cell in sorted(every[content][1].items())
        ]  # samples before what scores them
        self.said: dict[int, dict[str, bool | None]] = {}  # of a problem its answers, and whether they are right
        self.together: dict[tuple[int, str], str] = {}  # of an answer to it another one that it votes with
        self.rows: list[dict] = []
        self.drawn: dict[str, tuple[Steps, list]] = {}  # by address of a pool: its steps, and what names them

    def tables(self, records: Store | Archive) -> tuple[pyarrow.Table, pyarrow.Table]:
        """(cells, answers)."""
        for start in range(0, len(self.cells), TOGETHER):
            some = self.cells[start : start + TOGETHER]
            found = [_record(records, cell.key) for *_, cell in some]
            graded = [{same: Graded(record, same) for same in ("math", "string")} for record in found]
            prepare([each for pair in graded for each in pair.values()])
            for (content, problem, cell), pair in zip(some, graded, strict=True):
                self.rows.append({"content": content, "problem": problem} | self._row(problem, cell, pair))
        answers, number, group = self._answers()
        for row in self.rows:
            self._numbered(row, number, group)
        rows = sorted(self.rows, key=lambda row: (row["content"], row["problem"]))
        return pyarrow.Table.from_pylist(rows, layout.CELL), pyarrow.Table.from_pylist(answers, layout.ANSWER)

    def _row(self, problem: int, cell: Cell, graded: Mapping[str, Graded]) -> dict:
        record, said = graded["math"].record, self.said.setdefault(problem, {})
        for each in graded.values():
            said.update((answer, each.verdicts[answer]) for answer in each.answers if answer is not None)
        answers, groups = graded["math"].answers, graded["math"].groups
        for place, leader in enumerate(groups):
            if leader != place and answers[place] is not None:
                self._join(problem, answers[leader], answers[place])
        row = _plain(record) | {"left": graded["math"].left, "said": answers, "led": groups}
        drawn, names = self.drawn.get(cell.pool.key) if cell.pool else None, [tuple(path) for path in named(record)]
        if drawn and drawn[1] == names and (scores := drawn[0].scored_by(record)) is not None:
            return row | dict.fromkeys(STEPS, []) | {"score": scores}
        steps = Steps.of(record)
        if cell.pool is None and cell.method.samples_first:
            self.drawn[cell.key] = steps, names
        last: dict[int, tuple] = {}
        for leaf, *pair in zip(steps.leaf, answers, graded["string"].answers, strict=True):
            last[leaf] = tuple(pair)
        scored = not all(score != score for score in steps.score)
        return row | {
            "parent": [0 if parent == NONE else place - parent for place, parent in enumerate(steps.parent)],
            "tokens": steps.tokens, "score": steps.score if scored else [], "leaf": steps.leaf,
            "answer": [last.get(place, (None, None))[0] for place in range(len(steps.parent))],
            "respelled": [last.get(place, (None, None))[1] for place in range(len(steps.parent))],
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


def _whole(records: Store | Archive, cells: Sequence[Cell]) -> bool:
    keys = {one.key for cell in cells for one in (cell, cell.pool) if one is not None}
    return len(records.status(keys)) == len(keys)


def _record(records: Store | Archive, key: str) -> Record:
    record = records.get(key)
    if record is None:
        raise StoreError(f"There is no record {key} in {records.path}.")
    return record


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
