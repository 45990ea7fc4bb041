"""How well scores of steps and shares of votes tell right answers from wrong ones, from frames of samples.

Both give tidy rows, one for each problem, whose column `right` lies in [0, 1]: what `stats.estimate` and `stats.paired`
take the mean of, with its interval over problems.
"""

from __future__ import annotations

import numpy as np
import pandas

from ttslib.frames import RUN

CELL = (*RUN, "problem", "level", "subject")
"""What was run and on which problem: the columns that both tables start with."""


def auc_by_depth(samples: pandas.DataFrame) -> pandas.DataFrame:
    """Within each problem, how well the score of the step at a depth tells right trajectories from wrong ones.

    The AUC: the chance that of a right and a wrong trajectory of the problem the right one has the higher score at that
    depth, ties counted half; 0.5 is a guess. It is taken within the problem, so that a PRM gets no credit for knowing
    which problems are easy, and of the trajectories that are so long. Undecided ones, and those that the PRM could not
    read, are left out.

    `samples` is as of `Results.samples`. A row for each run, problem and depth (1: the first step) that any problem of
    the run reaches: the columns of `CELL`, depth, right (the AUC; NaN where not both kinds are there), pairs (right x
    wrong), failed (never).
    """
    cell, cells = _cells(samples)
    lengths = samples.scores.map(len)
    known = samples.right.notna() & (lengths > 0)
    counts = lengths[known].to_numpy(dtype=int)
    steps = pandas.DataFrame({
        "cell": np.repeat(cell[known].to_numpy(), counts),
        "depth": np.concatenate([np.arange(1, count + 1) for count in counts]) if len(counts) else np.array([], int),
        "good": np.repeat(samples.right[known].to_numpy(dtype=float), counts),
        "score": np.array([score for scores in samples.scores[known] for score in scores], float),
    })  # fmt: skip
    steps["rank"] = steps.groupby(["cell", "depth"], sort=False).score.rank() * steps.good
    found = steps.groupby(["cell", "depth"], sort=False).agg(
        ranks=("rank", "sum"), good=("good", "sum"), count=("good", "size")
    )  # fmt: skip
    found["pairs"] = (found.good * (found["count"] - found.good)).astype(int)
    wins = found.ranks - found.good * (found.good + 1) / 2  # Mann and Whitney's U
    found["right"] = (wins / found.pairs).where(found.pairs > 0)
    # A row also where a problem has no trajectory of the depth, so that depths can be compared in pairs.
    run = cells.groupby(list(RUN), sort=False, dropna=False).ngroup()
    depths = pandas.DataFrame({"run": run[found.index.get_level_values("cell")].to_numpy(),
                               "depth": found.index.get_level_values("depth")}).drop_duplicates()  # fmt: skip
    every = cells.assign(run=run, cell=cells.index).merge(depths, on="run").drop(columns="run")
    rows = every.merge(found[["right", "pairs"]].reset_index(), on=["cell", "depth"], how="left")
    return rows.drop(columns="cell").assign(pairs=rows.pairs.fillna(0).astype(int), failed=False)


def _cells(samples: pandas.DataFrame) -> tuple[pandas.Series, pandas.DataFrame]:
    """Of each row the number of its run and problem, and those by their number."""
    cell = samples.groupby(list(CELL), sort=False, dropna=False).ngroup()
    return cell, samples[list(CELL)].groupby(cell).first()


def vote_shares(samples: pandas.DataFrame) -> pandas.DataFrame:
    """Of each problem the answer that most trajectories give, how many do, and whether it is right.

    Equal answers vote together, as in `voting.vote`; of equally many the first seen wins; a trajectory without an
    answer has no vote but counts among all. `samples` is as of `Results.samples`. A row for each run and problem: the
    columns of `CELL`, answer (None if nothing was answered, which is wrong), share (votes / trajectories, in [0, 1]),
    distinct answers, right (NaN if undecided), failed (never).
    """
    cell, cells = _cells(samples)
    given = samples.assign(cell=cell)[samples.answer.notna()]
    answers = given.groupby(["cell", "group"], sort=False).agg(
        answer=("answer", "first"), right=("right", "first"), votes=("cell", "size")
    ).reset_index()  # fmt: skip
    ranked = answers.sort_values(["votes", "group"], ascending=[False, True], kind="stable")
    best = ranked.drop_duplicates("cell").set_index("cell").reindex(cells.index)
    silent = best.votes.isna()
    return cells.assign(
        answer=best.answer.astype(object).where(~silent, None),
        share=best.votes.fillna(0) / cell.value_counts().reindex(cells.index),
        distinct=answers.groupby("cell").size().reindex(cells.index).fillna(0).astype(int),
        right=best.right.where(~silent, 0.0), failed=False,
    ).reset_index(drop=True)  # fmt: skip
