"""Best-of-N samples are drawn once: each PRM scores the stored pool, as if it had sampled itself."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM, plan, problems
from test_solve import PROGRAM, content, run, start, started

from ttslib.policies.base import Step
from ttslib.provenance import provenance
from ttslib.records import Store, policy_tokens
from ttslib.runner import solve
from ttslib.search import Tree, best_of_n
from ttslib.usage import Usage
from ttslib.voting import RULES

KILLED = """
import os, signal, sys
from scripted import ScriptedPolicy, ScriptedPRM, plan, problems
from ttslib.runner import solve

class Last(ScriptedPRM):
    async def score(self, paths):
        os.kill(os.getpid(), signal.SIGKILL)

solve(problems(4), ScriptedPolicy(sys.argv[2]), Last(), method="best_of_n", n=8, store=sys.argv[1], concurrency=1,
      progress=False)
"""


class OtherPRM(ScriptedPRM):
    name = "other-prm"

    async def score(self, paths):
        return [[1 - value for value in scores] for scores in await super().score(paths)]


class BrokenPRM(ScriptedPRM):
    async def score(self, paths):
        raise OSError("connection reset")


class Texts(ScriptedPolicy):
    """Samples that are any text at all, drawn from a list by seed and place."""

    def __init__(self, texts):
        super().__init__()
        self.texts = texts

    def _step(self, path, seed, i, stop):
        text, finish, logprob = self.texts[(seed + i) % len(self.texts)]
        return Step(text, (1,) * len(text), finish, logprob)


def direct(problem, policy, prm, **options):
    """(trajectories, tree) of the search itself, without a store."""
    tree = Tree()
    return asyncio.run(best_of_n(problem, policy, prm, tree=tree, **options)), tree


def same_as_direct(results, policy, prm, **options):
    for record, problem in zip(results, problems(len(results)), strict=True):
        found, tree = direct(problem, policy, prm, **options)
        assert record.paths() == found and record.search_tree() == tree


def test_a_second_prm_draws_no_sample(tmp_path):
    policy, prm, other = ScriptedPolicy(), ScriptedPRM(), OtherPRM()
    first = run(tmp_path, "best_of_n", policy=policy, prm=prm)
    drawn = policy.usage.calls, policy.usage.tokens, prm.usage.calls
    assert drawn[0] == drawn[2] == 6
    second = run(tmp_path, "best_of_n", policy=policy, prm=other)
    bare = solve(problems(6), policy, None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    run(tmp_path, "best_of_n", policy=policy, prm=prm)
    assert (policy.usage.calls, policy.usage.tokens, prm.usage.calls) == drawn and other.usage.calls == 6
    for results, model in ((first, ScriptedPRM()), (second, OtherPRM()), (bare, None)):
        same_as_direct(results, ScriptedPolicy(), model, n=8)
    with Store(tmp_path / "store") as store:
        assert len(store) == 3 * 6


def test_a_pool_without_a_prm_is_used_as_it_is(tmp_path):
    policy = ScriptedPolicy()
    solve(problems(4), policy, None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    same_as_direct(run(tmp_path, "best_of_n", policy=policy), ScriptedPolicy(), ScriptedPRM(), n=8)
    assert policy.usage.calls == 6


def test_solutions_that_the_prm_cannot_read_are_counted_and_fail_nothing(tmp_path):
    results = run(tmp_path, "best_of_n", prm=ScriptedPRM(context=1))
    assert results.unread == 6 * 8 and not results.failures and "48 solutions unread" in repr(results)
    assert run(tmp_path, "best_of_n", prm=OtherPRM()).unread == 0
    bare = solve(problems(6), ScriptedPolicy(), None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    assert bare.unread == 0 and bare.accuracy() == results.accuracy()


class Reads(ScriptedPRM):
    """Reads the solutions with one of `words` in them only, and believes them by half."""

    def __init__(self, *words):
        super().__init__()
        self.words = words

    async def score(self, paths):
        texts = ("".join(step.text for step in path.steps) for path in paths)
        read = [any(word in text for word in self.words) for text in texts]
        return [[0.5] * len(path.steps) if each else None for each, path in zip(read, paths, strict=True)]


@pytest.mark.parametrize("method", ["best_of_n", "cot"])
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "majority_vote"])
def test_a_problem_of_which_the_prm_read_no_solution_is_undecided(tmp_path, method, rule):
    results = run(tmp_path, method, n=8, prm=Reads())
    assert results.correct(rule) == [None] * 6 == results.answers(rule) == results.chosen(rule)
    estimate = results.accuracy(rule)
    assert (estimate.n, estimate.failed, estimate.undecided) == (0, 0, 6) and "6 undecided" in str(estimate)
    assert results.reasons(rule) == ["the PRM could read none of the solutions"] * 6
    assert results.accuracy().n == 6 and results.reasons() == [""] * 6
    assert results.parity().correct(rule) == [None] * 6
    assert results.minus(results, rule, "majority_vote").undecided == 6


def test_one_solution_that_was_read_decides(tmp_path):
    texts = ["A.\n\n\\boxed{1}", "B.\n\n\\boxed{0}", "C.\n\n\\boxed{1}"]
    policy = Texts([(text, "eos", -1.0) for text in texts])
    options = {"method": "best_of_n", "n": 3, "store": tmp_path, "progress": False}
    results = solve(problems(1), policy, Reads("B"), **options)
    assert results.unread == 2 and results.answers("prm_min_vote") == results.answers("prm_last_max") == ["0"]
    assert results.correct("prm_last_vote") == [1.0] and results.answers() == ["1"]
    # Of sub-samples those count that hold the solution which was read.
    part = results.subsample(1, draws=60)
    assert part.correct("prm_last_vote") == [1.0] and 0 < part.correct()[0] < 1


def test_solutions_without_text_are_wrong_not_undecided(tmp_path):
    options = {"method": "best_of_n", "n": 4, "store": tmp_path, "progress": False}
    results = solve(problems(2), Texts([("", "eos", -1.0)]), ScriptedPRM(), **options)
    assert results.unread == 0 and results.correct("prm_last_vote") == [0.0, 0.0] == results.correct()


def test_a_closed_policys_samples_are_scored(tmp_path):
    policy = ScriptedPolicy()
    solve(problems(6), policy, None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    policy.closed = True
    same_as_direct(run(tmp_path, "best_of_n", policy=policy), ScriptedPolicy(), ScriptedPRM(), n=8)
    with pytest.raises(ValueError, match="closed, and 6 of 6 cells have no samples yet"):
        run(tmp_path, "best_of_n", policy=policy, seed=1)
    prm = OtherPRM()
    prm.closed = True
    with pytest.raises(ValueError, match="other-prm is closed, and 6 of 6 cells are not scored yet"):
        run(tmp_path, "best_of_n", policy=policy, prm=prm)
    with Store(tmp_path / "store") as store:
        assert len(store) == 2 * 6


def test_a_closed_policys_failed_samples_are_not_tried_again(tmp_path):
    policy = ScriptedPolicy(raises={"p2": RuntimeError("engine lost")})
    solve(problems(6), policy, None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    policy.closed = True
    results = run(tmp_path, "best_of_n", policy=policy, retry_failed=True)
    assert [failure.problem["id"] for failure in results.failures] == ["p2"] and len(results) == 6


@pytest.mark.parametrize("other", [{"seed": 1}, {"n": 4}, {"temperature": 1.0}, {"max_tokens": 9}])
def test_other_settings_are_another_pool(tmp_path, other):
    policy = ScriptedPolicy()
    run(tmp_path, "best_of_n", policy=policy)
    run(tmp_path, "best_of_n", policy=policy, prm=OtherPRM(), **other)
    assert policy.usage.calls == 12


def test_only_best_of_n_has_pools():
    for method, n in (("cot", 1), ("beam_search", 8), ("dvts", 8)):
        assert {cell.pool for cell in plan(problems(2), ScriptedPolicy(), ScriptedPRM(), method=method, n=n)} == {None}
    (cell,) = plan(problems(1), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=8)
    assert [cell.pool] == plan(problems(1), ScriptedPolicy(), None, method="best_of_n", n=8)


PIECES = st.lists(st.sampled_from(["a", "\n", "\n\n", " ", "\\boxed{2}", "\\boxed{", "é\u2028", "\ud7ff", "\x00", "}"]))
SAMPLES = st.tuples(PIECES.map("".join), st.sampled_from(["eos", "length"]), st.floats(-1e9, 0, allow_subnormal=True))


@settings(max_examples=30, deadline=None)
@given(st.lists(SAMPLES, min_size=1), st.integers(1, 6), st.integers(0, 2**40))
def test_any_samples_are_scored_bit_for_bit_as_the_search_scores_them(texts, n, seed):
    with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
        for prm in (ScriptedPRM(), OtherPRM()):
            policy = Texts(texts)
            results = solve(
                problems(2), policy, prm, method="best_of_n", n=n, seed=seed, store=store, progress=False
            )
            assert policy.usage.calls == (0 if isinstance(prm, OtherPRM) else 2)
            same_as_direct(results, Texts(texts), type(prm)(), n=n, seed=seed)


# -- costs -----------------------------------------------------------------------------------------


def test_samples_cost_once_however_many_prms_score_them(tmp_path):
    policy, prm, other = ScriptedPolicy(), ScriptedPRM(), OtherPRM()
    first, second = (run(tmp_path, "best_of_n", policy=policy, prm=each) for each in (prm, other))
    spent = Usage(policy.usage.tokens, 6)
    for results, model in ((first, prm), (second, other)):
        tokens = results.tokens
        assert (tokens.policy, tokens.policy_calls) == (spent.tokens, spent.calls)
        assert (tokens.prm, tokens.prm_calls) == (model.usage.tokens, model.usage.calls)
        assert policy_tokens(results) == spent.tokens
    with Store(tmp_path / "store") as store:
        assert policy_tokens(store.records()) == spent.tokens
        pool = {record.key: record for record in store.records() if record.pool is None}
    about = provenance("smoke", [first, second])
    assert about["tokens"] == {"policy": spent.tokens, "prm": prm.usage.tokens + other.usage.tokens}
    for record, seconds in zip(second, second.frame().seconds, strict=True):
        drawn = pool[record.pool["key"]]
        assert drawn.policy_usage == record.policy_usage and not drawn.prm_usage["tokens"]
        assert record.spans == [*drawn.spans, (record.started, record.seconds)]
        assert seconds == drawn.seconds + record.seconds


# -- failures, kills, processes --------------------------------------------------------------------


def test_a_failure_of_the_prm_leaves_the_pool(tmp_path):
    policy = ScriptedPolicy()
    failed = run(tmp_path, "best_of_n", policy=policy, prm=BrokenPRM(), count=3)
    assert [record.error["message"] for record in failed] == ["connection reset"] * 3
    assert all(record.policy_usage["tokens"] and record.tree["nodes"] for record in failed)
    run(tmp_path, "best_of_n", policy=policy, prm=OtherPRM(), count=3)
    again = run(tmp_path, "best_of_n", policy=policy, prm=BrokenPRM(), count=3, retry_failed=True)
    assert policy.usage.calls == 3 and [record.attempts for record in again] == [2, 2, 2]


def test_a_failure_of_the_policy_is_the_cells_and_is_retried_on_demand(tmp_path, capsys):
    broken = ScriptedPolicy(raises={"p1": RuntimeError("engine lost")})
    failed = run(tmp_path, "best_of_n", policy=broken, count=3, progress=True)
    (record,) = failed.failures
    assert (record.problem["id"], record.error["type"], record.error["message"]) == (
        "p1", "RuntimeError", "engine lost",
    )  # fmt: skip
    assert "scripted.py" in record.error["where"] and not record.trajectories
    shown = capsys.readouterr().err
    assert "3/3" in shown and "failed=1" in shown and "failed=2" not in shown

    policy, prm = ScriptedPolicy(), OtherPRM()
    other = run(tmp_path, "best_of_n", policy=policy, prm=prm, count=3)
    assert other.failures[0].error == record.error and (policy.usage.calls, prm.usage.calls) == (0, 2)
    mended = run(tmp_path, "best_of_n", policy=policy, count=3, retry_failed=True)
    assert not mended.failures and policy.usage.calls == 1
    assert not run(tmp_path, "best_of_n", policy=policy, prm=prm, count=3, retry_failed=True).failures
    assert (policy.usage.calls, prm.usage.calls) == (1, 3)


def test_a_pool_that_is_no_json_fails_the_cell_only(tmp_path):
    policy = Texts([("x", "eos", float("nan"))])
    assert len(run(tmp_path, "best_of_n", policy=policy, count=2).failures) == 2


def test_a_kill_between_sampling_and_scoring_leaves_a_pool(tmp_path):
    store, side = tmp_path / "store", tmp_path / "side"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROGRAM.parent.parent), str(PROGRAM.parent)])}
    command = [sys.executable, "-c", KILLED, str(store), str(side)]
    assert subprocess.run(command, env=environment, timeout=60).returncode == -signal.SIGKILL
    with Store(store) as opened:
        assert [record.cell["prm"] for record in opened.records()] == [None]
    results = run(tmp_path, "best_of_n", count=4, policy=ScriptedPolicy(str(side)))
    assert started(side) == {f"p{i}": 1 for i in range(4)}
    same_as_direct(results, ScriptedPolicy(), ScriptedPRM(), n=8)


@pytest.mark.parametrize("names", [("a", "b"), ("a", "a")])
def test_two_processes_draw_each_pool_once(tmp_path, names):
    count, store, side = 20, tmp_path / "store", tmp_path / "side"
    both = [start(store, side, "best_of_n", count=count, prm=[name]) for name in names]
    assert [process.wait(60) for process in both] == [0, 0]
    assert started(side) == {f"p{i}": 1 for i in range(count)}
    with Store(store) as opened:
        assert len(opened) == count * (1 + len(set(names))) and not any(record.failed for record in opened.records())


def test_progress_counts_problems_whose_prm_record_is_there(tmp_path, capsys):
    solve(problems(3), ScriptedPolicy(), None, method="best_of_n", n=8, store=tmp_path / "store", progress=False)
    run(tmp_path, "best_of_n", count=2)
    capsys.readouterr()
    results = run(tmp_path, "best_of_n", count=5, progress=True)
    shown = capsys.readouterr().err
    assert "2/5" in shown and "5/5" in shown and len(results) == 5
    assert [content(record) for record in results] == [
        content(record) for record in run(tmp_path, "best_of_n", count=5, store=tmp_path / "fresh")
    ]
