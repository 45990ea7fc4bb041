"""The tables of the notebooks, on scripted runs.

Run: python -m pytest tests/test_tables.py
"""

import math
import warnings
from dataclasses import replace

import pytest
from scripted import ScriptedPolicy, ScriptedPRM, problems
from transformers import AutoTokenizer

from ttslib import flops, tables
from ttslib.runner import solve
from ttslib.policies import PAPER_POLICIES
from ttslib.policies.base import Path, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import get_prompt
from ttslib.results import Results
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
    assert tables.verdicts({"BoN": run}, ["majority_vote"]).majority_vote["BoN"] == "no answer ✗"


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
    row = tables.costs({"cot": run}).loc["cot"]
    assert (row.policy, row.prompt_tokens) == (3 * 7, 3 * prompt)  # the questions are equally long
    token = 2 * 406_176
    attention = 4 * 3 * 96  # layers, channels; times the tokens that stand before
    made = 21 * (token + attention * (prompt + 3.5))
    assert row.policy_flops == pytest.approx(made + 3 * prompt * (token + attention * prompt / 2))
    assert row.prm_flops > row.prm * 2 * flops.size_of(PRM).parameters and row.flops == row.policy_flops + row.prm_flops


@pytest.mark.parametrize("method", ["cot", "best_of_n", "beam_search", "dvts"])
def test_a_search_reads_its_prompt_once(tmp_path, method):
    small, large = (nano(PRM, tmp_path, method, n) for n in ((1, 1) if method == "cot" else (4, 16)))
    assert [record.policy_usage["prompt"] for record in small] == [record.policy_usage["prompt"] for record in large]
    assert flops.prompt_tokens(small) == flops.prompt_tokens(large) > 0
    if method == "best_of_n":  # a smaller budget inside the pool: its share of the samples, the whole prompt
        part = large.subsample(4)
        assert flops.prompt_tokens(part) == flops.prompt_tokens(large)
        generated = [flops.run_flops(run, prm=False).policy - prefill(run) for run in (part, large)]
        assert generated[0] == pytest.approx(generated[1] / 4)


def test_budgets_show_flops_that_grow_with_n_and_no_prms_where_none_chose(tmp_path):
    table = tables.budgets(nano(PRM, tmp_path, "cot", 1), nano(PRM, tmp_path, "best_of_n", 8), {"dvts": {
        n: nano(PRM, tmp_path, n=n) for n in (4, 8)}})  # fmt: skip
    assert (table.flops == table.policy_flops + table.prm_flops).all() and (table.policy_flops > 0).all()
    for _, rows in table.groupby("method"):
        assert rows.flops.is_monotonic_increasing
    assert ((table.prm_flops > 0) == table.method.isin(["cot", "best_of_n", "dvts"])).all()


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
        row = tables.costs({"run": run}).loc["run"]
    assert math.isnan(row.flops) and math.isnan(row.prompt_tokens) == (kind != "unknown PRM")
    assert math.isnan(row.policy_flops) == (kind != "unknown PRM")


def test_a_cell_that_failed_before_the_policy_was_asked_read_no_prompt(tmp_path):
    class Full(Asked):
        async def sample(self, path, **options):
            raise ValueError("the path fills the context")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = flops.run_flops(nano(PRM, tmp_path, policy=Full()))
    assert found.total == 0


def prefill(run):
    prompt = flops.prompt_tokens(run) / len(run)
    return len(run) * prompt * flops.token_flops(flops.size_of(POLICY), prompt / 2)


def test_what_became_of_the_steps_of_searches(tmp_path):
    """Every step is kept, or counted once with the reason why it led nowhere."""
    runs = {
        method: {n: solve(problems(4), ScriptedPolicy(), ScriptedPRM(context=3), method=method, n=n, store=tmp_path,
                          progress=False) for n in (4, 16)}
        for method in ("beam_search", "dvts")
    }  # fmt: skip
    table = tables.dropped(runs)
    assert list(table.N) == [4, 16, 4, 16] and set(table.searches) <= {1, 2, 3, 4}
    assert max(table.duplicate) > 0 and max(table.length) > 0
    for row in table.to_dict("records"):
        done = [record for record in runs[row["method"]][row["N"]] if not record.failed]
        nodes = [node for record in done for node in record.search_tree().nodes]
        assert row["steps"] == sum(node.copies for node in nodes)
        lost = sum(row[reason] for reason in ("rank", "duplicate", "length", "blank", "marker"))
        assert lost * row["steps"] == pytest.approx(row["steps"] - sum(node.kept for node in nodes))
        few = sum(len(record.trajectories) < row["N"] // 4 for record in done)
        assert row["few answers"] == pytest.approx(few / len(done))
