"""Results as data frames: one row for each run, problem, budget and vote, and estimates by group of them.

Run: python -m pytest tests/test_frames.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, problems
from test_bon_once import OtherPRM, Reads
from test_results import PRM_RULES, Undecidable
from test_solve import run
from test_tables import PRM, nano

from ttslib import frames, grading, stats
from ttslib.records import Record
from ttslib.results import QUANTITIES, Results
from ttslib.runner import solve
from ttslib.voting import RULES

pytestmark = pytest.mark.filterwarnings("ignore:FLOPs are unknown")
ROOT = Path(__file__).parent.parent
ALL = (*RULES, *QUANTITIES)
ESTIMATE = list(stats.Estimate.__dataclass_fields__)


def pool_record(at, answers, failed=False):
    """A record of a pool, each of whose answers a PRM believes by a number that its place decides."""
    trajectories = [] if failed else [
        {"steps": [rf"\boxed{{{answer}}}"], "scores": [(7 * i + at) % 10 / 10]}
        for i, answer in enumerate(answers)
    ]  # fmt: skip
    return Record(
        key=f"{at:064x}", cell={"method": "best_of_n", "policy": {"name": "a"}, "prm": {"name": "b"}, "seed": 0},
        problem={"id": f"p{at}", "question": "?", "answer": "1", "subject": "", "level": at % 3},
        N=len(answers), M=1, kept=1, subtrees=len(answers), trajectories=trajectories,
        policy_usage={"tokens": 5 * len(answers), "calls": 1, "prompt": 3}, prm_usage={"tokens": 7, "calls": 1},
        error={"type": "OSError", "message": "gone", "where": ""} if failed else None,
    )  # fmt: skip


INTEGRAL = r"\int_0^1 e^{-v^2}\sin(2v)\,dv"  # undecided where nothing symbolic is answered
POOLS = st.lists(
    st.tuples(st.lists(st.sampled_from(["1", "2", "3", INTEGRAL]), min_size=4, max_size=4), st.booleans()), min_size=1
).map(lambda cells: Results([pool_record(at, *cell) for at, cell in enumerate(cells)]))


@pytest.fixture(scope="module", autouse=True)
def _nothing_symbolic():
    """No symbolic comparison is answered, so that integrals are undecided."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading.equivalence, "ask", lambda pairs, *, patient: dict.fromkeys(pairs))
        yield


def as_row(estimate):
    return pytest.approx(list(vars(estimate).values()), nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(POOLS, st.sets(st.integers(1, 4)))
def test_a_group_of_a_frame_is_what_the_results_say(pool, budgets):
    frame = pool.frame(ALL, sorted(budgets))
    assert len(frame) == len(pool) * len(ALL) * len(budgets | {4})
    assert list(frame.columns) == list(frames.COLUMNS)
    table = stats.estimate(frame, ["N", "vote"]).set_index(["N", "vote"])
    for n in budgets | {4}:
        part = pool if n == 4 else pool.subsample(n, draws=frames.DRAWS)
        for vote in ALL:
            assert list(table.loc[n, vote]) == as_row(part.accuracy(vote))
        assert list(table.loc[n, "pass@k"]) == as_row(pool.pass_at_k(n))
        rows = frame[frame.N.eq(n) & frame.vote.eq("majority_vote")]
        assert list(rows.answer) == part.answers() and list(rows.reason) == part.reasons()
        assert (rows.policy_tokens.sum(), rows.prm_tokens.sum()) == (part.tokens.policy, part.tokens.prm)


@settings(max_examples=25, deadline=None)
@given(POOLS)
def test_failed_and_undecided_rows_are_in_no_mean(pool):
    frame = pool.frame(ALL)
    out = frame.failed | frame.undecided
    assert (frame.right.isna() == out).all() and not (frame.failed & frame.undecided).any()
    assert ((frame.reason != "") == out).all() and not frame.answer[frame.failed].notna().any()
    assert frame.failed.sum() == len(ALL) * len(pool.failures)
    assert frame.right.dropna().between(0, 1).all()
    table = stats.estimate(frame, "vote").set_index("vote")
    for vote, rows in frame.groupby("vote"):
        assert table.value[vote] == pytest.approx(rows.right.mean(), nan_ok=True)
        kept = [int(rows.right.notna().sum()), int(rows.failed.sum()), int(rows.undecided.sum())]
        assert list(table.loc[vote, ["n", "failed", "undecided"]]) == kept and sum(kept) == len(pool)


def test_a_row_says_what_was_run_and_what_it_cost(tmp_path):
    results = run(tmp_path, "dvts", n=8)
    frame = results.frame("prm_last_vote")
    row = frame.iloc[1]
    assert (row.policy, row.prm, row.method, row.seed) == ("scripted", "scripted-prm", "dvts", 0)
    assert (row.N, row.M, row.kept, row.subtrees) == (8, 4, 1, 2)
    assert (row.problem, row.level, row.subject, row.vote) == ("p1", 2, "algebra", "prm_last_vote")
    assert (frame.benchmark + frame.policy_role + frame.prm_role == "").all()
    record = results.records[1]
    assert row.policy_tokens == sum(node.tokens * node.copies for node in record.search_tree().nodes)
    assert (row.trajectories, row.seconds) == (len(record.trajectories), record.seconds)
    tokens = results.tokens
    for name in ("policy_tokens", "prm_tokens", "policy_calls", "prm_calls"):
        assert frame[name].sum() == getattr(tokens, name.removesuffix("_tokens"))
    labelled = Results(results.records, labels={"benchmark": "MATH-500", "prm_role": "RLHFlow-PRM-Mistral-8B"})
    row = labelled.frame().iloc[0]
    assert (row.benchmark, row.policy_role, row.prm_role) == ("MATH-500", "", "RLHFlow-PRM-Mistral-8B")


def test_smaller_budgets_are_parts_of_the_pool_and_searches_have_none(tmp_path):
    pool, search, bare = run(tmp_path, "best_of_n", n=8), run(tmp_path, "dvts", n=8), run(tmp_path, "cot")
    frame = pool.frame(["majority_vote", "prm_last_vote"], [2, 4])
    assert sorted(frame.N.unique()) == [2, 4, 8] and (frame.subtrees == frame.N).all()
    assert (frame.trajectories == frame.N).all()
    assert frame.equals(pool.frame(["majority_vote", "prm_last_vote"], [4, 8, 2, 4]))
    for results in (search, bare):
        assert results.frame(budgets=[2, 4]).equals(results.frame())
    for ask in (pool.frame, lambda **options: frames.frame_of([search, pool], **options)):
        with pytest.raises(ValueError, match="pool of 8"):
            ask(budgets=[16])


def test_a_frame_of_many_runs_leaves_out_what_a_run_cannot_have(tmp_path):
    runs = [
        run(tmp_path, "best_of_n"), run(tmp_path, "best_of_n", prm=OtherPRM()), run(tmp_path, "beam_search"),
        solve(problems(6), ScriptedPolicy(), None, method="best_of_n", n=8, store=tmp_path / "store", progress=False),
    ]  # fmt: skip
    frame = frames.frame_of(runs, ALL)
    assert [len(frame[frame.prm == prm]) for prm in ("scripted-prm", "other-prm", "")] == [6 * 17, 6 * 9, 6 * 3]
    assert "pass@k" not in set(frame.vote[frame.method == "beam_search"])
    assert not set(frame.vote[frame.prm == ""]) & set(PRM_RULES)
    pandas.testing.assert_frame_equal(frame, pandas.concat(
        [frames.frame_of([each], ALL) for each in runs], ignore_index=True))  # fmt: skip
    for results in (runs[2], runs[3]):
        with pytest.raises(ValueError, match="pass@k is about|weighs answers by PRM scores"):
            results.frame(ALL)
    with pytest.raises(ValueError, match="Unknown voting rule 'best'"):
        frames.frame_of(runs, ["best"])
    assert list(frames.frame_of([]).columns) == list(frames.COLUMNS) and frames.frame_of([Results([])]).empty


def test_the_reason_is_said_where_the_prm_read_nothing(tmp_path):
    frame = run(tmp_path, "best_of_n", prm=Reads()).frame(["majority_vote", "prm_min_max"])
    scored = frame[frame.vote == "prm_min_max"]
    assert scored.undecided.all() and set(scored.reason) == {"the PRM could read none of the solutions"}
    assert frame[frame.vote == "majority_vote"].right.notna().all()


def test_a_frame_shows_votes_as_in_the_papers_code(tmp_path):
    results = run(tmp_path, "best_of_n")
    for vote in ALL:
        assert list(results.frame([vote], parity=True).right) == results.parity().correct(vote)


# -- estimates by group ----------------------------------------------------------------------------


def test_levels_are_groups(tmp_path):
    results = run(tmp_path, count=10)
    table = stats.estimate(results.frame(["prm_last_vote"]), "level")
    assert list(table.columns) == ["level", *ESTIMATE] and list(table.level) == [1, 2, 3, 4, 5]
    correct = results.correct("prm_last_vote")
    for level, (_, *found) in zip(range(5), table.itertuples(index=False), strict=True):
        assert found == as_row(stats.accuracy(correct[level::5]))
    (whole,) = stats.estimate(results.frame(["prm_last_vote"])).values.tolist()
    assert whole == as_row(results.accuracy("prm_last_vote"))


def test_seeds_are_averaged_over_before_problems_are(tmp_path):
    runs = [run(tmp_path, seed=seed, count=8) for seed in (0, 1, 2)]
    frame = frames.frame_of(runs, ["prm_last_vote"])
    table = stats.estimate(frame)
    means = [sum(values) / 3 for values in zip(*(each.correct("prm_last_vote") for each in runs), strict=True)]
    assert table.values.tolist()[0] == as_row(stats.accuracy(means))
    assert list(stats.estimate(frame, "seed").n) == [8, 8, 8]


def test_a_group_that_mixes_what_was_run_is_refused(tmp_path):
    a, b = run(tmp_path), run(tmp_path, "best_of_n")
    frame = frames.frame_of([a, b], ["majority_vote", "prm_last_vote"])
    for by, missing in (([], "method, M, vote"), (["method"], "vote"), (["vote"], "method, M")):
        with pytest.raises(ValueError, match=f"Rows of one problem differ in {missing}: group by that too"):
            stats.estimate(frame, by)
    with pytest.raises(ValueError, match="the same rows twice"):
        stats.estimate(frames.frame_of([a, a]), ["method", "vote"])
    assert len(stats.estimate(frame, ["method", "vote"])) == 4 and stats.estimate(frame[:0], "vote").empty


def test_paired_differences_by_group(tmp_path):
    pool = run(tmp_path, "best_of_n", n=16, count=9)
    searches = {n: run(tmp_path, "dvts", n=n, count=9) for n in (4, 16)}
    frame = frames.frame_of([pool, *searches.values()], ["prm_last_vote", "majority_vote"], [1, 2, 4, 8])
    chosen = frame[frame.vote == "prm_last_vote"].sample(frac=1, random_state=1)
    table = stats.paired(chosen, "N", method=("dvts", "best_of_n")).sort_values("N")
    assert list(table.columns) == ["N", "method", "minus", *ESTIMATE] and list(table.N) == [4, 16]
    for (n, one, other, *found), run_ in zip(table.itertuples(index=False), searches.values(), strict=True):
        assert (one, other) == ("dvts", "best_of_n")
        part = pool if n == 16 else pool.subsample(n, draws=frames.DRAWS)
        assert found == as_row(run_.minus(part, "prm_last_vote"))
    votes = stats.paired(frame, ["method", "N"], vote=("prm_last_vote", "majority_vote"))
    assert len(votes) == 5 + 2
    whole = votes[(votes.method == "best_of_n") & (votes.N == 16)]
    assert whole.iloc[0][ESTIMATE].tolist() == as_row(pool.minus(pool, "prm_last_vote", "majority_vote"))


def test_paired_differences_need_the_same_problems(tmp_path):
    frame = frames.frame_of([run(tmp_path), run(tmp_path, "dvts", count=5)])
    with pytest.raises(ValueError, match="dvts and beam_search were not run on the same problems at N 8"):
        stats.paired(frame, "N", method=("dvts", "beam_search"))
    with pytest.raises(ValueError, match="No group has both method dvts and method best_of_n"):
        stats.paired(frame, "N", method=("dvts", "best_of_n"))
    for sides in ({}, {"method": ("dvts",)}, {"method": ("dvts", "beam_search"), "N": (4, 8)}):
        with pytest.raises(ValueError, match="two values of one column"):
            stats.paired(frame, "N", **sides)


def test_what_failed_on_either_side_is_left_out_and_counted(tmp_path):
    broken = Undecidable(raises={"p5": RuntimeError("engine lost")})
    options = {"method": "best_of_n", "progress": False}
    a = solve(problems(6), broken, None, n=4, store=tmp_path / "a", **options)
    b = solve(problems(6), ScriptedPolicy(), None, n=8, store=tmp_path / "b", **options)
    (row,) = stats.paired(frames.frame_of([a, b]), N=(4, 8)).to_dict("records")
    assert (row["n"], row["failed"], row["undecided"]) == (3, 1, 2)
    assert row["value"] == pytest.approx(1 - sum(b.correct()[2:5]) / 3)


# -- without the engines ---------------------------------------------------------------------------

PROGRAM = """
import sys
sys.modules |= dict.fromkeys(("torch", "vllm"))  # importing them raises
import ttslib as tts
from ttslib.provenance import provenance
from ttslib.records import Store
from ttslib.results import Results

with Store(sys.argv[1]) as store:
    records = sorted(store.records(), key=lambda record: record.problem["id"])
run = Results([record for record in records if record.cell["prm"]])
frame = run.frame(["majority_vote", "prm_last_vote", "pass@k", "mean"], [2, 4])
assert not frame[["policy_flops", "prm_flops"]].isna().any().any()
frame["quantity"] = list(map(tts.plots.quantity, frame.method, frame.vote))
table = tts.stats.estimate(frame, ["quantity", "N"])
tts.stats.paired(frame, "N", quantity=("best_of_n", "majority"))
tts.tables.ballot(run), tts.tables.dropped([run]), run.parity().accuracy("prm_min_max")
picture, axes = tts.plots.figure()
tts.plots.accuracy_axes(axes, table.N, tts.plots.heading(frame))
tts.plots.accuracy_lines(axes, table)
tts.plots.legend(axes)
tts.plots.save(picture, sys.argv[2], "accuracy", table, provenance("smoke", [run]))
assert tts.grading.equivalent("1/2", "0.5")
print(len(frame))
"""


def test_frames_and_figures_of_a_store_need_no_torch_and_no_vllm(tmp_path):
    nano(PRM, tmp_path / "store", "best_of_n", 8)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "store"), str(tmp_path / "figures")]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 3 * 4 * 3
    written = pandas.read_csv(tmp_path / "figures" / "accuracy.csv")
    assert set(written["quantity"]) == {"majority", "best_of_n", "pass@k", "mean"} and len(written) == 12
