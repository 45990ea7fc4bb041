"""The compute-optimal choice: on frames whose best cell is known, and on frames without one.

Run: python -m pytest tests/test_strategy.py
"""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import paper, stats, strategy

METHODS = ("beam_search", "best_of_n", "dvts")


def frame_of(right, **columns):
    """A frame of results from {cell: values of the problems}; a cell is (method, N). None is undecided."""
    rows = [
        {"policy": "a", "prm": "p", "method": method, "N": n, "M": 4, "settings": "", "policy_role": "Qwen2.5-1.5B",
         "prm_role": "", "benchmark": "MATH-500", "seed": 0, "vote": "prm_last_vote", "problem": f"p{at:03}",
         "right": math.nan if value is None else float(value), "failed": False, "undecided": value is None,
         "reason": "" if value is not None else "time", "policy_tokens": 10 * n} | columns
        for (method, n), values in right.items() for at, value in enumerate(values)
    ]  # fmt: skip
    return pandas.DataFrame(rows)


def random_frame(shares, problems=200, seed=0, **columns):
    rng = np.random.default_rng(seed)
    return frame_of({cell: rng.random(problems) < share for cell, share in shares.items()}, **columns)


VALUES = st.lists(st.lists(st.sampled_from([1, 0, None]), min_size=3, max_size=3), min_size=2, max_size=12)
FRAMES = VALUES.map(
    lambda rows: frame_of({(method, 4): [row[at] for row in rows] for at, method in enumerate(METHODS)})
)


def test_the_choice_finds_the_known_optimum():
    shares = {("beam_search", 4): 0.3, ("best_of_n", 4): 0.4, ("best_of_n", 16): 0.6, ("dvts", 16): 0.9}
    frame = random_frame(shares)
    (best,) = strategy.best_cells(frame).to_dict("records")
    assert (best["policy"], best["method"], best["N"]) == ("a", "dvts", 16)
    chosen = strategy.cross_fitted(frame)
    assert (chosen.method == "dvts").all() and len(chosen) == 200
    assert best["value"] == pytest.approx(chosen.right.mean())
    assert strategy.optimism(frame).value.item() == 0


def test_each_group_has_its_own_optimum():
    parts = [
        random_frame({("beam_search", 4): 0.2 + good, ("dvts", 4): 0.8 - good}, policy=policy)
        for policy, good in (("weak", 0.7), ("strong", 0.0))
    ]
    best = strategy.best_cells(pandas.concat(parts, ignore_index=True)).set_index("policy").method
    assert best.to_dict() == {"weak": "beam_search", "strong": "dvts"}
    apart = strategy.cross_fitted(pandas.concat(parts, ignore_index=True)).groupby("policy").method.unique()
    assert [list(each) for each in apart[["weak", "strong"]]] == [["beam_search"], ["dvts"]]


def test_under_the_null_the_upper_bound_flatters_and_the_cross_fitted_does_not():
    cells = {(method, n): 0.5 for method in METHODS for n in (4, 16)}
    upper, fitted = [], []
    for seed in range(40):
        frame = random_frame(cells, problems=60, seed=seed)
        upper.append(strategy.best_on_same(frame).right.mean())
        fitted.append(strategy.cross_fitted(frame, seed=seed).right.mean())
    assert np.mean(fitted) == pytest.approx(0.5, abs=0.03)  # three standard errors of 40 x 60 problems
    assert np.mean(upper) > 0.55
    assert strategy.optimism(frame).value.item() == pytest.approx(upper[-1] - strategy.cross_fitted(frame).right.mean())


@settings(max_examples=25, deadline=None)
@given(FRAMES, st.integers(2, 12), st.integers(0, 3), st.data())
def test_a_choice_never_sees_the_problem_that_it_is_scored_on(frame, folds, seed, data):
    problem = data.draw(st.sampled_from(list(frame.problem.unique())))
    other = frame.assign(right=frame.right.mask(frame.problem == problem, 1 - frame.right))
    one, two = (strategy.cross_fitted(each, among="method", folds=folds, seed=seed) for each in (frame, other))
    assert one.method[one.problem == problem].equals(two.method[two.problem == problem])


@settings(max_examples=15, deadline=None)
@given(FRAMES, st.integers(0, 3))
def test_choices_are_rows_of_the_frame_one_a_problem_in_any_order(frame, seed):
    for call in (strategy.best_on_same, strategy.cross_fitted):
        chosen = call(frame, among="method")
        assert not chosen.problem.duplicated().any() and list(chosen.columns) == list(frame.columns)
        known = chosen[~chosen.reason.str.startswith("there is no other")]
        pandas.testing.assert_frame_equal(known, frame.loc[known.index])
        shuffled = call(frame.sample(frac=1, random_state=seed), among="method")
        pandas.testing.assert_frame_equal(shuffled.sort_index(), chosen.sort_index())


@settings(max_examples=15, deadline=None)
@given(FRAMES)
def test_the_upper_bound_is_the_highest_mean_on_problems_that_all_decided(frame):
    best = strategy.best_on_same(frame, among="method").method.unique()
    wide = frame.pivot(index="problem", columns="method", values="right").dropna(axis=1, how="all").dropna()
    if len(wide):
        means = wide.mean()
        assert list(best) == [means.index[means.round(9) == means.round(9).max()][0]]


def test_of_equals_the_smaller_n_is_chosen():
    frame = frame_of({("beam_search", 16): [1, 0], ("dvts", 4): [1, 0], ("best_of_n", 4): [0, 1]})
    assert strategy.best_cells(frame)[["method", "N"]].values.tolist() == [["best_of_n", 4]]


def test_only_problems_that_all_cells_have_are_compared():
    frame = frame_of({("best_of_n", 4): [0, 0, 1, 1, 1], ("dvts", 4): [1, 0]})
    (best,) = strategy.best_cells(frame).to_dict("records")
    assert (best["method"], best["n"], best["value"]) == ("dvts", 2, 0.5)


def test_cells_that_decided_nothing_are_not_among_them():
    frame = frame_of({("best_of_n", 4): [0, 1], ("dvts", 4): [None, None]})
    assert set(strategy.cross_fitted(frame, folds=2).method) == {"best_of_n"}
    empty = frame_of({("best_of_n", 4): [None, None]})
    assert strategy.best_on_same(empty).undecided.all()
    assert strategy.win_shares(empty)[["method", "n"]].values.tolist() == [["best_of_n", 0]]
    assert strategy.win_shares(empty).share.isna().all()
    assert strategy.best_on_same(frame[:0]).empty and strategy.cross_fitted(frame[:0]).empty


def test_a_single_problem_has_no_other_to_choose_by():
    frame = frame_of({(method, 4): [1] for method in METHODS})
    chosen = strategy.cross_fitted(frame)
    assert chosen.right.isna().all() and chosen.undecided.all()
    assert set(chosen.reason) == {"there is no other problem to choose a cell by"}
    (row,) = stats.estimate(chosen).to_dict("records")
    assert (row["n"], row["undecided"]) == (0, 1)


def test_seeds_of_a_cell_are_averaged_and_kept():
    frame = pandas.concat(
        [random_frame({("dvts", 4): 0.5, ("best_of_n", 4): 0.9}, 20, s).assign(seed=s) for s in (0, 1)]
    )
    chosen = strategy.cross_fitted(frame.reset_index(drop=True))
    assert len(chosen) == 40 and set(chosen.method) == {"best_of_n"}


def test_arguments_that_make_no_sense_are_refused():
    frame = random_frame({("dvts", 4): 0.5, ("best_of_n", 4): 0.5}, 5)
    for folds in (1, 0, 2.5):
        with pytest.raises(ValueError, match="at least 2 folds"):
            strategy.cross_fitted(frame, folds=folds)
    with pytest.raises(ValueError, match="across is a column of by"):
        strategy.cross_fitted(frame, across="prm")
    with pytest.raises(ValueError, match="There is no prm beside p"):
        strategy.cross_fitted(frame, ["policy", "prm"], across="prm")
    with pytest.raises(ValueError, match="cannot be both"):
        strategy.best_cells(frame, ["policy", "N"])
    with pytest.raises(ValueError, match="differ in N"):
        strategy.best_cells(random_frame({("dvts", 4): 1, ("dvts", 16): 1}, 3), among="method")


# -- knowing the PRM -------------------------------------------------------------------------------


def prm_frame(best, problems=60):
    """Of each PRM the method that is best with it: 0.9 against 0.3."""
    return pandas.concat([
        random_frame({(method, 4): 0.9 if method == mine else 0.3 for method in METHODS}, problems, at, prm=prm)
        for at, (prm, mine) in enumerate(best.items())
    ], ignore_index=True)  # fmt: skip


def test_without_the_prm_the_choice_is_that_of_the_other_prms():
    by = ["policy", "prm"]
    alike = prm_frame({"x": "dvts", "y": "dvts", "z": "dvts"})
    odd = prm_frame({"x": "dvts", "y": "dvts", "z": "best_of_n"})
    for frame, expected in ((alike, {"x": "dvts", "y": "dvts", "z": "dvts"}), (odd, {"z": "dvts"})):
        agnostic = strategy.cross_fitted(frame, by, "method", across="prm").groupby("prm").method.unique()
        assert {prm: list(agnostic[prm]) for prm in expected} == {prm: [m] for prm, m in expected.items()}
    aware = strategy.cross_fitted(odd, by, "method")
    agnostic = strategy.cross_fitted(odd, by, "method", across="prm")
    both = pandas.concat([aware.assign(choice="aware"), agnostic.assign(choice="agnostic")])
    gain = stats.paired(both, by, choice=("aware", "agnostic")).set_index("prm")
    assert gain.value["z"] > 0.4


def test_without_the_prm_its_own_rows_are_not_looked_at():
    frame = prm_frame({"x": "dvts", "y": "dvts"})
    changed = frame.copy()
    mine = changed.prm == "x"
    changed.loc[mine, "right"] = 1 - changed.right[mine]
    by = ["policy", "prm"]
    a, b = (strategy.cross_fitted(each, by, "method", across="prm") for each in (frame, changed))
    assert list(a[a.prm == "x"].method) == list(b[b.prm == "x"].method)


# -- the author's rule -----------------------------------------------------------------------------


def test_the_rule_takes_the_method_of_role_benchmark_and_level():
    cells = {(method, n): [1, 0, 1] for method in METHODS for n in (4, 16)}
    levels = ["easy", "medium", "hard"]
    parts = [
        frame_of(cells, policy=role, policy_role=role, benchmark=benchmark)
        for role in ("Qwen2.5-1.5B", "Qwen2.5-14B", "Qwen2.5-72B", "R1-Distill-Qwen-7B") for benchmark in
        ("MATH-500", "AIME24")
    ]  # fmt: skip
    frame = pandas.concat(parts, ignore_index=True)
    frame["difficulty"] = frame.problem.map(dict(zip(("p000", "p001", "p002"), levels, strict=True)))
    taken = strategy.by_rule(frame)
    pandas.testing.assert_frame_equal(taken, frame.loc[taken.index])
    assert len(taken) == 8 * 3 * 2
    for row in taken.itertuples():
        assert row.method == paper.rule(row.benchmark, row.policy_role, row.difficulty)
    small = frame[frame.policy_role == "Qwen2.5-1.5B"].drop(columns="difficulty")
    assert set(strategy.by_rule(small)[["benchmark", "method"]].itertuples(index=False, name=None)) == {
        ("MATH-500", "beam_search"), ("AIME24", "dvts"),
    }  # fmt: skip


def test_the_rule_says_where_a_level_is_missing():
    frame = frame_of({(method, 4): [1, 0] for method in METHODS}, policy_role="Qwen2.5-7B")
    with pytest.raises(ValueError, match="needs the column difficulty"):
        strategy.by_rule(frame)
    frame["difficulty"] = frame.problem.map({"p000": "hard", "p001": None})
    taken = strategy.by_rule(frame).set_index("problem")
    assert taken.right["p000"] == 1 and taken.undecided["p001"] and taken.reason["p001"].startswith("the level")
    with pytest.raises(ValueError, match="The size of"):
        strategy.by_rule(frame.assign(policy_role="my-model"))
    assert strategy.by_rule(frame[:0]).empty


# -- winners ---------------------------------------------------------------------------------------


def test_the_best_method_wins_most_draws_and_equals_share_them():
    shares = strategy.win_shares(random_frame({("dvts", 4): 0.9, ("best_of_n", 4): 0.5}, 100))
    assert shares.set_index("method").share["dvts"] > 0.99 and set(shares.n) == {100}
    equal = strategy.win_shares(frame_of({(method, 4): [1, 0, 1] for method in METHODS}))
    assert equal.share.tolist() == pytest.approx([1 / 3] * 3)
    even = strategy.win_shares(random_frame({("dvts", 4): 0.5, ("best_of_n", 4): 0.5}, 30, seed=3))
    assert even.share.between(0.001, 0.999).all()


@settings(max_examples=15, deadline=None)
@given(FRAMES, st.integers(0, 3))
def test_win_shares_add_up(frame, seed):
    shares = strategy.win_shares(frame, draws=50, seed=seed)
    assert shares.share.isna().all() or shares.share.sum() == pytest.approx(1)
    assert shares.equals(strategy.win_shares(frame.sample(frac=1, random_state=1), draws=50, seed=seed))


# -- at the same cost ------------------------------------------------------------------------------


def test_each_method_gets_the_largest_n_that_it_can_afford():
    frame = random_frame({("best_of_n", n): 0.5 for n in (1, 2, 4, 8)} | {("dvts", n): 0.5 for n in (4, 8)}, 6)
    frame.loc[frame.method == "dvts", "policy_tokens"] *= 2
    taken = strategy.at_cost(frame, ["policy", "method"], "policy_tokens", 80)
    assert taken.groupby("method").N.unique().explode().to_dict() == {"best_of_n": 8, "dvts": 4}
    assert len(taken) == 12 and taken.index.isin(frame.index).all()
    assert set(strategy.at_cost(frame, ["policy", "method"], "policy_tokens", 79).method) == {"best_of_n"}
    assert strategy.at_cost(frame, "method", "policy_tokens", 5).empty
    one = frame[frame.method == "best_of_n"]
    assert set(strategy.at_cost(one, (), "policy_tokens", 40).N) == {4}


def test_a_budget_may_be_what_another_method_spends():
    parts = [
        random_frame({("best_of_n", n): 0.5 for n in (1, 2, 4, 8)} | {("dvts", 4): 0.5}, 6, policy=policy)
        for policy in "ab"
    ]
    frame = pandas.concat(parts, ignore_index=True)
    search = frame.method == "dvts"
    frame.loc[search & (frame.policy == "b"), "policy_tokens"] = [5, 15, 25, 25, 25, 25]  # 20 on average
    budget = frame[search].groupby("policy").policy_tokens.mean()
    taken = strategy.at_cost(frame[~search], ["policy", "method"], "policy_tokens", budget)
    assert taken.groupby("policy").N.unique().explode().to_dict() == {"a": 4, "b": 2}
    assert strategy.at_cost(frame[~search], ["policy"], "policy_tokens", budget[["b"]]).policy.unique() == ["b"]
    with pytest.raises(ValueError, match="no column 'flops'"):
        strategy.at_cost(frame, ["policy"], "flops", 1)
    with pytest.raises(ValueError, match="columns of by .method., not 'policy'"):
        strategy.at_cost(frame, "method", "policy_tokens", budget)
