"""Gain and efficiency: Table 5 recomputed, and the author's definitions by hand.

Run: python -m pytest tests/test_gains.py
"""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_strategy import frame_of, random_frame

from ttslib import gains, paper
from ttslib.gains import Efficiency, efficiency, gain


@pytest.mark.parametrize("row", paper.published.table5().to_dict("records"), ids=lambda row: row["policy"])
def test_the_gains_of_table_5_to_the_printed_digit(row):
    assert round(100 * gain(row["tts"], row["cot"]), 1) == row["gain"]


@pytest.mark.parametrize("row", paper.published.table5().to_dict("records"), ids=lambda row: row["policy"])
def test_the_efficiencies_of_table_5_where_the_budgets_allow(row):
    """The curves are not published: only what the budgets 4 to 256 allow can be held against the column.

    A number is N of the majority's highest point over one from 4 to 256 (above 4, below which it is a bound).
    """
    peaks = paper.BUDGETS
    if row["efficiency_is_bound"]:
        possible = [str(efficiency({n: row["majority"]}, {4: row["tts"], 256: row["tts"]})) for n in peaks]
        printed = f"> {row['efficiency']:.1f}x"
        assert (printed in possible) == (row["efficiency"] <= 64)  # "> 256" would take a curve from N = 1
    else:
        assert any(4 < n / row["efficiency"] <= 256 for n in peaks)


def test_efficiency_by_hand():
    majority = {4: 0.5, 16: 0.6, 64: 0.7, 256: 0.7}  # highest first at 64
    assert efficiency(majority, {4: 0.6, 16: 0.8}).value == pytest.approx(64 / 10)  # half-way from 4 to 16
    assert str(efficiency(majority, {4: 0.6, 16: 0.8})) == "6.4x"
    assert efficiency(majority, {4: 0.6, 16: 0.7}).value == 4
    bound = efficiency(majority, {16: 0.8, 4: 0.7})
    assert (bound.value, bound.is_bound, str(bound)) == (16, True, "> 16.0x")
    never = efficiency(majority, {4: 0.5, 256: 0.69})
    assert math.isnan(never.value) and not never.is_bound and str(never) == "not reached"
    assert never.high == 64 / 256
    assert efficiency({4: 0.9, 16: 0.8}, {4: 0.5, 16: 0.95, 64: 0.2}).value == pytest.approx(4 / (4 + 12 * 0.4 / 0.45))
    assert str(efficiency({4: 0.5}, {4: 0.5})) == "> 1.0x"
    nothing = efficiency({4: 0.0, 16: 0.0}, {4: 0.0, 16: 0.5})  # no accuracy of majority vote to reach
    assert nothing.is_open and not nothing.is_bound and math.isnan(nothing.value) and str(nothing) == "–"
    with pytest.raises(ValueError, match="a point at least"):
        efficiency({}, {4: 0.5})


CURVE = st.dictionaries(st.sampled_from([4, 16, 64, 256]), st.sampled_from([0.2, 0.4, 0.5, 0.6, 0.9]), min_size=1)


@given(CURVE, CURVE)
def test_a_better_curve_is_never_less_efficient(majority, tts):
    better = {n: value + 0.1 for n, value in tts.items()}
    a, b = efficiency(majority, tts), efficiency(majority, better)
    assert a.low <= a.high and b.low >= a.low - 1e-9 and b.high >= a.high - 1e-9


def test_the_gain_of_rows_is_that_of_their_means():
    frame = pandas.concat([
        random_frame({("cot", 1): 0.4}, 80).assign(quantity="cot"),
        random_frame({("dvts", 16): 0.8}, 80, 1).assign(quantity="tts"),
    ])  # fmt: skip
    means = frame.groupby("quantity").right.mean()
    (row,) = gains.gains(frame, "policy", quantity=("tts", "cot")).to_dict("records")
    assert row["value"] == pytest.approx(gain(means["tts"], means["cot"])) and row["n"] == 80
    assert row["low"] < row["value"] < row["high"] and row["low"] > 0.3


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([1, 0, 0.5, None])] * 2), min_size=1, max_size=20))
def test_a_gain_lies_in_its_interval(pairs):
    frame = frame_of({("dvts", 4): [tts for tts, _ in pairs], ("cot", 1): [cot for _, cot in pairs]})
    (row,) = gains.gains(frame, "policy", method=("dvts", "cot")).to_dict("records")
    both = [pair for pair in pairs if None not in pair]
    assert row["n"] == len(both)
    if both:
        assert -1 <= row["low"] <= row["high"]
        if not math.isnan(row["value"]):
            assert row["low"] <= row["value"] <= row["high"]
        else:
            assert sum(b for _, b in both) == 0 and math.isinf(row["high"])


@pytest.mark.parametrize("n, cot, tts", [(30, 0.1, 0.3), (30, 0.5, 0.8), (60, 0.8, 0.9), (100, 0.3, 0.7)])
def test_the_interval_of_a_gain_holds_the_truth(n, cot, tts):
    rng, held, runs = np.random.default_rng(0), 0, 300
    for _ in range(runs):
        luck, other = rng.random((2, n))
        pairs = np.column_stack([np.where(rng.random(n) < 0.6, luck, other) < tts, luck < cot]).astype(float)
        _, low, high = gains._ratio(pairs)
        held += low <= gain(tts, cot) <= high
    assert held / runs >= 0.92


def test_the_size_of_a_group_against_its_gain():
    parts = [
        random_frame({("dvts", 4): tts, ("cot", 1): cot}, 300, policy=policy)
        for policy, cot, tts in (("s", 0.1, 0.6), ("m", 0.4, 0.7), ("l", 0.7, 0.8))
    ]
    frame = pandas.concat(parts, ignore_index=True)
    falling = gains.gain_against({"s": 1, "m": 3, "l": 70}, frame, "policy", method=("dvts", "cot"))
    assert (falling.value, falling.n) == (-1, 300) and falling.high < 0
    assert gains.gain_against({"s": 3, "m": 2, "l": 1}, frame, "policy", method=("dvts", "cot")).value == 1
    assert math.isnan(gains.gain_against({"s": 1, "m": 3}, frame, "policy", method=("dvts", "cot")).value)
    assert math.isnan(gains.gain_against({"s": 1, "m": 1, "l": 1}, frame, "policy", method=("dvts", "cot")).value)
    never = frame.assign(right=frame.right.mask((frame.policy == "s") & (frame.method == "cot"), 0.0))
    assert gains.gain_against({"s": 1, "m": 3, "l": 70}, never, "policy", method=("dvts", "cot")).value == -1


def test_efficiency_of_rows_with_its_interval():
    rng = np.random.default_rng(2)
    luck = rng.random(200)
    majority = frame_of({("best_of_n", n): luck < at for n, at in ((4, 0.3), (16, 0.4), (64, 0.5))})
    tts = frame_of({("dvts", n): luck < at for n, at in ((4, 0.4), (16, 0.7), (64, 0.7))})
    (row,) = gains.efficiencies(majority, tts).to_dict("records")
    curves = [part.groupby("N").right.mean().to_dict() for part in (majority, tts)]
    assert row["n"] == 200 and row["efficiency"].value == pytest.approx(efficiency(*curves).value)
    assert row["low"] <= row["efficiency"].low and row["efficiency"].high <= row["high"]
    above = gains.efficiencies(majority, tts.assign(right=1.0)).iloc[0]
    assert above.efficiency == Efficiency(16.0, math.inf) and above.high == math.inf and above.low == 16
    below = gains.efficiencies(majority, tts.assign(right=0.0)).iloc[0]
    assert str(below.efficiency) == "not reached" and below.low == 0
    nothing = gains.efficiencies(majority, tts.assign(right=math.nan))
    assert nothing.empty and list(nothing.columns) == ["policy", "efficiency", "low", "high", "n"]
