"""The compute-optimal choice of a method: by the author's rule, by what was best, and by what was best elsewhere.

All functions take the tidy frame of `Done.frame` and give rows of it, a row for each problem (and seed), so that
`stats.estimate` and `stats.paired` say how good a choice is. A *cell* is what is chosen: the values of the columns
`among`, for example a method and its N. `by` names the columns that tell groups apart, and with them what is known when
the choice is made: with the PRM among them the choice is the paper's reward-aware one.

Cells of a group are compared by their mean `right` over the problems that all of them decided; a cell that decided none
is not among them. Of equals the smaller N is chosen, then the first by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas

from ttslib import stats
from ttslib.paper.strategy import rule, rule_methods
from ttslib.stats import PROBLEM

By = str | Sequence[str]
CELL = ("method", "N")
UPPER_BOUND, CROSS_FITTED = "best on the same problems", "cross-fitted"


def best_cells(frame: pandas.DataFrame, by: By = "policy", among: By = CELL) -> pandas.DataFrame:
    """The best cell of each group, and how good it is on the problems that it was chosen on: an upper bound.

    A row for each group: the columns `by` and `among`, then those of `stats.Estimate`.
    """
    return stats.estimate(best_on_same(frame, by, among), [*_listed(by), *_listed(among)])


def best_on_same(frame: pandas.DataFrame, by: By = "policy", among: By = CELL) -> pandas.DataFrame:
    """The rows of the best cell of each group, on the problems that it was chosen on.

    Their mean is an upper bound: it holds the luck of the cell that happened to be best, more of it the more cells
    there are and the fewer problems. They are of problems that all cells of the group have. Raises ValueError as
    `stats.estimate` does.
    """
    return _chosen(frame, by, among, folds=None)


def cross_fitted(
    frame: pandas.DataFrame, by: By = "policy", among: By = CELL, *, across: str | None = None, folds: int = 10,
    seed: int = 0,
) -> pandas.DataFrame:  # fmt: skip
    """For each problem the rows of the cell that is best on the problems of the other folds: an honest estimate.

    Problems are dealt at random into `folds` folds, the same for all groups, so that no choice has seen the problem
    that it is scored on. (It is that of a choice made with (folds - 1) / folds of the problems.) Where the other folds
    hold no decided problem of the group there is no choice: the row is `undecided`, and `reason` says so.

    across: a column of `by`, for example "prm". The choice for one of its values is then made on the mean over its
    *other* values, so without knowing the value itself: reward-agnostic. Raises ValueError if there are no others, for
    less than two folds, and as `stats.estimate` does.
    """
    if not isinstance(folds, int) or folds < 2:
        raise ValueError(f"Cross-fitting takes at least 2 folds, not {folds!r}.")
    if across is not None and across not in _listed(by):
        raise ValueError(f"across is a column of by ({', '.join(_listed(by))}), not {across!r}.")
    return _chosen(frame, by, among, across=across, folds=folds, seed=seed)


def optimism(
    frame: pandas.DataFrame, by: By = "policy", among: By = CELL, *, folds: int = 10, seed: int = 0
) -> pandas.DataFrame:
    """How much choosing and scoring on the same problems flatters: `best_on_same` minus `cross_fitted`, paired.

    A table as of `stats.paired`.
    """
    both = pandas.concat([
        best_on_same(frame, by, among).assign(choice=UPPER_BOUND),
        cross_fitted(frame, by, among, folds=folds, seed=seed).assign(choice=CROSS_FITTED),
    ])  # fmt: skip
    return stats.paired(both, by, choice=(UPPER_BOUND, CROSS_FITTED))


def by_rule(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of the method that the author's rule takes (`paper.rule`), at every N and vote that the frame has.

    Roles are read from the columns `benchmark` and `policy_role`, and where the rule asks for the level of a problem
    that from `difficulty` (see `difficulty.levels`). Problems without a level are `undecided` there, and `reason` says
    so. A policy whose method was not run has no rows. Raises ValueError if a level is needed and there is no such
    column, and as `paper.rule` does.
    """
    levels = frame.difficulty.fillna("") if "difficulty" in frame else pandas.Series("", frame.index)
    method, unknown = np.full(len(frame), "", object), np.zeros(len(frame), bool)
    for (benchmark, role, level), places in frame.groupby(["benchmark", "policy_role", levels]).indices.items():
        first, *others = rule_methods(benchmark, role)
        if others and "difficulty" not in frame:
            raise ValueError(f"The author's rule for {role} on {benchmark} needs the column difficulty.")
        method[places] = rule(benchmark, role, level) if others and level else first
        unknown[places] = bool(others) and not level
    taken = (frame.method == method).to_numpy()
    return _undecided(frame[taken], unknown[taken], "the level of the problem is not known")


def win_shares(
    frame: pandas.DataFrame, by: By = "policy", among: By = "method", *, draws: int = 1000, seed: int = 0
) -> pandas.DataFrame:
    """The bootstrap probability that each cell is the best of its group.

    A row for each group and cell: the columns `by` and `among`, `share` of the draws of problems in which its mean is
    the highest (cells that tie share the draw; NaN if no problem is decided by all of them), and `n` problems. It is
    about the problems: with a handful of them a share of 1 says little.
    """
    rng, rows = np.random.default_rng(seed), []
    table = _Table(frame, by, among)
    for key, group in table:
        values = group.decided
        n = len(values)
        if n:
            means = np.round(rng.multinomial(n, np.full(n, 1 / n), draws) @ values / n, 12)
            best = means == means.max(axis=1, keepdims=True)
            shares = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
        else:
            shares = np.full(values.shape[1], np.nan)
        cells = table.cells.iloc[group.cells].itertuples(index=False)
        rows += [(*key, *cell, share, n) for cell, share in zip(cells, shares, strict=True)]
    return pandas.DataFrame(rows, columns=[*table.by, *table.among, "share", "n"])


def at_cost(frame: pandas.DataFrame, by: By, cost: str, budget: float | pandas.Series) -> pandas.DataFrame:
    """The rows of each group at the largest N that it can afford.

    What an N costs is the mean of the column `cost` over the group's problems at that N, failed searches included: one
    searches all problems with the same N, and dear problems are paid for by cheap ones. An N is affordable if that is
    at most the `budget`. What is left of the budget stays unspent, so a comparison favours whoever the budget was taken
    from, the less the denser the N of the others. Groups that can afford none have no rows.

    budget: a number, or a series of them whose index names columns of `by`, for example what beam search spends with
    each policy: searches.groupby("policy").policy_tokens.mean(). Raises ValueError for a missing column.
    """
    by = _listed(by)
    if missing := [name for name in (*by, cost, "N") if name not in frame]:
        raise ValueError(f"The frame has no column {missing[0]!r}.")
    spent = frame.groupby([*by, "N"], sort=False, dropna=False)[cost].mean().rename("spent").reset_index()
    if isinstance(budget, pandas.Series):
        if unknown := [name for name in budget.index.names if name not in by]:
            raise ValueError(f"The index of the budget names columns of by ({', '.join(by)}), not {unknown[0]!r}.")
        spent = spent.join(budget.rename("allowed"), on=list(budget.index.names))
    else:
        spent["allowed"] = budget
    within = spent[spent.spent <= spent.allowed * (1 + 1e-9)].sort_values("N")
    return _rows_at(frame, within.drop_duplicates(by, keep="last") if by else within[-1:], [*by, "N"], "spent")[0]


# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """One group: `right`, problems x cells of the whole table with NaN where undecided, `there` whether there is a row,
    and which `cells` it has."""

    right: np.ndarray
    there: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Places of the cells that decided a problem; of all that were run where none did."""
        decided = np.flatnonzero(~np.isnan(self.right).all(axis=0))
        return decided if len(decided) else np.flatnonzero(self.there.any(axis=0))

    @property
    def decided(self) -> np.ndarray:
        """`right` of those cells on the problems that all of them decided."""
        values = self.right[:, self.cells]
        return values[~np.isnan(values).any(axis=1)]


class _Table:
    """A frame as arrays of problems x cells, for each group."""

    def __init__(self, frame: pandas.DataFrame, by: By, among: By):
        self.by, self.among = _listed(by), _listed(among)
        if both := set(self.by) & set(self.among):
            raise ValueError(f"{both.pop()!r} cannot be both in by and in among.")
        rows = stats.per_problem(frame, [*self.by, *self.among])
        self.problems, rows["problem_at"] = _numbered(rows, list(PROBLEM))
        self.cells, rows["cell_at"] = _numbered(rows, sorted(self.among, key=lambda name: name != "N"))
        shape = len(self.problems), len(self.cells)
        self.groups: dict[tuple, _Group] = {}
        for key, part in rows.groupby(self.by, sort=False, dropna=False) if self.by else [((), rows)]:
            right, there = np.full(shape, np.nan), np.zeros(shape, bool)
            at = part.problem_at.to_numpy(), part.cell_at.to_numpy()
            right[at], there[at] = part.right, True
            self.groups[key] = _Group(right, there)

    def __iter__(self) -> Iterator[tuple[tuple, _Group]]:
        return iter(self.groups.items())

    def others(self, key: tuple, across: str) -> _Group:
        """The mean of the groups that differ from that of `key` in the column `across` only."""
        place = self.by.index(across)
        alike = [
            group for other, group in self
            if other[place] != key[place] and other[:place] + other[place + 1 :] == key[:place] + key[place + 1 :]
        ]  # fmt: skip
        if not alike:
            raise ValueError(f"There is no {across} beside {key[place]} to choose by.")
        return _Group(np.mean([group.right for group in alike], axis=0), alike[0].there)


def _chosen(
    frame: pandas.DataFrame, by: By, among: By, *, across: str | None = None, folds: int | None, seed: int = 0
) -> pandas.DataFrame:
    """The rows of the cell chosen for each group and problem; without folds one cell for all problems of a group."""
    table = _Table(frame, by, among)
    count = len(table.problems)
    fold_of = np.zeros(count, int) if folds is None else np.random.default_rng(seed).permutation(count) % folds
    parts = []
    for key, group in table:
        judged = table.others(key, across) if across else group
        cells = np.intersect1d(judged.cells, group.cells)
        cells = cells if len(cells) else group.cells
        scored = np.flatnonzero(group.there[:, cells].all(axis=1))
        best, known = _best(judged.right[:, cells], fold_of, apart=folds is not None)
        choice = table.cells.iloc[cells[best[fold_of[scored]]]].reset_index(drop=True)
        problems = table.problems.iloc[scored].reset_index(drop=True)
        parts.append(pandas.concat([choice, problems], axis=1).assign(
            **dict(zip(table.by, key, strict=True)), known=known[fold_of[scored]]
        ))  # fmt: skip
    if not parts:
        return frame[:0]
    keys = list(dict.fromkeys([*table.by, *PROBLEM, *table.among]))
    rows, known = _rows_at(frame, pandas.concat(parts, ignore_index=True), keys, "known")
    return _undecided(rows, ~known.to_numpy(bool), "there is no other problem to choose a cell by")


def _best(right: np.ndarray, fold_of: np.ndarray, *, apart: bool) -> tuple[np.ndarray, np.ndarray]:
    """For each fold the best column by the rows of the other folds (or of all), and whether there was any."""
    counted = ~np.isnan(right).any(axis=1)
    values, folds = right[counted], fold_of[counted]
    count = fold_of.max(initial=0) + 1
    sums, sizes = np.zeros((count, right.shape[1])), np.bincount(folds, minlength=count)
    np.add.at(sums, folds, values)
    if apart:
        sums, sizes = sums.sum(axis=0) - sums, sizes.sum() - sizes
    return np.round(sums, 9).argmax(axis=1), sizes > 0


def _numbered(rows: pandas.DataFrame, names: list[str]) -> tuple[pandas.DataFrame, pandas.Series]:
    """The distinct values of these columns, sorted, and of each row which of them it has."""
    distinct = rows[names].drop_duplicates().sort_values(names, ignore_index=True)
    return distinct, rows.groupby(names, sort=True, dropna=False, observed=True).ngroup()


def _rows_at(
    frame: pandas.DataFrame, chosen: pandas.DataFrame, keys: list[str], more: str
) -> tuple[pandas.DataFrame, pandas.Series]:
    """The rows of the frame, in its order, whose values of `keys` are a row of `chosen`, and its column `more`."""
    places = frame[keys].reset_index(drop=True).reset_index(names="place").merge(chosen[[*keys, more]], on=keys)
    places = places.sort_values("place")
    return frame.iloc[places.place], places[more]


def _undecided(rows: pandas.DataFrame, which: np.ndarray, reason: str) -> pandas.DataFrame:
    """The rows, with those marked told undecided for that reason; failed ones stay failed."""
    changed = which & ~rows.failed.to_numpy(bool)
    return rows.assign(
        right=rows.right.mask(which), undecided=rows.undecided | changed, reason=rows.reason.mask(changed, reason)
    )


def _listed(by: By) -> list[str]:
    return [by] if isinstance(by, str) else list(by)
