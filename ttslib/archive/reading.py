"""An archive -> records without texts, at the addresses that they had in the store. Nothing can be added."""

from __future__ import annotations

import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import compute, parquet

from ttslib import voting
from ttslib.archive import CONTENTS
from ttslib.archive.layout import DROPPED, ENDS, FORMAT, NONE, PROBLEMS, STEPS, TEXTS, USAGE
from ttslib.canonical import canonical_json
from ttslib.cells import HERE
from ttslib.grading import memory
from ttslib.records import DONE, FAILED, Record, StoreError, from_json


def grading_of() -> str:
    """What decides verdicts and groups: their code, and the versions of what it calls."""
    return hashlib.sha256(f"{memory.fingerprint()} {voting.grouping_rules()}".encode()).hexdigest()


@lru_cache(maxsize=4)
def read_once(path: Path, changed: int) -> Archive:
    """The archive, as it was when the newest of its files `changed`."""
    return Archive(path)


class Archive:
    """Reads like a `Store` that is read-only. A file is read when a cell of it is asked for, and stays in memory.

    Raises StoreError if the folder is no archive, or one of another format.

    Attributes:
        profile: the name of the one that was archived.
    """

    read_only = True

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        contents, problems = self._table(CONTENTS), self._table(PROBLEMS)
        about = json.loads((contents.schema.metadata or {}).get(b"ttslib", b"{}"))
        if about.get("format") != FORMAT:
            raise StoreError(
                f"The archive at {self.path} has format {about.get('format')}, and this ttslib reads format {FORMAT}."
            )
        self.profile, self._graded = about["profile"], about["grading"]
        self._contents, self._problems = contents.to_pylist(), problems.to_pylist()
        self._shared = [json.loads(row["content"]) for row in self._contents]
        self._files: dict[str, _File] = {}

    def _table(self, name: str, **options) -> pyarrow.Table:
        try:
            return parquet.read_table(self.path / name, **options)
        except (OSError, pyarrow.ArrowException) as error:
            raise StoreError(f"The archive at {self.path} cannot be read ({error}): check it out again.") from None

    @cached_property
    def judged(self) -> bool:
        """Whether what it says of answers is what grading would say now; a warning if not."""
        same = self._graded == grading_of()
        if not same:
            warnings.warn(
                f"The answers in {self.path} are graded again, since grading has changed: that takes a while. "
                "To keep the result: python -m ttslib.archive write "
                f"--profile {self.profile} --store {self.path} --to {self.path}",
                stacklevel=2,
            )
        return same

    @cached_property
    def _index(self) -> dict[str, tuple[int, int]]:
        """Of each address the content and the row of its file."""
        identities = [canonical_json({"id": each["id"], "content": each["hash"]}) for each in self._problems]
        starts = []
        for content in self._shared:
            before, after = canonical_json(content | {"problem": HERE}).split(canonical_json(HERE))
            starts.append((hashlib.sha256(before.encode()), after))
        found = {}
        for name in dict.fromkeys(row["file"] for row in self._contents):
            table = self._table(f"cells-{name}.parquet", columns=["content", "problem"])
            places = zip(*(table[column].to_pylist() for column in ("content", "problem")), strict=True)
            for row, (content, problem) in enumerate(places):
                start, after = starts[content]
                key = start.copy()
                key.update((identities[problem] + after).encode())
                found[key.hexdigest()] = content, row
        return found

    @cached_property
    def _texts(self) -> dict[str, bytes]:
        table = self._table(TEXTS)
        return dict(zip(table["key"].to_pylist(), table["record"].to_pylist(), strict=True))

    def file(self, content: int) -> _File:
        """The file with the cells of that content."""
        name = self._contents[content]["file"]
        if name not in self._files:
            cells, answers = (self._table(f"{kind}-{name}.parquet") for kind in ("cells", "answers"))
            self._files[name] = _File(cells, answers, self.judged)
        return self._files[name]

    # -- as a store --------------------------------------------------------------------------------

    def get(self, key: str) -> Record | None:
        """The record of that key, or None; with its texts if it is one of `shown`."""
        if key not in self._index:
            return None
        content, row = self._index[key]
        file, shared, about = self.file(content), self._shared[content], self._contents[content]
        problem = self._problems[file.one["problem"][row]]
        drawn = file.row(about["pool"], file.one["problem"][row]) if about["pool"] != NONE else None
        cell = shared | {"problem": {"id": problem["id"], "content": problem["hash"]}}
        record = file.record(key, cell, row, drawn)
        if drawn is not None:
            record["pool"] = {
                "key": self._keys[about["pool"], drawn], "started": file.one["started"][drawn] / 1000,
                "seconds": file.one["milliseconds"][drawn] / 1000,
            }  # fmt: skip
        if key in self._texts:
            return replace(from_json(self._texts[key]), brief=record["brief"])
        shape = {name: about[name] for name in ("N", "M", "kept", "subtrees")}
        found = Record(**record, problem=dict(_json(problem["problem"])), **shape)
        text = self._texts.get(found.pool["key"]) if found.pool and record["brief"].of_pool else None
        return found if text is None else with_samples(found, from_json(text))

    @cached_property
    def _keys(self) -> dict[tuple[int, int], str]:
        return {place: key for key, place in self._index.items()}

    def addresses(self) -> list[str]:
        """Of every record, failures too, in order."""
        return sorted(self._index)

    def shown(self) -> set[str]:
        """The keys of the records that have their texts."""
        return {*self._texts, *(key for key, pool in self._scoring.items() if pool in self._texts)}

    @cached_property
    def _scoring(self) -> dict[str, str]:
        """Of each record that is made of the steps of a pool and scores, the key of the pool."""
        found = {}
        for key, (content, row) in self._index.items():
            pool = self._contents[content]["pool"]
            if pool != NONE and self.file(content).shares(row):
                problem = self.file(content).one["problem"][row]
                found[key] = self._keys[pool, self.file(content).row(pool, problem)]
        return found

    def records(self) -> Iterator[Record]:
        """Every record, failures too, in the order of their keys."""
        yield from map(self.get, self.addresses())

    def status(self, keys: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Of those keys that have a record: ("done" | "failed", attempts)."""
        found = {}
        for key in keys:
            if key in self._index:
                content, row = self._index[key]
                one = self.file(content).one
                found[key] = (FAILED if one["error"][row] else DONE, one["attempts"][row])
        return found

    def busy(self, keys: Iterable[str]) -> set[str]:
        """Nobody computes for an archive."""
        return set()

    def __len__(self) -> int:
        return len(self._index)

    def close(self) -> None:
        """Nothing to close."""

    def _refuse(self, *_, **__):
        raise StoreError(f"{self.path} is an archive, to which nothing can be added: give a store.")

    put = claim = release = delete = _refuse


class _File:
    """The cells of one policy in memory: single values as lists, lists as arrays with the places where each begins."""

    def __init__(self, cells: pyarrow.Table, answers: pyarrow.Table, judged: bool):
        self.judged = judged
        lists = {*STEPS, "score", "groups"}
        self.one = {name: cells[name].to_pylist() for name in cells.column_names if name not in lists}
        self.many = {name: _flat(cells[name]) for name in lists}
        places = zip(self.one["content"], self.one["problem"], strict=True)
        self._rows = {place: row for row, place in enumerate(places)}
        self._answers: dict[int, _Answers] = {}
        for problem, text, right, group in zip(*(column.to_pylist() for column in answers.columns), strict=True):
            said = self._answers.setdefault(problem, _Answers())
            said.texts.append(text)
            said.groups.append(group)
            said.verdicts[text] = right

    def row(self, content: int, problem: int) -> int:
        return self._rows[content, problem]

    def list(self, name: str, row: int) -> np.ndarray:
        values, starts = self.many[name]
        return values[starts[row] : starts[row + 1]]

    def answers(self, row: int) -> _Answers:
        return self._answers.get(self.one["problem"][row]) or _Answers()

    def shares(self, row: int) -> bool:
        """Whether a record that scores samples has no steps of its own."""
        return not len(self.list("leaf", row)) and not self.one["error"][row]

    def record(self, key: str, cell: Mapping, row: int, drawn: int | None) -> dict:
        """The fields of `Record` but for the problem and the shape."""
        one = {name: values[row] for name, values in self.one.items()}
        usage: dict[str, dict] = {"policy": {}, "prm": {}}
        for name in USAGE:
            kind, what = name.split("_")
            if one[name] is not None:
                usage[kind][what] = one[name]
        shared = drawn is not None and self.shares(row)
        return {
            "key": key, "cell": cell, "policy_usage": usage["policy"], "prm_usage": usage["prm"],
            "started": one["started"] / 1000, "seconds": one["milliseconds"] / 1000,
            "versions": dict(_json(one["versions"])), "engines": dict(_json(one["engines"])),
            "error": one["error"] and dict(_json(one["error"])), "attempts": one["attempts"],
            "brief": _Brief(self, row, drawn if shared else row),
        }  # fmt: skip


class _Answers:
    """Of one problem: the distinct answers, and of each which one it votes with and whether it is right."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []
        self.groups: list[int] = []
        self.verdicts: dict[str | None, bool | None] = {None: False}


class _Brief:
    """A `records.Brief` that is made from the columns of a file when it is asked for something.

    row: its own; steps: that of the record whose trajectories they are; `of_pool`: that is another one.
    """

    def __init__(self, file: _File, row: int, steps: int):
        self._file, self._row, self._steps = file, row, steps
        self.of_pool = row != steps

    def _list(self, name: str) -> np.ndarray:
        return self._file.list(name, self._steps)

    @cached_property
    def ends(self) -> list[str]:
        return [ENDS[end] for end in self._list("end").tolist()]

    @cached_property
    def steps_taken(self) -> list[tuple[int, ...]]:
        parents = self._list("parent").tolist()
        known: dict[int, tuple[int, ...]] = {NONE: ()}

        def path(leaf: int) -> tuple[int, ...]:
            if leaf not in known:
                steps, at = [leaf], leaf
                while parents[at]:
                    at -= parents[at]
                    steps.append(at)
                known[leaf] = tuple(reversed(steps))
            return known[leaf]

        return [path(leaf) for leaf in self._list("leaf").tolist()]

    @cached_property
    def scores(self) -> list[tuple[float, ...]]:
        values = self._file.list("score", self._row).tolist()
        if not values:
            return [()] * len(self.steps_taken)
        return self._by_path(
            lambda path: () if not path or math.isnan(values[path[-1]]) else tuple(values[at] for at in path)
        )

    @cached_property
    def tokens(self) -> list[tuple[int, ...]]:
        values = self._list("tokens").tolist()
        return self._by_path(lambda path: tuple(values[at] for at in path))

    def _by_path(self, of) -> list:
        known = {path: of(path) for path in set(self.steps_taken)}
        return [known[path] for path in self.steps_taken]

    @cached_property
    def answers(self) -> dict[str, list[str | None]]:
        texts = [*self._file.answers(self._row).texts, None]
        ways = {"math": self._said, "string": self._by_leaf("respelled")}
        return {same: [texts[place] for place in places] for same, places in ways.items()}

    @cached_property
    def _said(self) -> list[int]:
        """Of each trajectory the number of its answer."""
        return self._by_leaf("answer")

    def _by_leaf(self, name: str) -> list[int]:
        values = self._list(name).tolist()
        return [values[leaf] if leaf != NONE else NONE for leaf in self._list("leaf").tolist()]

    @property
    def context(self) -> tuple[float, int]:
        return self._file.one["context"][self._row] / 2, self._file.one["generated"][self._row]

    @property
    def steps(self) -> int:
        return self._file.one["steps"][self._row]

    @property
    def dropped(self) -> dict[str, int]:
        return {why: self._file.one[why][self._row] for why in DROPPED}

    @property
    def verdicts(self) -> dict[str | None, bool | None] | None:
        return self._file.answers(self._row).verdicts if self._file.judged else None

    @property
    def groups(self) -> tuple[list[int], int] | None:
        if not self._file.judged:
            return None
        left, own = self._file.one["left"][self._row], self._file.list("groups", self._row)
        if len(own):
            return own.tolist(), left
        names = [*self._file.answers(self._row).groups, NONE]
        seen: dict[int, int] = {}
        return [seen.setdefault(names[answer], at) for at, answer in enumerate(self._said)], left


def with_samples(scored: Record, pool: Record) -> Record:
    """A record that says only how a PRM scored samples, with the texts of these: those of its pool."""
    trajectories = [
        path | {"scores": list(scores)} for path, scores in zip(pool.trajectories, scored.step_scores(), strict=True)
    ]
    nodes = [dict(node) for node in pool.tree["nodes"]]
    for path in trajectories:
        for node, score in zip(path["nodes"], path["scores"], strict=False):
            nodes[node]["score"] = score
    return replace(scored, trajectories=trajectories, tree={"nodes": nodes})


def _flat(column: pyarrow.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """The values of a column of lists, and where those of each row begin; a missing list is empty."""
    lists = column.combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pyarrow.ChunkedArray) and lists.num_chunks else lists
    values = lists.flatten().to_numpy(zero_copy_only=False)
    sizes = compute.fill_null(compute.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return values, np.concatenate([[0], np.cumsum(sizes)])


@lru_cache(maxsize=4096)
def _json(text: str) -> dict:
    return json.loads(text)
