"""How hard problems are for a policy: Pass@1 from samples, and bins of problems by it.

The paper's levels have absolute thresholds (section 3.2), those of Snell et al. (arXiv 2408.03314) are quantiles.
Functions take the frame of `Done.samples` or `Results.samples`: a row for each trajectory, `right` 1, 0, or NaN where
that could not be decided. Such samples count nowhere. `by` names the columns that tell groups apart: whose Pass@1 it
is. Bins should come from other samples than those that are scored in them: see `halves`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pandas

from ttslib import stats
from ttslib.paper.strategy import level
from ttslib.stats import PROBLEM

By = str | Sequence[str]


def pass_rates(samples: pandas.DataFrame, by: By = "policy", take: slice = slice(None)) -> pandas.DataFrame:
    """Pass@1 of each problem in each group.

    A row for each: the columns `by` and `PROBLEM`, `rate` in [0, 1] (NaN without a decided sample), and of how many
    `samples` it is the mean. `take`: only these samples, by their place in the record: slice(16, None) leaves out those
    whose random numbers a search with N = 16 shares. Raises ValueError if a sample is there twice in a group, as where
    several PRMs scored it.
    """
    keys = _keys(by)
    _check(samples, keys)
    last = int(samples["sample"].max()) + 1 if len(samples) else 0
    chosen = samples[samples["sample"].isin(range(*take.indices(last)))]
    rates = chosen.groupby(keys, sort=False, dropna=False, observed=True).right.agg(["mean", "count"]).reset_index()
    return rates.rename(columns={"mean": "rate", "count": "samples"})


def halves(samples: pandas.DataFrame, by: By = "policy", seed: int = 0) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Two random disjoint halves of the samples of each problem in each group: one to bin by, one to score.

    Of an odd number the second has one more. The same samples give the same halves in whatever order they come. Raises
    ValueError if a sample is there twice in a group.
    """
    keys = _keys(by)
    _check(samples, keys)
    ordered = samples.sort_values([*keys, "seed", "sample"], kind="stable")
    lots = pandas.Series(np.random.default_rng(seed).random(len(ordered)), index=ordered.index)
    groups = lots.groupby([ordered[key] for key in keys], dropna=False)
    first = (groups.rank(method="first") <= groups.transform("size") // 2).reindex(samples.index)
    return samples[first], samples[~first]


def levels(rates: pandas.DataFrame) -> pandas.DataFrame:
    """The rows with their `difficulty` by the paper's thresholds of `rate`: "easy", "medium" or "hard"; None where
    there is no rate."""
    names = {rate: level(rate) for rate in rates.rate.dropna().unique()}
    return rates.assign(difficulty=pandas.Series([names.get(rate) for rate in rates.rate], rates.index, object))


def quantiles(rates: pandas.DataFrame, by: By = "policy", count: int = 5) -> pandas.DataFrame:
    """The rows with their `quantile` of `rate` in the group: 1, the highest rates, to `count`; missing without a rate.

    Problems with the same rate share a bin, that of their middle rank, so bins are of equal size only as far as there
    are no ties: where a fifth of the problems and more have one rate, some bins hold more and others may be empty.
    Raises ValueError unless `count` is a whole number from 2.
    """
    if not isinstance(count, int) or count < 2:
        raise ValueError(f"The number of quantiles is a whole number from 2, not {count!r}.")
    grouped = rates.groupby(_listed(by), dropna=False).rate if _listed(by) else rates.rate
    rank = grouped.rank(ascending=False) - 0.5
    size = grouped.transform("count")
    return rates.assign(quantile=np.floor(rank / size * count + 1e-9).add(1).clip(upper=count).astype("Int64"))


def stability(
    samples: pandas.DataFrame, counts: Sequence[int], by: By = "policy", bins: Callable[[float], str] = level
) -> pandas.DataFrame:
    """How often the bin of a problem by k of its samples differs from its bin by all of its other samples.

    A row for each group and k of `counts`: the columns `by`, `k`, then those of `stats.Estimate`. The value is exact, a
    mean over all choices of k samples, which are hypergeometric. Problems with no more than k decided samples are left
    out and counted in `undecided`. The other samples err too, the more the fewer they are: two halves disagree more
    often than one of them with the truth. Raises ValueError for a k below 1, and if a sample is there twice.
    """
    if any(k < 1 for k in counts):
        raise ValueError(f"A problem is binned by at least 1 sample, not by {min(counts)}.")
    by = _listed(by)
    rates = pass_rates(samples, by)
    rates["c"] = (rates.rate.fillna(0) * rates.samples).round().astype(int)
    groups = rates.groupby(by, sort=False, dropna=False) if by else [((), rates)]
    rows = []
    for key, problems in groups:
        pairs = list(zip(problems.samples, problems.c, strict=True))
        for k in counts:
            shares = [_differs(int(n), int(c), int(k), bins) if n > k else None for n, c in pairs]
            rows.append((*key, k, *vars(stats.accuracy(shares).apart(0)).values()))
    return pandas.DataFrame(rows, columns=[*by, "k", *stats.Estimate.__dataclass_fields__])


@lru_cache(maxsize=100_000)
def _differs(n: int, c: int, k: int, bins: Callable[[float], str]) -> float:
    """Of n samples, c of them right, how often k at random and the n - k others are in different bins."""
    return min(1.0, sum(
        math.comb(c, right) * math.comb(n - c, k - right) / math.comb(n, k)
        for right in range(max(0, k - n + c), min(c, k) + 1)
        if bins(right / k) != bins((c - right) / (n - k))
    ))  # fmt: skip


def _listed(by: By) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def _keys(by: By) -> list[str]:
    return list(dict.fromkeys([*_listed(by), *PROBLEM]))


def _check(samples: pandas.DataFrame, keys: Sequence[str]) -> None:
    if samples.duplicated([*keys, "seed", "sample"]).any():
        raise ValueError(
            "The same sample is there twice in a group, for example scored by two PRMs: give one run a group, or "
            "group by what tells them apart."
        )
