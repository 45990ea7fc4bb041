"""Contrasts between groups of runs, what they say of a claim, and the panels that show many of them.

Run: python -m pytest tests/test_contrast.py
"""

import math

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import plots, stats


def frame(*columns, failed=()):
    """Rows of problems 0, 1, ... for each list of values."""
    return pandas.DataFrame([
        {"benchmark": "b", "problem": str(at), "right": value, "failed": at in failed}
        for values in columns for at, value in enumerate(values)
    ])  # fmt: skip


RIGHTS = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0])] * 4), min_size=1, max_size=12)


@given(RIGHTS)
def test_one_frame_a_side_is_a_paired_difference_and_two_are_a_difference_of_differences(rights):
    a, b, c, d = (list(side) for side in zip(*rights, strict=True))
    assert stats.contrast([frame(a)], [frame(b)]) == stats.paired_difference(a, b)
    found = stats.contrast([frame(a), frame(d)], [frame(b), frame(c)])
    assert found.value == pytest.approx(sum(w - x - y + z for w, x, y, z in rights) / len(rights))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9 and found.n == len(rights)


def test_rows_of_a_problem_are_averaged_and_one_without_all_its_rows_is_left_out():
    two = frame([1, 0, 1, math.nan], [0, 0, 1, 1], failed=(3,))
    found = stats.contrast([two], [frame([0, 0, 0, 0])])
    assert (found.value, found.n, found.failed, found.undecided) == (pytest.approx(0.5), 3, 1, 0)
    undecided = stats.contrast([frame([1, math.nan])], [frame([0, 0])])
    assert (undecided.value, undecided.n, undecided.failed, undecided.undecided) == (1, 1, 0, 1)


def test_a_contrast_with_nothing_has_no_value_and_uneven_sides_are_refused():
    nothing = stats.contrast([frame([1, 1])], [frame([1, 1])[:0]])
    assert nothing.n == 0 and math.isnan(nothing.value)
    with pytest.raises(ValueError, match="as many frames on both sides; got 1 and 0"):
        stats.contrast([frame([1])], [])


def curves():
    rows = [
        {"policy": policy, "prm": prm, "quantity": name, "N": n, "flops": n * 1e9}
        for policy in "pq" for prm in "xy" for name in ("majority", "dvts") for n in (4, 16)
    ]  # fmt: skip
    return pandas.DataFrame(rows).assign(value=0.5, low=0.3, high=0.7)


@pytest.mark.parametrize("x", ["N", "flops"])
def test_a_grid_draws_what_is_there_and_says_what_was_not_run(x):
    table = curves()
    table = table[(table.policy != "q") | (table.prm != "y")]
    picture = plots.grid(table, "policy", "prm", {"p": "P", "q": "Q"}, {"x": "X", "y": "Y"}, x=x, title="T")
    panels = picture.axes
    assert [len(axes.lines) for axes in panels] == [2, 2, 2, 0]
    assert [text.get_text() for text in panels[3].texts] == ["not run"]
    assert panels[0].get_ylabel() == "P" and panels[1].get_title() == "Y"
    empty = plots.grid(table.assign(value=math.nan), "policy", "prm", {"p": "P"}, {"x": "X"}, x=x)
    assert [text.get_text() for text in empty.axes[0].texts] == ["not run"]
    assert plots.rendered(picture, "png") and plots.rendered(empty, "png")


def test_differences_say_their_points_and_a_dash_where_there_are_none():
    table = pandas.DataFrame([
        {"policy": "p", "prm": "x", "value": 0.1, "low": 0.02, "high": 0.2},
        {"policy": "p", "prm": "y", "value": -0.0001, "low": -0.1, "high": 0.1},
        {"policy": "q", "prm": "x", "value": math.nan, "low": math.nan, "high": math.nan},
    ])  # fmt: skip
    picture, axes = plots.figure()
    plots.differences(axes, table, "policy", "prm", {"p": "P", "q": "Q"}, {"x": "X", "y": "Y"})
    said = [(text.get_text(), text.get_weight()) for text in axes.texts]
    assert said == [("+10.0\n[2.0, 20.0]", "bold"), ("0.0\n[-10.0, 10.0]", "normal"), ("–", "normal"), ("–", "normal")]
    assert plots.rendered(picture, "png")
