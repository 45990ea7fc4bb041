"""Where a PRM's step scores are at odds with exact step labels: the kinds of failure that the paper's Figures 13 to 18
show single cases of, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import nan

import pandas

from ttslib.frames import run_columns
from ttslib.problems import Problem
from ttslib.records import Record
from ttslib.results import Results

CRITICISM, NEGLECT, PLACE, LENGTH = KINDS = (
    "over-criticism", "error neglect", "error localisation bias", "scoring bias",
)  # fmt: skip
"""The paper's four kinds, by the names of `paper.published.prm_cases`."""

SOLUTIONS = ("prm_role", "prm", "policy", "source", "problem", "question", "steps", "scores", "first")
"""Columns of a frame of labelled solutions, a row for each distinct one that a PRM was shown.

source: the data set, or the run's benchmark where its problems were given one by one. problem: its id. steps: texts,
stripped. scores: one a step, () where the PRM could not read the solution. first: index of the first wrong step, -1 if
all are right.
"""
OCCASIONS = (
    "prm_role", "prm", "source", "problem", "kind", "solution", "against", "step", "score", "failing", "extent",
    "chance",
)  # fmt: skip
"""Columns of a frame of occasions to fail.

kind: of `KINDS`. solution: its index in the frame of solutions; against: that of the one it is compared with, -1 for
none. step: the place in it that the occasion is about, and score: of that step. failing: whether the PRM fails. extent:
how badly, the more the worse. chance: how often one that guesses fails here; NaN where that depends on how it guesses.
"""
FirstWrong = Callable[[Record, tuple[str, ...]], "int | None"]


def solutions(runs: Iterable[Results], first_wrong: FirstWrong, *, most: int | None = None) -> pandas.DataFrame:
    """The labelled solutions in these runs: the columns of `SOLUTIONS`.

    first_wrong: of a record and one of its solutions (stripped steps) the index of the first wrong step, -1 if there is
    none, None if that is not known: such a solution is left out. most: of each record only that many trajectories, the
    first ones. Failed cells have none.
    """
    rows: dict[tuple, dict] = {}
    for run in runs:
        for record in run:
            about = run_columns(run, record)
            head = {key: about[key] for key in ("prm_role", "prm", "policy", "problem")}
            head |= {"source": about["dataset"] or about["benchmark"], "question": record.problem["question"]}
            for path in record.trajectories[:most]:
                steps = tuple(step.strip() for step in path["steps"])
                key = (*head.values(), steps)
                if key not in rows and (first := first_wrong(record, steps)) is not None:
                    rows[key] = head | {"steps": steps, "scores": tuple(path["scores"]), "first": first}
    return pandas.DataFrame(rows.values(), columns=SOLUTIONS)


def occasions(found: pandas.DataFrame, *, low: float, high: float) -> pandas.DataFrame:
    """Every occasion to fail in one of the first three ways in a frame of `solutions`: the columns of `OCCASIONS`.

    - over-criticism: a right step before any wrong one; failing if it scores below `low`.
    - error neglect: a first wrong step; failing if it scores above `high`.
    - error localisation bias: a solution of several steps with a wrong one; failing if another step scores lower than
      the first wrong one. `step` is that with the lowest score, `extent` by how much it is lower.

    Steps after the first wrong one are neither right nor wrong. Steps that solutions of a problem have in common are
    one occasion. Unread solutions are none. Raises ValueError unless 0 <= low <= high <= 1.
    """
    if not 0 <= low <= high <= 1:
        raise ValueError(f"A low score is at most a high one, and both lie in [0, 1]; got {low} and {high}.")
    seen, rows = set(), []
    for each in found.itertuples():
        head = (each.prm_role, each.prm, each.source, each.problem)
        for kind, end, row in _of_one(each.scores, each.first, low, high):
            key = (*head, kind, each.steps[:end])
            if key not in seen:
                seen.add(key)
                rows.append((*head, kind, each.Index, -1, *row))
    return pandas.DataFrame(rows, columns=OCCASIONS)


def _of_one(scores: Sequence[float], first: int, low: float, high: float) -> Iterator[tuple[str, int | None, tuple]]:
    """Of one solution: the kind, up to which step it is about its text, and the last five columns of each occasion."""
    if not scores:
        return
    for step, score in enumerate(scores[: first if first >= 0 else None]):
        yield CRITICISM, step + 1, (step, score, score < low, -score, nan)
    if first >= 0:
        yield NEGLECT, first + 1, (first, scores[first], scores[first] > high, scores[first], nan)
        if len(scores) > 1:
            least = min(scores)
            step = first if scores[first] == least else scores.index(least)
            yield PLACE, None, (step, least, step != first, scores[first] - least, 1 - 1 / len(scores))


def recut(problem: Problem, size: int) -> Problem:
    """The solution that a problem comes with, in longer steps: `size` neighbours joined by a space.

    Its closing step stays by itself, so that the same text stands there after the same text. With `size` 1 nothing
    changes, the id included. Raises ValueError for a size below 1, and without steps.
    """
    if size < 1:
        raise ValueError(f"Steps are joined {size} at a time: give a whole number from 1.")
    if not problem.steps:
        raise ValueError(f"{problem.id} comes without a solution whose steps could be joined.")
    if size == 1:
        return problem
    *body, last = problem.steps
    joined = (" ".join(step.strip() for step in body[at : at + size]) for at in range(0, len(body), size))
    return replace(problem, id=f"{problem.id}/joined-{size}", steps=(*joined, last))


def length_occasions(short: pandas.DataFrame, long: pandas.DataFrame, *, gap: float) -> pandas.DataFrame:
    """Every occasion for scoring bias: a solution of `short` that the same PRM also read in other steps, in `long`.

    Both are frames of `solutions`, and what belongs together has the same PRM, source, question and, whatever the cut,
    text. Failing if the score of the closing step, the same text after the same text, differs by `gap` or more;
    `extent` is by how much, `score` that in the long cut, `solution` the index in `long` and `against` that in `short`.
    A solution that was not read in both cuts is no occasion.
    """

    def key(row) -> tuple[str, ...]:
        return row.prm_role, row.prm, row.source, row.question, " ".join(row.steps)

    others = {key(row): row for row in long.itertuples() if row.scores}
    rows = []
    for one in short.itertuples():
        if one.scores and (other := others.get(key(one))):
            moved = abs(one.scores[-1] - other.scores[-1])
            rows.append((one.prm_role, one.prm, one.source, one.problem, LENGTH, other.Index, one.Index,
                         len(other.steps) - 1, other.scores[-1], moved >= gap, moved, nan))  # fmt: skip
    return pandas.DataFrame(rows, columns=OCCASIONS)
