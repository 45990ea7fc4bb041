"""The logarithmic fit of accuracy to a score: against lines known exactly, as properties, and how often it holds.

Run: python -m pytest tests/test_log_fit.py
"""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.first_error import f1_draws, judge
from ttslib.log_fit import log_fit, resampled
from ttslib.paper import published

F1 = np.array([45.0, 50, 55, 63, 70, 80, 88])


def test_points_on_the_papers_line_give_its_slope_and_intercept():
    values = np.tile([published.fig6(f1) for f1 in F1], (5, 1))
    fit = log_fit(F1, values, draws=50)
    assert (fit.slope.value, fit.intercept.value) == (pytest.approx(7.66), pytest.approx(44.31))
    assert fit.rank.value == pytest.approx(1) and fit.slope.n == 5
    assert fit.at([50])[0, 0] == pytest.approx(published.fig6(50))
    assert math.isnan(fit.slope.low), "problems that do not differ say nothing of others"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 100.0]), min_size=4, max_size=4), min_size=2, max_size=12),
       st.floats(0.1, 3))  # fmt: skip
def test_a_fit_is_numpys_and_follows_units(rows, factor):
    scores, values = [20.0, 40, 60, 90], np.array(rows)
    fit = log_fit(scores, values, draws=100)
    slope, intercept = np.polyfit(np.log(scores), values.mean(axis=0), 1)
    assert [fit.slope.value, fit.intercept.value] == pytest.approx([slope, intercept], abs=1e-6)
    scaled = log_fit(scores, factor * values, draws=100)
    assert scaled.slope.value == pytest.approx(factor * slope, abs=1e-6)
    assert scaled.slope.low == pytest.approx(factor * fit.slope.low, abs=1e-6, nan_ok=True)
    if not math.isnan(fit.slope.low):
        assert fit.slope.low <= fit.slope.high
        low, high = fit.at([30.0])[0, 1:]
        assert math.isnan(low) or low <= high
    assert math.isnan(fit.rank.value) == (np.ptp(values.mean(axis=0)) < 1e-9)


def test_equal_accuracies_share_their_rank():
    assert log_fit([1, 2, 3, 4], [[0, 1, 1, 2]], draws=2).rank.value == pytest.approx(4.5 / math.sqrt(5 * 4.5))


def test_the_interval_holds_the_true_slope():
    rng, held = np.random.default_rng(0), 0
    slope, intercept, spread = 30.0, -60.0, math.hypot(0.9, 0.45)
    bars = [NormalDist(0, spread).inv_cdf((slope * math.log(f1) + intercept) / 100) for f1 in F1]
    for seed in range(200):
        ability = 0.9 * rng.normal(size=(30, 1)) + 0.45 * rng.normal(size=(30, 7))
        fit = log_fit(F1, 100.0 * (ability < bars), draws=400, seed=seed)
        held += fit.slope.low <= slope <= fit.slope.high
    assert held >= 0.9 * 200


def test_scores_that_are_measured_widen_the_interval():
    rng = np.random.default_rng(0)
    values = 100.0 * (rng.random((60, 7)) < np.linspace(0.3, 0.7, 7))
    exact = log_fit(F1, values)
    noisy = log_fit(F1, values, score_draws=F1 + rng.normal(scale=4, size=(2000, 7)))
    assert noisy.slope.value == exact.slope.value
    assert noisy.rank.high - noisy.rank.low >= exact.rank.high - exact.rank.low
    with pytest.raises(ValueError, match=r"shape \(10, 7\), not \(2000, 7\)"):
        log_fit(F1, values, score_draws=np.ones((10, 7)))


def test_undecided_problems_are_left_out_and_bad_points_refused():
    fit = log_fit([1, 2, 3], [[0, 1, 1], [math.nan, 1, 1], [0, 0, 1]], draws=20)
    assert (fit.slope.n, fit.slope.undecided) == (2, 1)
    nothing = log_fit([1, 2, 3], [[math.nan, 1, 1]], draws=20)
    assert nothing.slope.n == 0 and np.isnan(nothing.at([2])).all()
    for scores, words in [([1, 2], "three points"), ([0, 1, 2], "above 0"), ([2, 2, 2], "alike")]:
        with pytest.raises(ValueError, match=words):
            log_fit(scores, [[1] * len(scores)])
    with pytest.raises(ValueError, match="problems x points"):
        log_fit([1, 2, 3], [[1, 2]])


def test_f1_drawn_again_is_about_the_one_measured_and_pairs_the_prms():
    labels = [0, -1] * 40
    good = [(0.1, 0.9) if label == 0 else (0.9, 0.9) for label in labels]
    bad = [(0.9, 0.9) if at % 4 == 0 else scores for at, scores in enumerate(good)]
    judged = [judge(labels, scores, 0.5) for scores in (good, bad, bad)]
    drawn = f1_draws(judged, 500)
    assert drawn.shape == (500, 3) and np.all(drawn[:, 0] == 1) and np.all(drawn[:, 1] == drawn[:, 2])
    assert drawn[:, 1].mean() == pytest.approx(judged[1].f1.value, abs=0.01)
    with pytest.raises(ValueError, match="the same ones"):
        f1_draws([judged[0], judge(labels[:4], good[:4], 0.5)], 10)


def test_resampled_means_share_their_rows():
    drawn = resampled(np.array([[0.0, 1.0], [1.0, 0.0]]), 100, seed=0)
    assert np.allclose(drawn.sum(axis=1), 1) and 0 < drawn[:, 0].mean() < 1
