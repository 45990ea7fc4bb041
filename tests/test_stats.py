"""Statistics: against formulas worked out by hand, and as properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib.stats import Estimate, accuracy, paired_difference, pass_at_k


def test_pass_at_k_by_hand():
    assert pass_at_k(4, 1, 1) == 0.25
    assert pass_at_k(4, 2, 2) == pytest.approx(1 - 1 / 6)  # one of six pairs has no right sample
    assert pass_at_k(4, 3, 2) == 1.0
    assert pass_at_k(512, 1, 256) == pytest.approx(0.5)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(case):
    n, c, k = case
    subsets = list(itertools.combinations(range(n), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(min(s) < c for s in subsets) / len(subsets))


@pytest.mark.parametrize("n, c, k", [(4, 5, 1), (4, -1, 1), (4, 2, 5), (4, 2, 0), (0, 0, 1)])
def test_pass_at_k_refuses(n, c, k):
    with pytest.raises(ValueError, match="samples"):
        pass_at_k(n, c, k)


@given(st.lists(st.sampled_from([0, 1, 0.25, None]), max_size=40))
def test_accuracy_lies_in_its_interval(correct):
    estimate = accuracy(correct)
    values = [value for value in correct if value is not None]
    assert (estimate.n, estimate.failed) == (len(values), len(correct) - len(values))
    if values:
        assert estimate.value == pytest.approx(np.mean(values))
        assert 0 <= estimate.low <= estimate.value + 1e-12 and estimate.value - 1e-12 <= estimate.high <= 1
    else:
        assert math.isnan(estimate.value)


def test_accuracy_interval_is_fixed_and_has_the_right_width():
    correct = [1] * 50 + [0] * 50
    estimate = accuracy(correct)
    assert estimate == accuracy(correct)
    assert estimate.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert estimate.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)


def test_accuracy_interval_covers():
    truth, draws = 0.3, np.random.default_rng(1).random((150, 80)) < 0.3
    hits = [estimate.low <= truth <= estimate.high for estimate in (accuracy(list(row)) for row in draws)]
    assert 0.88 <= np.mean(hits) <= 0.99


def test_accuracy_of_all_right_or_all_wrong_is_not_certain():
    assert accuracy([0] * 12).high == pytest.approx(1 - 0.025 ** (1 / 12))
    assert accuracy([1] * 12).low == pytest.approx(0.025 ** (1 / 12))
    assert accuracy([1] * 12).high == 1


def test_accuracy_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="0, 1"):
        accuracy([0.5, 2])


def test_paired_difference():
    a, b = [1, 1, 1, 0, 1, None], [1, 0, 1, 0, 0, 1]
    estimate = paired_difference(a, b)
    assert (estimate.value, estimate.n, estimate.failed) == (pytest.approx(0.4), 5, 1)
    assert estimate.low <= 0.4 <= estimate.high
    with pytest.raises(ValueError, match="same problems"):
        paired_difference([1], [1, 0])


@pytest.mark.parametrize("n", [1, 3, 100])
def test_no_difference_seen_is_no_proof_of_none(n):
    same = paired_difference([True] * n, [True] * n)
    assert (same.value, same.n) == (0, n) and -same.low == same.high == pytest.approx(accuracy([0] * n).high)
    assert paired_difference([], []).n == 0


@pytest.mark.parametrize("n", [1, 3, 100])
def test_a_difference_that_is_the_same_everywhere_is_no_proof_that_it_always_is(n):
    better, half = paired_difference([1] * n, [0] * n), paired_difference([1] * n, [0.5] * n)
    unseen = accuracy([0] * n).high
    assert (better.value, better.high) == (1, 1) and better.low == pytest.approx(1 - 2 * unseen)
    assert (half.low, half.high) == (pytest.approx(0.5 - 1.5 * unseen), pytest.approx(0.5 + 0.5 * unseen))
    worse = paired_difference([0] * n, [1] * n)
    assert (worse.low, worse.high) == (-better.high, -better.low)


def test_pairing_narrows_the_interval():
    base = [i % 2 for i in range(100)]
    better = [1 if i < 10 else value for i, value in enumerate(base)]
    paired = paired_difference(better, base)
    assert paired.low > 0
    assert paired.high - paired.low < accuracy(base).high - accuracy(base).low


def test_estimate_reads_well():
    assert str(Estimate(0.5, 0.25, 0.75, 12)) == "0.500 [0.250, 0.750] (n = 12)"
    assert str(Estimate(0.5, 0.25, 0.75, 11, 1)) == "0.500 [0.250, 0.750] (n = 11, 1 failed)"
