"""Lists of runs: only what is missing is computed, one policy and one PRM in memory at most, whatever happens between.

Run: python -m pytest tests/test_runner.py
python tests/test_runner.py STORE SIDE_FILE SLEEP      # a program to be killed
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems

import ttslib as tts
from ttslib.cells import cells_of
from ttslib.executors import Executor, LocalExecutor
from ttslib.records import Store
from ttslib.runs import ModelSpec, Run
from ttslib.work import Work, jobs

POLICIES, PRMS = ("nano-llama-0.1m", "nano-qwen-0.1m", "nano-mistral-0.4m"), ("nano-prm-shepherd", "nano-prm-qwen-m")
METHODS = ("best_of_n", "beam_search", "dvts")
TWENTY = tuple(problems(20))


class Scripted(LocalExecutor):
    """Scripted models under the names of real ones; notes what is loaded and freed, and what is in memory."""

    def __init__(self, side: str | None = None, sleep: float = 0.0):
        super().__init__(concurrency=8)
        self.side, self.sleep, self.events, self.held = side, sleep, [], Counter()

    def load_policy(self, name, **options):
        return self._load("policy", name, ScriptedPolicy(self.side, self.sleep))

    def load_prm(self, name, **options):
        return self._load("prm", name, ScriptedPRM())

    def _load(self, kind, name, model):
        self.held[kind] += 1
        assert self.held[kind] == 1, "two of a kind in memory"
        self.events.append(name)
        model.name = name

        def close():
            self.held[kind] -= 1

        model.close = close
        return model


def grid(policies=POLICIES[:2], prms=PRMS, methods=METHODS, asked=TWENTY[:4], n=8, **more):
    runs = [Run("best_of_n", policy, None, asked, n=n, **more) for policy in policies]
    return runs + [
        Run(method, policy, prm, asked, n=n, **more) for policy in policies for prm in prms for method in methods
    ]


def content(results):
    return [replace(record, started=0.0, seconds=0.0) for record in results]


def test_each_model_is_loaded_for_what_is_missing_and_freed_before_the_next(tmp_path):
    executor, runs = Scripted(), grid()
    done = tts.run(runs, store=tmp_path, executor=executor, progress=False)
    assert list(done) == runs and all(len(done[run]) == 4 and not done[run].failures for run in runs)
    # A policy's samples first, then each PRM beside it, which scores them too.
    first, second = POLICIES[:2]
    assert executor.events == [first, *PRMS, second, *PRMS]
    assert executor.held == {"policy": 1, "prm": 1}  # for the next call
    executor.events.clear()
    again = tts.run(runs, store=tmp_path, executor=executor, progress=False)
    assert not executor.events and [content(again[run]) for run in runs] == [content(done[run]) for run in runs]
    tts.run(grid((second,), PRMS[1:], asked=TWENTY[:5]), store=tmp_path, executor=executor, progress=False)
    assert executor.events == [PRMS[1]]  # the policy was there, and sampled alone first
    executor.close()
    assert not +executor.held


def test_what_lacks_a_score_alone_loads_no_policy(tmp_path):
    executor = Scripted()
    tts.run(grid(prms=()), store=tmp_path, executor=executor, progress=False)
    assert executor.events == list(POLICIES[:2])
    executor.events.clear()
    tts.run(grid(methods=("best_of_n",)), store=tmp_path, executor=executor, progress=False)
    assert executor.events == [*PRMS, *PRMS]
    executor.events.clear()
    tts.run(grid(methods=("best_of_n", "dvts"), prms=PRMS[1:]), store=tmp_path, executor=executor, progress=False)
    assert executor.events == list(POLICIES[:2])  # the PRM was there from before


def test_samples_are_drawn_once_and_shared_by_every_prm_and_run(tmp_path):
    side = tmp_path / "side"
    done = tts.run(grid(methods=("best_of_n",)), store=tmp_path / "store", executor=Scripted(str(side)), progress=False)
    assert set(Counter(side.read_text().split("\n")[:-1]).values()) == {2}  # once for each policy
    texts = {run: [record.trajectories for record in done[run]] for run in done}
    for run, found in texts.items():
        pool = texts[replace(run, prm=None)]
        assert [[path["steps"] for path in paths] for paths in found] == [
            [path["steps"] for path in paths] for paths in pool
        ]


def test_the_same_records_as_solve_gives(tmp_path):
    policy, prm = ScriptedPolicy(), ScriptedPRM()
    policy.name, prm.name = POLICIES[0], PRMS[0]
    for method in METHODS:
        run = Run(method, policy.name, prm.name, TWENTY[:4], n=8, seed=3, settings={"max_depth": 3})
        ran = tts.run([run], store=tmp_path / "run", executor=Scripted(), progress=False)[run]
        solved = tts.solve(TWENTY[:4], policy, prm, method=method, n=8, seed=3, max_depth=3, store=tmp_path / "solve",
                           progress=False)  # fmt: skip
        different = ("key", "cell", "pool")  # a scripted model has another revision than the one it plays
        for one, other in zip(ran, solved, strict=True):
            mine, its = ({k: v for k, v in vars(each).items() if k not in different} for each in (one, other))
            assert mine | {"started": 0, "seconds": 0} == its | {"started": 0, "seconds": 0}


def test_two_roles_played_by_one_model_share_their_cells(tmp_path):
    executor = Scripted()
    one, other = (Run("cot", POLICIES[0], None, TWENTY[:4], policy_role=role) for role in ("A", "B"))
    done = tts.run([one, other], store=tmp_path, executor=executor, progress=False)
    assert len(done) == 2 and executor.events == [POLICIES[0]]
    with Store(tmp_path) as store:
        assert len(store) == 4
    assert set(done.frame().policy_role) == {"A", "B"} and len(done.frame()) == 8


def test_a_dry_run_counts_and_computes_nothing(tmp_path):
    runs, store = grid(asked="nanomath", limit=5), tmp_path / "store"
    planned = tts.run(runs, store=store, dry_run=True)
    assert len(planned) == len(runs) and not store.exists()
    assert (planned.cells == 5).all() and (planned.missing == 5).all() and not planned.note.any()
    sampled = planned[planned.prm.isna()]
    assert (sampled.policy_tokens == 5 * 8 * 69).all() and (sampled.prm_tokens == 0).all()
    scored = planned[(planned.method == "best_of_n") & planned.prm.notna()]
    assert (scored.policy_tokens == 0).all() and (scored.prm_tokens == 5 * 8 * (34 + 69)).all()
    searched = planned[planned.method == "dvts"]
    assert (searched.policy_tokens == 5 * 8 * 69).all() and (searched.prm_tokens == 5 * (34 + 8 * 69)).all()
    tts.run(runs[:1] + runs[2:4], store=store, executor=Scripted(), progress=False)
    left = tts.run(runs, store=store, dry_run=True)
    assert left.missing.tolist() == [0, 5, 0, 0, *[5] * (len(runs) - 4)]
    repeated = tts.run([*runs[:1], replace(runs[0], policy_role="again")], store=tmp_path / "none", dry_run=True)
    assert repeated.missing.tolist() == [5, 0]


def test_a_dry_run_of_what_cannot_be_had_here_counts_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    tts.run(grid()[:1], store=tmp_path, executor=Scripted(), progress=False)
    own = Run("best_of_n", "some/model", None, "nanomath", n=4, settings={})
    own = replace(own, policy=ModelSpec("some/model", {"prompt": "qwen2.5"}))
    unknown = tts.run([own], store=tmp_path, dry_run=True)
    assert unknown.missing.tolist() == [500] and "some/model" in unknown.note[0]


def test_what_is_no_run_is_refused():
    with pytest.raises(ValueError, match="run takes an experiment of tts.paper or tts.Run objects, not 'fig4'"):
        tts.run(["fig4"])


@pytest.mark.parametrize(
    "run, says",
    [
        (Run("magic", POLICIES[0], None, TWENTY), "Unknown method 'magic': give one of cot"),
        (Run("dvts", POLICIES[0], None, TWENTY, n=8), "pass a PRM"),
        (Run("dvts", POLICIES[0], PRMS[0], TWENTY, n=6), r"must be a multiple of M \(width=4\)"),
        (Run("cot", "nano-llama-9m", None, TWENTY), "Unknown policy 'nano-llama-9m': did you mean nano-llama-"),
        (Run("cot", POLICIES[0], None, (*TWENTY, TWENTY[0])), "the same id 'p0'"),
        (Run("cot", POLICIES[0], None, TWENTY, settings={"depth": 3}), "There is no setting 'depth'"),
    ],
)
def test_a_run_that_cannot_be_run_is_refused_before_any(run, says, tmp_path):
    executor = Scripted()
    with pytest.raises(ValueError, match=says):
        tts.run([*grid(), run], store=tmp_path / "store", executor=executor, progress=False)
    assert not executor.events and not (tmp_path / "store").exists()


def test_a_model_that_cannot_be_loaded_leaves_what_is_done_and_no_other_in_memory(tmp_path):
    class Half(Scripted):
        def load_prm(self, name, **options):
            raise ValueError("no such weights")

    executor = Half()
    with pytest.raises(ValueError, match="no such weights"):
        tts.run(grid(), store=tmp_path, executor=executor, progress=False)
    assert not +executor.held
    with Store(tmp_path) as store:
        assert len(store) == 4  # the first policy's samples


def test_failures_are_kept_counted_and_retried_on_demand(tmp_path):
    class Broken(Scripted):
        def load_prm(self, name, **options):
            model = super().load_prm(name)
            model.score = None
            return model

    runs = grid(policies=POLICIES[:1], prms=PRMS[:1])
    broken = tts.run(runs, store=tmp_path, executor=Broken(), progress=False)
    assert broken.failed.startswith("12 of 16 cells failed, the first: best_of_n N=8")
    executor = Scripted()
    assert "12 of 16" in tts.run(runs, store=tmp_path, executor=executor, progress=False).failed and not executor.events
    mended = tts.run(runs, store=tmp_path, executor=executor, progress=False, retry_failed=True)
    assert mended.failed == "0 of 16 cells failed" and executor.events == [POLICIES[0], PRMS[0]]


def test_any_executor_will_do(tmp_path):
    class Counted(Executor):
        """Hands every job to another one, on a machine of its own as it were."""

        jobs = ()

        def run(self, jobs, store, *, retry_after, finished):
            self.jobs = [*self.jobs, *jobs]
            for job in jobs:
                Scripted().run([job], store, retry_after=retry_after, finished=finished)

    executor, runs = Counted(), grid()
    done = tts.run(runs, store=tmp_path, executor=executor, progress=False)
    assert all(len(done[run]) == 4 for run in runs)
    assert [(str(job.policy), str(job.prm), len(job.cells)) for job in executor.jobs[:3]] == [
        (POLICIES[0], "None", 4), (POLICIES[0], PRMS[0], 12), (POLICIES[0], PRMS[1], 12),
    ]  # fmt: skip


def test_what_another_process_is_computing_is_not_given_out(tmp_path):
    runs = grid(policies=POLICIES[:1])
    cells = {run: cells_of(run) for run in runs}
    with Store(tmp_path) as mine, Store(tmp_path) as other:
        work = Work(mine, [cell for each in cells.values() for cell in each])
        assert [len(job.cells) for job in jobs(cells, work.free())] == [4, 12, 12]
        for cell in cells[runs[0]]:
            other.claim(cell.key)
        # Not the samples, nor what scores them; the searches are free.
        assert [(str(job.policy), len(job.cells)) for job in jobs(cells, work.free())] == [(POLICIES[0], 8)] * 2
        other.close()
        assert [len(job.cells) for job in jobs(cells, work.free())] == [4, 12, 12]


def test_one_bar_goes_over_everything(tmp_path, capsys):
    tts.run(grid(), store=tmp_path, executor=Scripted(), progress=True)
    shown = capsys.readouterr().err
    assert "100%" in shown and "dvts N=8 nano-qwen-0.1m with nano-prm-qwen-m" in shown
    tts.run(grid(), store=tmp_path, executor=Scripted(), progress=True)
    assert capsys.readouterr().err == ""


def start(store, side, sleep):
    command = [sys.executable, __file__, str(store), str(side), str(sleep)]
    paths = [str(Path(__file__).parent.parent), str(Path(__file__).parent)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)})


def count(store):
    file = Path(store) / "records.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            return db.execute("SELECT count(*) FROM records").fetchone()[0]
    except sqlite3.OperationalError:  # not made yet
        return 0


def everything(store):
    return tts.run(grid(POLICIES, (*PRMS, "nano-prm-skywork-s"), asked=TWENTY), store=store, executor=Scripted(),
                   progress=False)  # fmt: skip


def test_killed_at_random_moments_and_run_again_it_ends_as_if_it_had_not_been(tmp_path):
    """Three policies, three PRMs and three methods on 20 problems."""
    draw, killed_at = random.Random(5), []
    while len(killed_at) < 5:
        process = start(tmp_path / "killed", tmp_path / "side", 0.002)
        while process.poll() is None and count(tmp_path / "killed") == max(killed_at, default=0):
            time.sleep(0.005)
        time.sleep(draw.random())
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        killed_at.append(count(tmp_path / "killed"))
    assert [done for done in killed_at if 0 < done < 600], killed_at
    killed, whole = everything(tmp_path / "killed"), everything(tmp_path / "whole")
    assert {run: content(killed[run]) for run in killed} == {run: content(whole[run]) for run in whole}


def test_ctrl_c_leaves_no_claim_and_loses_nothing(tmp_path):
    process = start(tmp_path / "store", tmp_path / "side", 0.05)
    while not (tmp_path / "side").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait() != 0
    with Store(tmp_path / "store") as store:
        assert store.busy([record.key for record in store.records()]) == set() and len(store) > 0


STORED = """
import sys
for name in ("torch", "vllm", "transformers"):
    sys.modules[name] = None
import ttslib as tts
from test_runner import grid
done = tts.run(grid(), store=sys.argv[1], progress=False)
frame = done.frame(votes=["majority_vote", "prm_last_vote", "pass@k"])
print(len(frame), done.failed)
"""


def test_what_is_stored_is_read_without_torch_or_vllm(tmp_path):
    tts.run(grid(), store=tmp_path, executor=Scripted(), progress=False)
    paths = [str(Path(__file__).parent.parent), str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", STORED, str(tmp_path)]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert shown.stdout.split("\n")[0].endswith("0 of 56 cells failed"), shown.stderr


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    store, side, sleep = sys.argv[1:]
    runs = grid(POLICIES, (*PRMS, "nano-prm-skywork-s"), asked=TWENTY)
    tts.run(runs, store=store, executor=Scripted(side, float(sleep)), progress=False)


if __name__ == "__main__":
    main()
