"""Plans: what there is to do, the GPUs it takes, speeds that were measured, and the command line.

Run: python -m pytest tests/test_plan.py
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedPolicy, ScriptedPRM

from ttslib import paper
from ttslib.dry_run import missing
from ttslib.executors import LocalExecutor
from ttslib.executors.hardware import KNOWN, NO_GPU, Machine, gpus_visible, parse_gpus
from ttslib.executors.placement import gpus_needed, place
from ttslib.paper.roles import POLICIES, PRMS
from ttslib.plan.__main__ import main
from ttslib.plan.speed import Speeds, speeds_of, stored_speeds
from ttslib.plan.tally import tally
from ttslib.profiles import get_profile
from ttslib.provenance import hardware
from ttslib.records import Record

PAPER, SMOKE = get_profile("paper"), get_profile("smoke")
PRM_7B, PRM_72B = "Qwen2.5-Math-PRM-7B", "Qwen2.5-Math-PRM-72B"
A100 = parse_gpus("A100-80GB")


@pytest.fixture
def plan(capsys, tmp_path, monkeypatch):
    """The exit status of the command line and what it says on stdout and stderr, in a folder without results."""
    monkeypatch.chdir(tmp_path)

    def run(options: str) -> tuple[int, str, str]:
        return main(options.split()), *capsys.readouterr()

    return run


def value(text: str, name: str) -> str:
    """What a line of the summary says."""
    return re.search(rf"^{name} +(.*(?:\n {{15}}.*)*)", text, re.MULTILINE)[1]


# -- what there is to do ---------------------------------------------------------------------------


def test_a_plan_counts_what_a_dry_run_counts(tmp_path):
    runs = {name: paper.experiment(name).runs(SMOKE) for name in ("fig4", "fig5", "table5")}
    rows, dry = tally(runs), missing([run for some in runs.values() for run in some], tmp_path / "nothing")
    assert rows.cells.sum() == dry.missing.sum()
    assert rows.policy_tokens.sum() == pytest.approx(dry.policy_tokens.sum())
    assert rows.prm_tokens.sum() == pytest.approx(dry.prm_tokens.sum())


def test_the_pool_has_the_tokens_of_table_4():
    grid = paper.Grid(("Llama-3.2-3B",), ("pass@k",), ("MATH-500",))
    (row,) = tally({"mine": paper.Experiment("mine", "", "", (grid,)).runs(PAPER)}).itertuples()
    assert (row.cells, row.policy_tokens / 500, row.prm) == (500, 102_400, "")
    assert 3.07e17 < row.policy_flops < 1.3 * 3.07e17  # the paper counts 3e9 parameters, and no attention


def test_no_cell_is_counted_twice():
    rows = tally({name: each.runs(PAPER) for name, each in paper.EXPERIMENTS.items()})
    assert {"fig6", "fig9", "fig12", "table2", "table4"}.isdisjoint(rows.experiment)  # all of it is in earlier ones
    assert {"fig4", "fig10", "table3", "table5"} <= set(rows.experiment)


def test_samples_are_drawn_without_a_prm_and_scored_without_their_policy():
    grid = paper.Grid(("Llama-3.2-3B",), ("best_of_n", "dvts"), ("MATH-500",), tuple(PRMS), (4,))
    rows = tally({"mine": paper.Experiment("mine", "", "", (grid,)).runs(PAPER)})
    kinds = list(zip(rows.policy != "", rows.prm != "", strict=True))
    assert [kinds.count(kind) for kind in ((True, False), (False, True), (True, True))] == [1, 7, 7]
    samples, scores = rows[rows.prm == ""], rows[rows.policy == ""]
    assert set(scores.record_tokens) == set(samples.policy_tokens) and not scores.policy_tokens.any()


# -- the GPUs that it takes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "prm", "gpus"),
    [("Llama-3.1-8B", PRM_7B, 1), ("Qwen2.5-14B", PRM_7B, 1), ("Qwen2.5-32B", PRM_7B, 2), ("Qwen2.5-72B", PRM_7B, 3),
     ("Qwen2.5-32B", PRM_72B, 3), ("Qwen2.5-72B", PRM_72B, 4)],
)  # fmt: skip
def test_gpus_needed_are_those_of_the_papers_readme(policy: str, prm: str, gpus: int):
    assert gpus_needed([POLICIES[policy], PRMS[prm]], A100) == gpus


def test_models_are_dedicated_where_there_are_gpus_enough_and_colocated_otherwise():
    both = [POLICIES["Llama-3.1-8B"], PRMS[PRM_7B]]
    policy, prm = place(both, A100)
    assert (policy.gpus, prm.gpus, policy.first, prm.first) == (1, 1, 0, 0)
    assert policy.share + prm.share == pytest.approx(0.9)
    assert policy.kv_tokens > 8192 and prm.kv_tokens > 4096  # more than the longest sequence of each
    wide = place(both, Machine(8, A100.name, A100.memory))
    assert [(each.gpus, each.first) for each in wide] == [(1, 0), (1, 1)]
    assert wide[0].kv_tokens > policy.kv_tokens and wide[0].share == pytest.approx(0.9)
    assert place(both, NO_GPU) is None and place([POLICIES["Qwen2.5-72B"]], A100) is None


@settings(max_examples=100)
@given(st.sampled_from(list(POLICIES)), st.sampled_from([*PRMS, ""]), st.sampled_from(list(KNOWN)), st.integers(1, 15))
def test_what_fits_fits_more_gpus_too(policy: str, prm: str, name: str, count: int):
    cards, gpu = [POLICIES[policy], *([PRMS[prm]] if prm else [])], parse_gpus(name)
    needed = gpus_needed(cards, gpu)
    found = place(cards, Machine(count, gpu.name, gpu.memory))
    assert (found is not None) == (needed is not None and count >= needed)
    assert all(each.first + each.gpus <= count and each.share <= 0.9 + 1e-9 for each in found or ())


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_gpu_is_found_by_its_name(name: str):
    assert parse_gpus(f"4x{name}").count == 4 and str(parse_gpus(f"4 x {name.lower()}")) == f"4x{name}"


def test_a_name_need_not_say_the_memory_where_there_is_one_such_gpu():
    assert str(parse_gpus("RTX 3090")) == "1xRTX3090-24GB" and str(parse_gpus("2xL4")) == "2xL4-24GB"
    assert parse_gpus("None") == NO_GPU


def test_gpus_of_this_machine_are_those_that_torch_sees(monkeypatch):
    import torch

    class Properties:
        name, total_memory = "NVIDIA A100-SXM4-80GB", 80 * 2**30

    assert gpus_visible() == NO_GPU or torch.cuda.is_available()
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda place: Properties)
    assert str(gpus_visible()) == "2xNVIDIA A100-SXM4-80GB" and gpus_visible().memory == 80 * 2**30
    assert gpus_visible().made("x86_64 avx2 NVIDIA A100-SXM4-80GB NVIDIA A100-SXM4-80GB")


@pytest.mark.parametrize(("gpus", "said"), [
    ("A100-80GB", "NVIDIA A100 80GB PCIe"), ("2xA100-40GB", "NVIDIA A100-SXM4-40GB NVIDIA A100-SXM4-40GB"),
    ("H100-80GB", "NVIDIA H100 80GB HBM3"), ("L4", "NVIDIA L4"), ("L40S", "NVIDIA L40S"),
    ("RTX3090", "NVIDIA GeForce RTX 3090"), ("RTX4090", "NVIDIA GeForce RTX 4090"), ("H200", "NVIDIA H200"),
])  # fmt: skip
def test_a_record_tells_which_gpus_it_comes_from(gpus: str, said: str):
    known = [f"{count}x{name}" for count in (1, 2) for name in KNOWN]
    assert [text for text in known if parse_gpus(text).made(f"x86_64 avx2 {said}")] == [str(parse_gpus(gpus))]
    assert not NO_GPU.made(f"x86_64 avx2 {said}")


# -- speeds ----------------------------------------------------------------------------------------


def record(policy: str, prm: str, tokens: int, started: float, seconds: float, **more) -> Record:
    cell = {"policy": {"name": policy} if policy else None, "prm": {"name": prm} if prm else None}
    more = {"engines": {"hardware": hardware()}} | more
    return Record("key", cell, {"id": "1"}, 1, 1, 1, 1, policy_usage={"tokens": tokens}, prm_usage={"tokens": tokens},
                  started=started, seconds=seconds, **more)  # fmt: skip


def test_speeds_are_tokens_by_the_time_in_which_cells_were_under_way():
    # Two cells side by side for ten seconds, a break, and a third.
    records = [record("p", "", 500, 0, 10), record("p", "", 400, 1, 8), record("p", "", 100, 100, 10)]
    pool = {"key": "key", "started": 0.0, "seconds": 0.0}
    records += [record("p", "r", 600, 200, 2, pool=pool), record("q", "r", 100, 300, 10)]
    others = [record("p", "", 9**9, 0, 1, error={"type": "E"}), record("p", "", 9**9, 0, 1, engines={})]
    found = speeds_of(records + others, NO_GPU)
    assert found.rates == {("p", ""): 50, ("", "r"): 300, ("q", "r"): 10} and (found.records, found.at_once) == (5, 1)
    assert found.hours("p", "", 180_000, 0) == 1 and found.hours("", "r", 0, 108_000) == pytest.approx(0.1)
    assert found.hours("q", "r", 36_000, 10**9) == 1  # this pair's own speed
    assert found.hours("p", "r", 180_000, 108_000) == pytest.approx(1.1)  # both alone, one after the other
    for unknown in (("q", ""), ("", "s"), ("p", "s")):
        assert found.hours(*unknown, 1, 1) != found.hours(*unknown, 1, 1)  # NaN


def test_processes_side_by_side_share_the_hours():
    found = speeds_of([record("p", "", 100, 0, 10), record("q", "", 100, 0, 10)], NO_GPU)
    assert found.hours("p", "", 36_000, 0) + found.hours("q", "", 36_000, 0) == 1


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    assert stored_speeds(tmp_path / "nothing", NO_GPU) == Speeds() and not (tmp_path / "nothing").exists()


# -- the command line ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    "--profile smoke", "--profile nano", "--profile full", "--profile nano --all", "--profile paper --gpus none",
    "--profile paper --gpus 8xA100-80GB", "--profile paper --gpus 1xRTX3090 --problems 50 --budgets 4,16",
    "--profile paper --gpus 2xL4 --all",
])  # fmt: skip
def test_the_question_is_answered_in_the_first_lines_and_in_100_columns(options: str, plan):
    status, out, err = plan(options)
    lines = out.splitlines()
    assert (status, err) == (0, "") and max(map(len, lines)) <= 100
    first = "\n".join(lines[:12])
    for name in ("cells", "policy tokens", "PRM tokens", "FLOPs", "disk", "GPUs"):
        assert value(first, name)
    assert value(first, "hours").startswith("not measured")
    assert ("fig4 " in out) == ("--all" in options) and len(lines) < (100 if "--all" in options else 40)


def test_eight_gpus_run_the_whole_paper(plan):
    _, out, _ = plan("--profile paper --gpus 8xA100-80GB")
    assert value(out, "GPUs") == "every pair fits" and "546 GB of weights" in value(out, "disk")
    table = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert table["Llama-3.1-8B"] == ["1"] * 6 + ["3", "1"] and table["Qwen2.5-72B"] == ["3"] * 6 + ["4", "2"]
    assert table["R1-Distill-Qwen-7B"] == ["1"]  # it is not searched with


def test_one_small_gpu_runs_a_part_of_it(plan):
    small = "--profile paper --gpus 1xRTX3090 --problems 50 --budgets 4,16"
    status, out, _ = plan(small)
    held, cells = re.match(r"([\d,]+) of ([\d,]+) cells fit", value(out, "GPUs")).groups()
    assert status == 0 and value(out, "cells").startswith(cells) and int(held.replace(",", "")) > 10_000
    _, whole, _ = plan("--profile paper --gpus 1xRTX3090")
    assert int(cells.replace(",", "")) < 40_000 and "billion" in value(whole, "policy tokens")
    assert value(plan(f"{small} --experiments table2")[1], "cells").startswith("200, ")


def test_roles_may_be_recast(plan):
    recast = "--policy Qwen2.5-7B=Qwen/Qwen2.5-3B-Instruct"
    _, out, _ = plan(f"--profile paper --gpus 1xA100-80GB --experiments table6 {recast}")
    assert "Qwen2.5-3B" in out and "Qwen2.5-7B " not in out


@pytest.mark.parametrize(("options", "says"), [
    ("--gpus 2xV100-32GB", "'2xV100-32GB' are not known: .*A100-40GB.*L4-24GB.*RTX3090-24GB"),
    ("--gpus A100", "'A100' are not known"), ("--gpus 0xL4", "not known"), ("--gpus four", "not known"),
    ("--experiments fig99", "Unknown experiment 'fig99'"), ("--experiments fig2", "Nothing has to be computed for"),
    ("--profile huge", "Unknown profile 'huge'"), ("--problems few", "--problems: invalid int value: 'few'"),
    ("--problems 0", "problems is a whole number"), ("--budgets 4,x", "--budgets: invalid budgets value: '4,x'"),
    ("--budgets 6", "must be a multiple of M"), ("--prm nano-prm-qwen-m", "nano-prm-qwen-m is no model of the"),
    ("--dataset amc23", "solutions on amc23 are is not known"), ("--measure", "timed on this machine's own GPUs"),
])  # fmt: skip
def test_arguments_without_sense_end_with_a_sentence(options: str, says: str, plan):
    status, out, err = plan(f"--profile paper --gpus 1xA100-80GB {options}")
    assert (status, out, err.count("\n")) == (2, "", 1) and re.match(f"error: .*{says}", err)


def test_measured_models_give_hours(plan, monkeypatch):
    class Scripted(LocalExecutor):
        load_policy, load_prm = (staticmethod(lambda name, *, kind=kind, **_: kind())
                                 for kind in (lambda: ScriptedPolicy(sleep=0.01), ScriptedPRM))  # fmt: skip

    monkeypatch.setattr("ttslib.runner.HERE", Scripted())
    asked = "--profile smoke --experiments table2 --store mine"
    assert "MEASURE=1" in value(plan(asked)[1], "hours")
    status, out, err = plan(f"{asked} --measure 0.1")
    assert status == 0 and err.count("timing ") == 3  # a policy and two PRMs
    assert re.match(r"[\d.e-]+ at the speeds of the store's records", value(out, "hours"))
    assert plan(asked)[1] == out  # the store remembers them
    more = value(plan("--profile smoke --experiments table2,table6 --store mine")[1], "hours")
    assert re.search(r"for \d+ of \d+ cells; the others not measured: MEASURE=1", more)
