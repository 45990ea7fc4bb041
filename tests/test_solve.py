"""The runner: only what is missing, failures stay failures, a kill at any moment, two processes at once."""

import asyncio
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted import ScriptedPolicy, ScriptedPRM, plan, problems

from ttslib.problems import Problem
from ttslib.prompts import Prompt
from ttslib.records import Store, StoreError, StoreFull, cell_key
from ttslib.runner import solve
from ttslib.search import METHODS, Cost, Look, Method, Shape, Trajectory

PROGRAM = Path(__file__).with_name("scripted.py")


def run(tmp_path, method="beam_search", n=8, count=6, **options):
    policy, prm = options.pop("policy", None) or ScriptedPolicy(), options.pop("prm", None) or ScriptedPRM()
    settings = {"store": tmp_path / "store", "progress": False} | options
    return solve(problems(count), policy, prm, method=method, n=n, **settings)


def start(store, side, method="beam_search", n=8, count=30, sleep=0.01, prm=(), together=1):
    """A process that solves; it begins once there are so many of them."""
    command = [sys.executable, str(PROGRAM), str(store), str(side), method, str(n), str(count), str(sleep), *prm]
    environment = os.environ | {"PYTHONPATH": str(PROGRAM.parent.parent), "TOGETHER": str(together)}
    return subprocess.Popen(command, env=environment)


def started(side):
    return Counter(line.split()[0] for line in side.read_text().splitlines()) if side.exists() else Counter()


def finished(store):
    if not (store / "records.sqlite").exists():
        return set()
    with Store(store) as opened:
        return {record.problem["id"] for record in opened.records()}


def content(record):
    return replace(record, started=0.0, seconds=0.0)


@pytest.mark.parametrize(
    "method, shape",
    [
        ("cot", (1, 1, 1, 1)),
        ("best_of_n", (8, 1, 1, 8)),
        ("beam_search", (8, 4, 2, 1)),
        ("dvts", (8, 4, 1, 2)),
    ],
)
def test_a_record_says_what_was_run(tmp_path, method, shape):
    policy, prm = ScriptedPolicy(), ScriptedPRM()
    results = run(tmp_path, method, policy=policy, prm=prm)
    assert [record.problem["id"] for record in results] == [f"p{i}" for i in range(6)]
    for record in results:
        assert (record.N, record.M, record.kept, record.subtrees) == shape
        assert record.error is None and record.versions["python"] and record.seconds >= 0
        nodes = record.search_tree().nodes
        assert record.policy_usage["tokens"] == sum(node.tokens * node.copies for node in nodes)
        for path in record.paths():
            assert [nodes[i].text for i in path.nodes] == list(path.steps)
    assert results.tokens.policy == policy.usage.tokens
    assert results.tokens.policy_calls == policy.usage.calls
    assert results.tokens.prm == prm.usage.tokens > 0


def test_again_computes_nothing(tmp_path):
    first, side = run(tmp_path), tmp_path / "side"
    again = run(tmp_path, policy=ScriptedPolicy(str(side)))
    assert list(again) == list(first)
    assert not started(side)
    more = run(tmp_path, count=8, policy=ScriptedPolicy(str(side)))
    assert started(side) == {"p6": 1, "p7": 1}
    assert list(more)[:6] == list(first)


def test_what_changes_a_cell():
    class Other(ScriptedPolicy):
        revision = "r2"

    def keys(policy=None, prm=None, **options):
        settings = {"method": "beam_search", "n": 8} | options
        return [
            cell.key
            for cell in plan(problems(2), policy or ScriptedPolicy(), prm or ScriptedPRM(), **settings)
        ]

    prompted = ScriptedPolicy()
    prompted.prompt = Prompt("brief", "Be brief.")
    base = keys()
    for cell in plan(problems(2), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=8):
        assert cell.key == cell_key(cell.content) and cell.pool.key == cell_key(cell.pool.content)
    for other in (
        keys(n=16),
        keys(width=2),
        keys(seed=1),
        keys(temperature=1.0),
        keys(max_depth=3),
        keys(max_tokens=9),
        keys(method="dvts"),
        keys(policy=Other()),
        keys(policy=prompted),
        keys(method="best_of_n"),
    ):
        assert not set(base) & set(other)
    assert base == keys() == keys(max_depth=40)
    assert keys(method="cot", n=1) == keys(method="cot", n=8, width=2, temperature=1.0)
    assert keys(method="best_of_n", width=2, max_depth=3) == keys(method="best_of_n")
    changed = [replace(problem, answer="x") for problem in problems(2)]
    assert not set(base) & {
        c.key for c in plan(changed, ScriptedPolicy(), ScriptedPRM(), method="beam_search", n=8)
    }


def refused(tmp_path, words, **options):
    """In one sentence, and before anything runs: there is no store and no sample."""
    side = tmp_path / "side"
    with pytest.raises(ValueError, match=words) as caught:
        run(tmp_path, policy=ScriptedPolicy(str(side)), **options)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options, words",
    [
        ({"method": "magic"}, "cot, best_of_n"),
        ({"n": 10}, "multiple of M "),
        ({"n": 0}, "at least 1"),
        ({"depth": 3}, "'depth'.*max_depth"),
        ({"temperature": -1.0}, "temperature"),
        ({"concurrency": 0}, "concurrency"),
    ],
)
def test_arguments_that_cannot_run_are_refused_before_anything_runs(tmp_path, options, words):
    refused(tmp_path, words, **options)


WHOLE = ("n", "width", "concurrency", "max_depth", "max_step_tokens", "max_tokens")
EVERY = ("cot", "best_of_n", "beam_search", "dvts")


@pytest.mark.parametrize("method", EVERY)
def test_settings_of_the_wrong_kind_or_size_are_refused(tmp_path, method):
    for name in WHOLE:
        for value in (0, -4, 4.0, 0.5, True, "4", None, [4], math.nan, np.float64(4), 4j):
            refused(tmp_path, rf"^{name} is a whole number, at least 1, not {re.escape(repr(value))}\.$",
                    **{"method": method, name: value})
    for value in (1.0, True, "0", None, math.inf):
        refused(tmp_path, "^seed is a whole number, not ", method=method, seed=value)
    for value in (-0.1, 2.1, math.nan, math.inf, -math.inf, "0.7", True, [0.7], 1j):
        refused(tmp_path, "^The temperature is a number from 0 to 2, not ", method=method, temperature=value)
    for value in (0, -1, 1.01, math.nan, math.inf, "1", True):
        refused(tmp_path, "^top_p is a number above 0 and at most 1, not ", method=method, top_p=value)


@pytest.mark.parametrize("method", EVERY)
def test_several_samples_at_temperature_0_are_refused_as_the_same(tmp_path, method):
    if method == "cot":  # is one greedy sample whatever n is
        assert not run(tmp_path, method, n=4, temperature=0).failures
        return
    for n, width in ((4, 4), (2, 1)):
        refused(tmp_path, f"{method} with n={n} at temperature 0", method=method, n=n, width=width, temperature=0.0)
    assert not run(tmp_path, method, n=1, width=1, temperature=0).failures


def test_numbers_of_numpy_are_those_of_python():
    def keys(number, real):
        settings = {"n": number(8), "width": number(4), "seed": number(-3), "max_depth": number(5),
                    "temperature": real(0.5), "top_p": real(0.5)}  # fmt: skip
        cells = (plan(problems(2), ScriptedPolicy(), ScriptedPRM(), method=each, **settings) for each in EVERY)
        return [cell.key for part in cells for cell in part]

    assert keys(int, float) == keys(np.int64, np.float32) == keys(np.int8, np.float64)


def test_problems_may_be_any_iterable_of_problems(tmp_path):
    assert len(solve(iter(problems(3)), ScriptedPolicy(), None, method="cot", store=tmp_path, progress=False)) == 3
    assert len(solve([], ScriptedPolicy(), None, method="cot", store=tmp_path, progress=False)) == 0
    for odd in ("nanomath", [{"problem": "x", "answer": "1"}], [*problems(1), None]):
        with pytest.raises(ValueError, match="problems holds a (str|dict|NoneType): pass what tts.load_problems gives"):
            plan(odd, ScriptedPolicy(), None, method="cot")


def test_a_lone_surrogate_loses_nothing(tmp_path):
    odd = [Problem("a", "What is \ud800?", "1"), *problems(2)]
    results = solve(odd, ScriptedPolicy(), ScriptedPRM(), method="dvts", n=4, store=tmp_path, progress=False)
    assert not results.failures and results.records[0].problem["question"] == "What is \ufffd?"


def test_problems_with_one_id_and_search_without_a_prm_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the same id 'p0'"):
        solve(problems(1) * 2, ScriptedPolicy(), ScriptedPRM(), method="cot", store=tmp_path)
    with pytest.raises(ValueError, match="pass a PRM"):
        solve(problems(1), ScriptedPolicy(), None, method="dvts", n=4, store=tmp_path)
    assert (
        len(
            solve(
                problems(2), ScriptedPolicy(), None, method="best_of_n", n=4, store=tmp_path, progress=False
            )
        )
        == 2
    )


def test_a_failure_is_recorded_counted_and_retried_on_demand(tmp_path):
    broken = ScriptedPolicy(
        raises={"p2": RuntimeError("engine lost"), "p4": asyncio.CancelledError("pump gone")}
    )
    results = run(tmp_path, policy=broken)
    assert [record.problem["id"] for record in results.failures] == ["p2", "p4"]
    failure = results.failures[0]
    assert (failure.error["type"], failure.error["message"]) == ("RuntimeError", "engine lost")
    assert "scripted.py" in failure.error["where"]
    assert "beam_search N=8" in failure.label and "p2" in failure.label
    assert (results.accuracy().n, results.accuracy().failed) == (4, 2)
    assert results.correct()[2] is None and results.answers()[2] is None
    assert results.reasons() == ["", "", "RuntimeError: engine lost", "", "CancelledError: pump gone", ""]
    assert "2 failed" in repr(results)

    side = tmp_path / "side"
    assert len(run(tmp_path, policy=ScriptedPolicy(str(side))).failures) == 2
    assert not started(side)
    still = run(tmp_path, policy=ScriptedPolicy(raises={"p2": ValueError("other")}), retry_failed=True)
    assert [(r.error["message"], r.attempts) for r in still.failures] == [("other", 2)]
    mended = run(tmp_path, policy=ScriptedPolicy(str(side)), retry_failed=True)
    assert started(side) == {"p2": 1} and not mended.failures
    assert [record.attempts for record in mended] == [1, 1, 3, 1, 2, 1]


def test_a_prm_that_raises_or_gives_nonsense_fails_the_cell_only(tmp_path):
    class Bad(ScriptedPRM):
        async def score(self, paths):
            if paths[0].problem.id == "p0":
                raise OSError("connection reset")
            scores = await super().score(paths)
            return [[float("nan")] * len(s) for s in scores] if paths[0].problem.id == "p1" else scores

    results = run(tmp_path, prm=Bad())
    assert [record.problem["id"] for record in results.failures] == ["p0", "p1"]
    assert results.failures[0].error["message"] == "connection reset"
    assert results.failures[0].policy_usage["tokens"] > 0 and results.failures[0].tree["nodes"]


def test_what_is_no_json_fails_the_cell_only(tmp_path, monkeypatch):
    class Odd(Method):
        name, look, uses = "odd", Look("Odd", "black", "."), ("n",)

        def shape(self, config):
            return Shape(config.n, 1, 1, 1)

        def expected(self, config, lengths, *, scored=True):
            return Cost(1, 1)

        async def search(self, problem, policy, prm, config, tree):
            return [Trajectory(("x",), (0.5,), "eos", (), float("nan") if problem.id == "p1" else 0.0)]

    monkeypatch.setitem(METHODS, "odd", Odd())
    results = run(tmp_path, "odd")
    assert [record.problem["id"] for record in results.failures] == ["p1"]


def test_concurrency_is_what_was_asked_for(tmp_path):
    policy = ScriptedPolicy(sleep=0.005)
    run(tmp_path, "best_of_n", count=20, policy=policy, concurrency=7)
    assert policy.most == 7


def test_results_do_not_depend_on_concurrency(tmp_path):
    one = run(tmp_path, store=tmp_path / "a", concurrency=1, policy=ScriptedPolicy(sleep=0.001))
    many = run(tmp_path, store=tmp_path / "b")
    assert [content(record) for record in one] == [content(record) for record in many]


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(tmp_path):
    with Store(tmp_path / "store") as store:
        store._db.execute("PRAGMA max_page_count = 30")
        with pytest.raises(StoreFull, match="run again"):
            run(tmp_path, store=store, n=32, count=60, concurrency=3)
        store._db.execute("PRAGMA max_page_count = 100000")
        assert 0 < len(store) < 60
        assert store._db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
        done, side = len(store), tmp_path / "side"
        results = run(tmp_path, store=store, n=32, count=60, policy=ScriptedPolicy(str(side)))
    assert sum(started(side).values()) == 60 - done
    assert not results.failures


def test_a_damaged_record_stops_with_its_name(tmp_path):
    import sqlite3

    key = run(tmp_path).records[3].key
    with sqlite3.connect(tmp_path / "store" / "records.sqlite") as db:
        db.execute("UPDATE records SET body = x'00' WHERE key = ?", (key,))
    with pytest.raises(StoreError, match=key):
        run(tmp_path)
    with Store(tmp_path / "store") as store:
        store.delete(key)
    assert len(run(tmp_path)) == 6


def test_inside_a_running_loop(tmp_path):
    async def notebook():
        return run(tmp_path)

    assert len(asyncio.run(notebook())) == 6


# -- kill and share --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["beam_search", "best_of_n"])
def test_kill_9_at_random_moments(tmp_path, method):
    count, store, side = 30, tmp_path / "store", tmp_path / "side"
    sleep = 0.03 if method == "beam_search" else 0.15
    draw = random.Random(method)
    cut = []  # how many cells were finished at each kill
    while len(cut) < 6:
        before, begun = finished(store), started(side)
        process = start(store, side, method, count=count, sleep=sleep)
        after_one = len(cut) % 2  # now soon after one search is done, now soon after one has begun
        while process.poll() is None and (finished(store) == before if after_one else started(side) == begun):
            time.sleep(0.002)
        time.sleep(draw.random() * 0.2)
        process.kill()
        process.wait()
        again = started(side) - begun
        assert not before & set(again), "a finished cell was computed again"
        assert max(again.values(), default=0) <= 1
        if len(before) == count:
            break
        cut.append(len(finished(store)))
    assert len([done for done in cut if 0 < done < count]) >= 2, cut
    before, begun = finished(store), started(side)
    final = solve(
        problems(count),
        ScriptedPolicy(str(side)),
        ScriptedPRM(),
        method=method,
        n=8,
        store=store,
        progress=False,
    )
    assert started(side) - begun == {f"p{i}": 1 for i in range(count) if f"p{i}" not in before}
    whole = solve(
        problems(count),
        ScriptedPolicy(),
        ScriptedPRM(),
        method=method,
        n=8,
        store=tmp_path / "b",
        progress=False,
    )
    frame, expected = (each.frame(["prm_last_vote"]).drop(columns="seconds") for each in (final, whole))
    assert frame.equals(expected)
    assert [content(record) for record in final] == [content(record) for record in whole]


def test_two_processes_share_the_work(tmp_path):
    count, store, side = 30, tmp_path / "store", tmp_path / "side"
    both = [start(store, side, count=count, together=2) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert started(side) == {f"p{i}": 1 for i in range(count)}
    assert len({line.split()[1] for line in side.read_text().splitlines()}) == 2
    with Store(store) as opened:
        assert len(opened) == count


def test_one_of_two_processes_is_killed_and_the_other_takes_over(tmp_path):
    count, store, side = 16, tmp_path / "store", tmp_path / "side"
    both = [start(store, side, count=count, sleep=0.1) for _ in range(2)]
    while len({line.split()[1] for line in side.read_text().splitlines()} if side.exists() else ()) < 2:
        time.sleep(0.01)
    both[0].kill()
    both[0].wait()
    assert both[1].wait(60) == 0
    assert len(finished(store)) == count
    assert max(started(side).values()) <= 2 and sum(started(side).values()) <= count + 4


def test_ctrl_c_leaves_no_claim(tmp_path):
    store, side = tmp_path / "store", tmp_path / "side"
    process = start(store, side, sleep=0.2)
    while not started(side):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    with Store(store) as opened:
        assert opened._db.execute("SELECT count(*) FROM claims").fetchone() == (0,)


def test_no_torch_is_needed():
    program = "import sys, ttslib.runner; print('torch' in sys.modules, 'pandas' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PROGRAM.parent.parent
    )
    assert out.stdout.split() == ["False", "False"], out.stderr
