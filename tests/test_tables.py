"""Tables of one vote and of search trees, and the FLOPs of a frame, on scripted runs.

Run: python -m pytest tests/test_tables.py
"""

import warnings
from dataclasses import replace

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems
from transformers import AutoTokenizer

from ttslib import flops, tables
from ttslib.frames import frame_of
from ttslib.policies import PAPER_POLICIES
from ttslib.policies.base import Path, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import get_prompt
from ttslib.results import Results
from ttslib.runner import solve
from ttslib.zoo import ZOO

POLICY, PRM = "nano-llama-0.4m", "nano-prm-qwen-m"


class NeverBoxed(ScriptedPolicy):
    """Answers nothing."""

    def _step(self, path, seed, i, stop):
        return Step("I do not know.", (1,) * 4, "eos")


def test_a_missing_answer_is_said_in_words(tmp_path):
    run = solve(problems(1), NeverBoxed(), ScriptedPRM(), method="best_of_n", n=4, store=tmp_path, progress=False)
    assert list(tables.ballot(run).answer) == ["no answer"]
    assert list(tables.ballot(run).votes) == [4]
    assert list(tables.ballot(run).right) == [False]


def test_a_ballot_counts_every_trajectory_once_and_marks_the_right_answer(tmp_path):
    run = solve(problems(1), ScriptedPolicy(), ScriptedPRM(), method="best_of_n", n=16, store=tmp_path, progress=False)
    ballot = tables.ballot(run)
    assert ballot.votes.sum() == 16 and ballot.answer.is_unique
    assert list(ballot.answer[ballot.right]) == ["0"]
    assert list(ballot["score sum"]) == sorted(ballot["score sum"], reverse=True)


class Asked(ScriptedPolicy):
    """Says which nano model it is, and asks as that is asked."""

    name = POLICY

    def __init__(self):
        super().__init__()
        self.prefix = Prefixes(POLICY, get_prompt("nano"), AutoTokenizer.from_pretrained(ZOO / POLICY), 512)

    async def _sample(self, path, draw):
        self.prefix(path, 9)
        return await super()._sample(path, draw)


def nano(name, store, method="dvts", n=8, policy=None):
    prm = ScriptedPRM()
    prm.name = name
    return solve(problems(3), policy or Asked(), prm, method=method, n=n, store=store, progress=False)


def test_a_nano_models_size_is_read_from_its_files():
    size = flops.size_of(POLICY)
    assert (size.parameters, size.layers, size.heads * size.head_dim) == (406_176, 3, 96)
    assert flops.size_of(str(ZOO / POLICY)) == size
    assert flops.size_of("Qwen/Qwen2.5-3B-Instruct") == PAPER_POLICIES["Qwen/Qwen2.5-3B-Instruct"]
    for name in ("someone/else", "scripted", "no/such/folder"):
        with pytest.raises(ValueError, match=f"{name} is no model of the paper"):
            flops.size_of(name)


def test_flops_by_hand(tmp_path):
    run = nano(PRM, tmp_path, "cot", 1)
    ids, _ = Asked().prefix(Path(problems(1)[0]), 1)
    prompt = len(ids)
    token = 2 * 406_176
    attention = 4 * 3 * 96  # layers, channels; times the tokens that stand before
    made = 7 * (token + attention * (prompt + 3.5)) + prompt * (token + attention * prompt / 2)
    for row in run.frame().itertuples():
        assert (row.policy_tokens, row.prompt_tokens) == (7, prompt)  # the questions are equally long
        assert row.policy_flops == pytest.approx(made)
        assert row.prm_flops > row.prm_tokens * 2 * flops.size_of(PRM).parameters


@pytest.mark.parametrize("method", ["cot", "best_of_n", "beam_search", "dvts"])
def test_a_search_reads_its_prompt_once(tmp_path, method):
    small, large = (nano(PRM, tmp_path, method, n) for n in ((1, 1) if method == "cot" else (4, 16)))
    assert [record.policy_usage["prompt"] for record in small] == [record.policy_usage["prompt"] for record in large]
    if method == "best_of_n":  # a smaller budget inside the pool: its share of the samples, the whole prompt
        part, whole = (rows for _, rows in large.frame(budgets=[4]).groupby("N"))
        assert list(part.prompt_tokens) == list(whole.prompt_tokens) and min(part.prompt_tokens) > 0
        generated = [
            rows.policy_flops - rows.prompt_tokens * flops.token_flops(flops.size_of(POLICY), rows.prompt_tokens / 2)
            for rows in (part, whole)
        ]
        assert list(generated[0]) == pytest.approx(list(generated[1] / 4))
        assert list(part.prm_flops) == pytest.approx(list(whole.prm_flops / 4))


def test_flops_grow_with_n(tmp_path):
    frame = frame_of([nano(PRM, tmp_path, "best_of_n"), *(nano(PRM, tmp_path, n=n) for n in (4, 8))], budgets=[1, 2, 4])
    for _, rows in frame.groupby("method"):
        total = rows.groupby("N")[["policy_flops", "prm_flops"]].sum()
        assert (total.diff().dropna() > 0).all(axis=None)
    assert (frame.policy_flops > 0).all() and (frame.prm_flops > 0).all()
    bare = solve(problems(1), Asked(), None, method="best_of_n", n=8, store=tmp_path, progress=False)
    assert list(bare.frame().prm_flops) == [0]


@pytest.mark.parametrize("kind", ["old record", "unknown policy", "unknown PRM"])
def test_what_is_not_known_is_no_number_and_the_reason_is_said(tmp_path, kind):
    run = nano("scripted" if kind == "unknown PRM" else PRM, tmp_path,
               policy=ScriptedPolicy() if kind == "unknown policy" else None)  # fmt: skip
    if kind == "old record":
        usage = {name: run.records[1].policy_usage[name] for name in ("tokens", "calls")}
        run = Results([run.records[0], replace(run.records[1], policy_usage=usage), run.records[2]])
    words = {"old record": "does not say how long its prompt was", "unknown policy": "scripted is no model",
             "unknown PRM": "scripted is no model"}[kind]  # fmt: skip
    with pytest.warns(UserWarning, match=f"FLOPs are unknown: .*{words}"):
        frame = run.frame()
    without = {"old record": [0, 1, 0], "unknown policy": [1, 1, 1], "unknown PRM": [0, 0, 0]}[kind]
    assert list(frame.policy_flops.isna()) == list(frame.prompt_tokens.isna()) == without
    assert list(frame.prm_flops.isna()) == ([1, 1, 1] if kind == "unknown PRM" else without)


def test_a_cell_that_failed_before_the_policy_was_asked_read_no_prompt(tmp_path):
    class Full(Asked):
        async def sample(self, path, **options):
            raise ValueError("the path fills the context")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = nano(PRM, tmp_path, policy=Full()).frame()
    assert not frame[["prompt_tokens", "policy_flops", "prm_flops"]].any().any() and frame.failed.all()


def test_what_became_of_the_steps_of_searches(tmp_path):
    """Every step is kept, or counted once with the reason why it led nowhere."""
    runs = {
        method: {n: solve(problems(4), ScriptedPolicy(), ScriptedPRM(context=3), method=method, n=n, store=tmp_path,
                          progress=False) for n in (4, 16)}
        for method in ("beam_search", "dvts")
    }  # fmt: skip
    table = tables.dropped([run for each in runs.values() for run in each.values()])
    assert max(table.duplicate) > 0 and max(table.length) > 0
    for (method, n), rows in table.groupby(["method", "N"]):
        done = {record.problem["id"]: record for record in runs[method][n] if not record.failed}
        assert list(rows.problem) == list(done)
        for row in rows.to_dict("records"):
            record = done[row["problem"]]
            nodes = record.search_tree().nodes
            assert row["steps"] == sum(node.copies for node in nodes)
            assert sum(row[reason] for reason in tables.DROPPED) == row["steps"] - sum(node.kept for node in nodes)
            assert row["few"] == (len(record.trajectories) < n // 4)
