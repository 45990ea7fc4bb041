"""Tables of what a group-by of `Results.frame` cannot show: the vote on one problem, and what search trees are made of.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas

from ttslib import voting
from ttslib.frames import RUN, run_columns
from ttslib.results import Results

DROPPED = ("rank", "duplicate", "length", "blank", "marker")
"""Why a sampled step led nowhere: see `Tree.dropped`."""


def ballot(run: Results, place: int = 0) -> pandas.DataFrame:
    """The distinct answers to one problem: how many trajectories gave each, the sum and the best of their last scores.

    Answers that vote together share a row. `right` compares with the gold answer, and is None if that could not be
    decided. Without a PRM there are no scores, and the most votes come first. A failed cell has no row.
    """
    graded = run.graded(place)
    last = voting.RULES["prm_last_vote"].weights(graded.scores)
    rows: dict[int, dict] = {}
    for at, leader in enumerate(graded.groups):
        answer = graded.answers[leader]
        row = rows.setdefault(leader, {
            "answer": "no answer" if answer is None else answer, "right": graded.verdicts[answer],
            "votes": 0, "score sum": 0.0, "best score": 0.0,
        })  # fmt: skip
        row["votes"] += 1
        row["score sum"] += last[at]
        row["best score"] = max(row["best score"], last[at])
    scored = any(graded.scores) or not graded.scores
    columns = ["answer", "right", "votes", *(["score sum", "best score"] if scored else [])]
    order = "score sum" if scored else "votes"
    return pandas.DataFrame(rows.values(), columns=columns).sort_values(order, ascending=False, ignore_index=True)


def dropped(runs: Iterable[Results]) -> pandas.DataFrame:
    """What became of the steps of each search that did not fail, a row for each.

    Columns: those of `frames.RUN`, problem, `steps` sampled in all, those that led nowhere for each reason in
    `DROPPED`, and `few`: whether it found fewer answers than it had beams to keep.
    """
    rows = []
    for run in runs:
        for record in run:
            if record.failed:
                continue
            steps, lost = record.sampled()
            rows.append(run_columns(run, record) | {"steps": steps} | {why: lost.get(why, 0) for why in DROPPED} | {
                "few": record.found < record.kept * record.subtrees
            })  # fmt: skip
    return pandas.DataFrame(rows, columns=[*RUN, "problem", "steps", *DROPPED, "few"])
