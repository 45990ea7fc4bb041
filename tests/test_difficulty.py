"""Pass@1 from samples, and bins of problems by it.

Run: python -m pytest tests/test_difficulty.py
"""

import itertools
import math

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import difficulty
from ttslib.paper import level


def sampled(*outcomes, policy="a"):
    """A frame of samples: of each problem a list of 1, 0 or None."""
    rows = [
        {"policy": policy, "benchmark": "MATH-500", "problem": f"p{at}", "seed": 0, "sample": place,
         "right": math.nan if right is None else float(right)}
        for at, each in enumerate(outcomes) for place, right in enumerate(each)
    ]  # fmt: skip
    return pandas.DataFrame(rows)


OUTCOMES = st.lists(st.lists(st.sampled_from([1, 0, None]), min_size=2, max_size=9), min_size=1, max_size=8)


def test_a_rate_is_the_mean_of_the_decided_samples():
    rates = difficulty.pass_rates(sampled([1, 0, None, 1], [None, None], [0, 0]))
    assert list(rates.columns) == ["policy", "benchmark", "problem", "rate", "samples"]
    assert list(rates.samples) == [3, 0, 2]
    assert rates.rate.tolist() == pytest.approx([2 / 3, math.nan, 0], nan_ok=True)


def test_a_rate_takes_the_samples_that_it_is_told_to():
    samples = sampled([1, 1, 0, 0], [0, 1, 1, 1])
    assert list(difficulty.pass_rates(samples, take=slice(2, None)).rate) == [0, 1]
    assert list(difficulty.pass_rates(samples, take=slice(None, 2)).rate) == [1, 0.5]


def test_a_sample_that_two_prms_scored_counts_once_or_is_refused():
    twice = pandas.concat([sampled([1, 0]).assign(prm=prm) for prm in ("x", "y")])
    for call in (difficulty.pass_rates, difficulty.halves, lambda frame: difficulty.stability(frame, [1])):
        with pytest.raises(ValueError, match="The same sample is there twice"):
            call(twice)
    assert list(difficulty.pass_rates(twice, ["policy", "prm"]).prm) == ["x", "y"]


@settings(max_examples=15, deadline=None)
@given(OUTCOMES, st.integers(0, 5))
def test_halves_are_disjoint_and_all(outcomes, seed):
    samples = sampled(*outcomes)
    first, second = difficulty.halves(samples, seed=seed)
    assert sorted([*first.index, *second.index]) == list(samples.index)
    sizes = [part.groupby("problem").size().reindex(samples.problem.unique(), fill_value=0) for part in (first, second)]
    assert [len(each) // 2 for each in outcomes] == list(sizes[0])
    assert (sizes[1] - sizes[0]).isin([0, 1]).all()
    shuffled = samples.sample(frac=1, random_state=seed)
    assert set(difficulty.halves(shuffled, seed=seed)[0].index) == set(first.index)


def test_halves_are_random():
    samples = sampled([0] * 40)
    firsts = {tuple(difficulty.halves(samples, seed=seed)[0]["sample"]) for seed in range(5)}
    assert len(firsts) == 5 and tuple(range(20)) not in firsts


def test_levels_have_the_papers_thresholds():
    rates = pandas.DataFrame({"rate": [1, 0.5, 0.499, 0.1, 0.099, 0, math.nan]})
    expected = ["easy", "easy", "medium", "medium", "hard", "hard", None]
    assert difficulty.levels(rates).difficulty.tolist() == expected


def test_quantiles_are_of_equal_size_where_nothing_ties():
    rates = pandas.DataFrame({"policy": ["a"] * 10 + ["b"] * 5, "rate": [*np.arange(10) / 10, *np.arange(5) / 10]})
    bins = difficulty.quantiles(rates).groupby("policy")["quantile"]
    assert bins.get_group("a").tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert bins.get_group("b").tolist() == [5, 4, 3, 2, 1]


def test_problems_that_tie_share_a_quantile():
    rates = pandas.DataFrame({"policy": "a", "rate": [1.0] * 8 + [0.5, 0.0, math.nan]})
    assert difficulty.quantiles(rates)["quantile"].tolist()[:10] == [3] * 8 + [5, 5]
    assert difficulty.quantiles(rates)["quantile"].isna().tolist() == [False] * 10 + [True]
    for count in (1, 2.5):
        with pytest.raises(ValueError, match="whole number from 2"):
            difficulty.quantiles(rates, count=count)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 0.25, 0.5, 0.75, 1, math.nan]), min_size=1), st.integers(2, 6))
def test_a_higher_rate_is_never_in_a_harder_quantile(rates, count):
    found = difficulty.quantiles(pandas.DataFrame({"policy": "a", "rate": rates}), count=count).dropna()
    assert found["quantile"].between(1, count).all()
    assert found.sort_values("rate")["quantile"].is_monotonic_decreasing
    assert found.groupby("rate")["quantile"].nunique().le(1).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=7), st.data())
def test_stability_is_the_share_of_all_choices(outcomes, data):
    k = data.draw(st.integers(1, len(outcomes) - 1))
    choices = list(itertools.combinations(range(len(outcomes)), k))
    differ = 0
    for chosen in choices:
        rest = [right for place, right in enumerate(outcomes) if place not in chosen]
        differ += level(sum(outcomes[place] for place in chosen) / k) != level(sum(rest) / len(rest))
    row = difficulty.stability(sampled(outcomes), [k]).iloc[0]
    assert row.value == pytest.approx(differ / len(choices))


def test_stability_counts_what_has_too_few_samples():
    table = difficulty.stability(sampled([1] * 8, [1, None, 0], [0] * 8), [1, 2, 4])
    assert list(table.k) == [1, 2, 4] and list(table.n) == [3, 2, 2]
    assert list(table.undecided) == [0, 1, 1] and list(table.failed) == [0, 0, 0]
    assert table.value.tolist() == pytest.approx([1 / 3, 0, 0])
    with pytest.raises(ValueError, match="at least 1 sample"):
        difficulty.stability(sampled([1, 0]), [0])


def test_more_samples_make_bins_more_stable():
    rng = np.random.default_rng(0)
    samples = sampled(*(rng.random(64) < rate for rate in rng.random(60)))
    table = difficulty.stability(samples, [1, 4, 16, 32])
    assert table.value.is_monotonic_decreasing


def test_bins_by_the_scored_samples_flatter_and_those_by_others_do_not():
    rng = np.random.default_rng(1)
    first, second = difficulty.halves(sampled(*(rng.random(8) < 0.5 for _ in range(400))))
    binned = difficulty.levels(difficulty.pass_rates(first)).set_index("problem").difficulty
    seen, unseen = (part.groupby(part.problem.map(binned)).right.mean() for part in (first, second))
    assert seen["easy"] > 0.6 and seen["hard"] == 0
    assert unseen["easy"] == pytest.approx(0.5, abs=0.05) and unseen["hard"] == pytest.approx(0.5, abs=0.2)
