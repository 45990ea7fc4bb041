"""Statistics: against formulas worked out by hand, and as properties."""

import itertools
import math

import interval_coverage
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import stats
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


@pytest.mark.parametrize("kind", interval_coverage.KINDS)
def test_intervals_hold_the_truth_as_often_as_the_module_says(kind):
    row = interval_coverage.row(kind)
    assert min(float(each) for each in row.removeprefix(kind).split()) >= 93
    assert row in stats.__doc__


def test_a_right_or_wrong_accuracy_has_wilsons_interval_with_continuity_correction():
    # Newcombe 1998 (Statistics in Medicine 17, 857), table I, method 4
    table = (81, 263, 0.2535, 0.3682), (15, 148, 0.0598, 0.1644), (0, 20, 0, 0.2005), (1, 29, 0.0018, 0.1963)
    for right, n, low, high in table:
        found = accuracy([1] * right + [0] * (n - right))
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_accuracy_of_all_right_or_nearly_so_is_not_certain():
    assert accuracy([0] * 12).high == 1 - accuracy([1] * 12).low > 1 - 0.025 ** (1 / 12)  # the exact binomial end
    assert accuracy([1] * 12).high == 1
    for odd in (1, 0.999, 0.9):
        assert 0.8 < accuracy([1] * 29 + [odd]).low < 0.87 and accuracy([1] * 29 + [odd]).high == 1
    assert accuracy([0.5] * 30).high - accuracy([0.5] * 30).low > 0.05


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_turn_round_with_the_values_and_grow_with_the_level(values, level):
    found, turned = accuracy(values, level=level), accuracy([1 - value for value in values], level=level)
    assert (turned.low, turned.high) == (pytest.approx(1 - found.high), pytest.approx(1 - found.low))
    wider = accuracy(values, level=0.995)
    assert wider.low <= found.low + 1e-9 and found.high <= wider.high + 1e-9


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 0.25])] * 2) | st.tuples(*[st.integers(0, 1)] * 2), max_size=30))
def test_a_paired_difference_lies_in_its_interval_and_turns_round_with_the_sides(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    found, turned = paired_difference(a, b), paired_difference(b, a)
    if pairs:
        assert -1 <= found.low <= found.value + 1e-12 and found.value - 1e-12 <= found.high <= 1
        assert (turned.low, turned.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    else:
        assert math.isnan(found.low) and math.isnan(turned.high)


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
    with pytest.raises(ValueError, match="values in"):
        paired_difference([1, 2], [1, 0])


@pytest.mark.parametrize("n", [1, 3, 100])
def test_no_difference_seen_is_no_proof_of_none(n):
    unseen = 1 - 0.025 ** (1 / n)  # what share of problems may be otherwise though none of n is
    for value in (1, 0):
        same = paired_difference([value] * n, [value] * n)
        assert (same.value, same.n) == (0, n) and -same.low == pytest.approx(same.high) and same.high > 0.9 * unseen
    alike = paired_difference([0.5] * n, [0.5] * n)
    assert alike.low < -0.7 * unseen < 0.7 * unseen < alike.high
    assert paired_difference([], []).n == 0


@pytest.mark.parametrize("n", [1, 3, 100])
def test_a_difference_that_is_the_same_everywhere_is_no_proof_that_it_always_is(n):
    unseen = 1 - 0.025 ** (1 / n)
    better, half = paired_difference([1] * n, [0] * n), paired_difference([1] * n, [0.5] * n)
    assert (better.value, better.high) == (1, 1) and better.low < 1 - unseen
    assert half.low < 0.5 - 0.5 * unseen < 0.5 < half.high
    worse = paired_difference([0] * n, [1] * n)
    assert (worse.low, worse.high) == (-better.high, pytest.approx(-better.low))


def test_a_difference_of_right_or_wrong_values_is_judged_by_those_that_differ():
    base = [0] * 80 + [1] * 20
    few, many = [0] * 75 + [1] * 25, [1] * 12 + [0] * 68 + [1] * 13 + [0] * 7
    sure, unsure = paired_difference(few, base), paired_difference(many, base)
    assert sure.value == pytest.approx(0.05) and unsure.value == pytest.approx(0.05)
    assert sure.low > 0 > unsure.low


def test_pairing_narrows_the_interval():
    base = [i % 2 for i in range(100)]
    better = [1 if i < 10 else value for i, value in enumerate(base)]
    paired = paired_difference(better, base)
    assert paired.low > 0
    assert paired.high - paired.low < accuracy(base).high - accuracy(base).low


def test_estimate_reads_well():
    assert str(Estimate(0.5, 0.25, 0.75, 12)) == "0.500 [0.250, 0.750] (n = 12)"
    assert str(Estimate(0.5, 0.25, 0.75, 11, 1)) == "0.500 [0.250, 0.750] (n = 11, 1 failed)"
    assert str(Estimate(0.5, 0.25, 0.75, 9, 3).apart(1)) == "0.500 [0.250, 0.750] (n = 9, 1 failed, 2 undecided)"


def test_a_difference_over_different_problems_by_hand():
    """The first row of Table II in Newcombe (1998), method 10, whose intervals are Wilson's: 56/70 and 48/80."""
    one, other = Estimate(0.8, 0.6918, 0.8774, 70, 1), Estimate(0.6, 0.4903, 0.7003, 80, 0, 2)
    found = stats.difference(one, other)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=0.0005)
    assert (found.n, found.failed, found.undecided) == (150, 1, 2)


@given(*[st.lists(st.integers(0, 1), min_size=1, max_size=40)] * 2)
def test_a_difference_over_different_problems_turns_round_with_its_sides(a, b):
    a, b = accuracy(a), accuracy(b)
    found, turned = stats.difference(a, b), stats.difference(b, a)
    assert -1 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))
    assert found.high - found.low >= max(a.high - a.low, b.high - b.low) / 1.5
