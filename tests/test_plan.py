"""Plans: FLOPs, memory, hardware, tokens, placement, hours, the command line, and estimate beside actual."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ttslib as tts
from ttslib import paper
from ttslib.dry_run import missing
from ttslib.executors import Executor
from ttslib.flops import attention_flops, inference_flops, search_flops, token_flops, training_flops
from ttslib.paper.roles import POLICIES, PRMS
from ttslib.plan import assumptions
from ttslib.plan.__main__ import main
from ttslib.plan.actual import benchmark_of, beside
from ttslib.plan.hardware import KNOWN, NO_GPU, Gpu, Machine, from_smi, parse_gpus
from ttslib.plan.memory import activation_bytes, can_split, engine, kv_bytes, split, weight_bytes
from ttslib.plan.placement import best, generate_seconds, gpus_needed, score_seconds, ways
from ttslib.plan.schedule import place, refusals
from ttslib.plan.tally import Load, plan
from ttslib.profiles import get_profile
from ttslib.records import Record
from ttslib.search import Cost, Lengths

LLAMA_8B, QWEN_05B, QWEN_32B, QWEN_72B = (
    POLICIES[role] for role in ("Llama-3.1-8B", "Qwen2.5-0.5B", "Qwen2.5-32B", "Qwen2.5-72B")
)
PRM_7B, PRM_72B = PRMS["Qwen2.5-Math-PRM-7B"], PRMS["Qwen2.5-Math-PRM-72B"]
A100 = KNOWN["A100-80GB"]
PAPER = get_profile("paper")
SOLUTION = Lengths(400, prompt=250)


def loads(policies: tuple[str, ...], prms: tuple[str, ...], methods: tuple[str, ...], **more) -> list[Load]:
    """What a grid of the paper on MATH-500 takes in memory, at its own size."""
    grid = paper.Grid(policies, methods, ("MATH-500",), prms, **more)
    (found,) = plan([paper.Experiment("mine", "", "", (grid,))], PAPER)
    return list(found.loads)


def pool(role: str) -> Load:
    (found,) = loads((role,), (), ("pass@k",))
    return found


# -- FLOPs -----------------------------------------------------------------------------------------


def test_flops_are_those_of_table_4():
    assert training_flops(3e9, 9e12) == pytest.approx(1.62e23, rel=0.01)
    assert training_flops(405e9, 15e12) == pytest.approx(3.65e25, rel=0.01)
    assert inference_flops(3e9, 500 * 256 * 400) == pytest.approx(3.07e17, rel=0.01)


def test_token_flops_add_attention_to_two_per_parameter():
    assert token_flops(LLAMA_8B) == 2 * 8_030_261_248
    # 4 x 32 layers x 32 heads x 128 x 1,000 tokens of context
    assert attention_flops(LLAMA_8B, 1000) == 4 * 32 * 4096 * 1000
    assert token_flops(LLAMA_8B, 1000) - token_flops(LLAMA_8B) == attention_flops(LLAMA_8B, 1000)
    assert attention_flops(replace(LLAMA_8B, heads=None), 1000) == attention_flops(LLAMA_8B, 1000)


def test_search_flops_keep_policy_and_prm_apart():
    both = search_flops(LLAMA_8B, 100, PRM_7B, 50)
    assert both.policy == 200 * LLAMA_8B.parameters and both.prm == 100 * PRM_7B.parameters
    assert both.total == both.policy + both.prm
    assert search_flops(LLAMA_8B, 100).prm == 0
    assert search_flops(replace(LLAMA_8B, active_parameters=10), 7).policy == 140


def test_search_flops_count_the_prompt_once_a_search():
    alone = search_flops(LLAMA_8B, 0, prompts=3, prompt=200).policy
    assert alone == 3 * 200 * token_flops(LLAMA_8B, 100)  # 100 tokens of it stand before its mean token
    both = search_flops(LLAMA_8B, 400, context=300, prompts=3, prompt=200)
    assert both.policy == alone + search_flops(LLAMA_8B, 400, context=300).policy


# -- memory ----------------------------------------------------------------------------------------


def test_known_sizes():
    assert kv_bytes(LLAMA_8B) == 131_072  # 2 x 32 layers x 8 heads x 128 x 2 bytes
    assert kv_bytes(QWEN_72B) == 327_680
    assert kv_bytes(QWEN_72B, 4) == 81_920
    assert kv_bytes(QWEN_05B, 2) == kv_bytes(replace(QWEN_05B, heads=16), 4)  # two heads cannot be split by four
    assert weight_bytes(LLAMA_8B) == pytest.approx(16.06e9, rel=1e-3)


def test_tensor_parallelism_divides_the_heads():
    assert can_split(QWEN_05B, 2) and not can_split(QWEN_05B, 4)  # 14 heads


def test_72b_needs_two_80gb_gpus():
    assert not list(ways(QWEN_72B, None, Machine(1, A100)))
    assert [way.gpus for way in ways(QWEN_72B, None, Machine(8, A100))] == [2, 4, 8]
    assert gpus_needed(QWEN_72B, None, A100) == 2


@pytest.mark.parametrize(
    ("policy", "prm", "gpus"),
    [(LLAMA_8B, PRM_7B, 1), (POLICIES["Qwen2.5-14B"], PRM_7B, 1), (QWEN_32B, PRM_7B, 2), (QWEN_72B, PRM_7B, 3),
     (QWEN_32B, PRM_72B, 3), (QWEN_72B, PRM_72B, 4)],
)  # fmt: skip
def test_gpus_needed_are_those_of_the_papers_readme(policy, prm, gpus: int):
    assert gpus_needed(policy, prm, A100) == gpus


def test_split_stays_within_utilization_and_gives_each_its_longest_sequence():
    both = [engine(LLAMA_8B), engine(PRM_7B)]
    fit = split(both, A100)
    assert sum(fit.shares) == pytest.approx(assumptions.UTILIZATION)
    assert all(held >= each.context for held, each in zip(fit.tokens, both, strict=True))
    assert fit.tokens[0] - both[0].context == pytest.approx(fit.tokens[1] - both[1].context)
    assert split([engine(QWEN_72B)], A100) is None


def test_a_long_reasoner_holds_its_32768_tokens_and_a_prm_its_own_context():
    assert engine(POLICIES["R1-Distill-Qwen-7B"]).context == 32768
    assert engine(LLAMA_8B).context == 8192
    assert engine(PRM_72B).context == 4096


def test_activations_shrink_with_gpus_and_logits_count_for_policies_only():
    assert activation_bytes(QWEN_72B, 4) < activation_bytes(QWEN_72B, 1)
    logits = 256 * 128_256 * 4 * 2
    same = PRMS["RLHFlow-PRM-Mistral-8B"]  # the same network
    assert activation_bytes(LLAMA_8B) - activation_bytes(same) == logits


# -- hardware --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_gpu_is_parsed_by_its_name(name: str):
    assert parse_gpus(f"4x{name}") == Machine(4, KNOWN[name])
    assert parse_gpus(name.lower()) == Machine(1, KNOWN[name])


def test_gpus_with_their_own_numbers():
    assert parse_gpus("2xB200-180GB:8000:2250") == Machine(2, Gpu("B200-180GB", 180e9, 8e12, 2.25e15))
    assert parse_gpus("1xRTX 4090-24GB").gpu == KNOWN["RTX4090-24GB"]


@pytest.mark.parametrize("text", ["none", "0", "cpu", "0xA100-80GB"])
def test_no_gpu(text: str):
    assert parse_gpus(text) == NO_GPU


@pytest.mark.parametrize(
    ("text", "says"),
    [("4xB200-180GB", "B200-180GB is not known.*A100-40GB.*GB_PER_S"), ("four", "not understood.*A100-40GB"),
     ("1xX-8GB:0:5", "above 0"), ("1xA100-81GB", "not known"), ("-1xA100-80GB", "not understood")],
)  # fmt: skip
def test_unknown_gpus_are_refused_with_what_is_known(text: str, says: str):
    with pytest.raises(ValueError, match=says):
        parse_gpus(text)


def test_gpus_of_this_machine():
    h100 = "NVIDIA H100 80GB HBM3, 81559\n"
    assert from_smi(h100 * 8) == Machine(8, KNOWN["H100-80GB"])
    assert from_smi(h100 * 8, "0,3") == Machine(2, KNOWN["H100-80GB"])
    assert from_smi(h100, "") == NO_GPU and from_smi("") == NO_GPU
    assert from_smi("NVIDIA A100-SXM4-40GB, 40960\n").gpu == KNOWN["A100-40GB"]
    assert from_smi("NVIDIA A100 80GB PCIe, 81920\n").gpu == KNOWN["A100-80GB"]
    assert from_smi("NVIDIA GeForce RTX 4090, 24564\n").gpu == KNOWN["RTX4090-24GB"]
    assert from_smi("NVIDIA L40S, 46068\n").gpu == KNOWN["L40S-48GB"]
    assert from_smi("NVIDIA H200, 143771\n").gpu == KNOWN["H200-141GB"]
    with pytest.raises(ValueError, match="different GPUs .A100-80GB, H100-80GB."):
        from_smi(h100 + "NVIDIA A100-SXM4-80GB, 81920\n")
    for unknown in ("NVIDIA L40, 46068", "NVIDIA H100 80GB HBM3 MIG 1g.10gb, 9984"):
        with pytest.raises(ValueError, match="is not known"):
            from_smi(unknown)


# -- tokens and cells ------------------------------------------------------------------------------


def test_the_pool_costs_what_table_4_counts():
    found = pool("Llama-3.2-3B").tally
    assert found.cells == 500 and found.policy_tokens / 500 == 102_400
    assert 3.07e17 < found.policy_flops < 1.2 * 3.07e17 * 3.21 / 3  # 3.21e9 parameters, and attention
    (long,) = loads(("R1-Distill-Qwen-7B",), (), ("majority",), budgets=(32,))
    assert long.tally.policy_tokens / 500 == pytest.approx(116_400, rel=0.02)


def test_no_cell_is_planned_twice():
    found = {each.experiment.name: each for each in plan(paper.EXPERIMENTS.values(), PAPER)}
    every = {run for each in found.values() for run in each.runs}
    assert sum(each.tally.cells for each in found.values()) == sum(
        run.size for run in {replace(run, policy_role="", prm_role="", benchmark="") for run in every}
    )
    for name in ("fig6", "fig9", "fig12", "table2", "table4"):
        assert found[name].runs and not found[name].loads  # all of it is in earlier ones
    assert any(part.first.config.n == 512 for load in found["table3"].loads for part in load.parts)


def test_a_plan_counts_what_a_dry_run_counts(tmp_path):
    smoke = get_profile("smoke")
    experiments = [paper.experiment(name) for name in ("fig4", "fig5", "table5")]
    total = [each.tally for each in plan(experiments, smoke)]
    rows = missing([run for each in experiments for run in each.runs(smoke)], tmp_path / "nothing")
    assert sum(each.cells for each in total) == rows.missing.sum()
    assert sum(each.policy_tokens for each in total) == pytest.approx(rows.policy_tokens.sum())
    assert sum(each.prm_tokens for each in total) == pytest.approx(rows.prm_tokens.sum())


def test_what_is_in_memory_at_once_is_what_a_run_loads(tmp_path):
    class Asked(Exception):
        pass

    class Asking(Executor):
        def run(self, jobs, store, **_):
            self.jobs = jobs
            raise Asked

    smoke, executor = get_profile("smoke"), Asking()
    for name in ("table2", "fig12", "table5"):
        with pytest.raises(Asked):
            tts.run(paper.experiment(name), profile=smoke, store=tmp_path, executor=executor, progress=False)
        (planned,) = plan([paper.experiment(name)], smoke)
        asked = [(job.policy, job.prm, len(job.cells)) for job in executor.jobs]
        assert asked == [(load.policy, load.prm, load.tally.cells) for load in planned.loads]


def test_records_of_scored_samples_repeat_them():
    found = loads(("Llama-3.2-3B",), tuple(PRMS), ("pass@k", "best_of_n"))
    assert sum(load.tally.policy_tokens for load in found) == 500 * 102_400
    assert sum(load.tally.stored_tokens for load in found) == 8 * 500 * 102_400


# -- placement and hours ---------------------------------------------------------------------------


def test_ways_to_place_a_pair():
    found = list(ways(QWEN_72B, PRM_72B, Machine(8, A100)))
    assert {"tp2 + pp2", "tp4 + pp4", "tp8, shared"} <= {str(way) for way in found}
    assert all(way.gpus <= 8 for way in found)
    assert [str(way) for way in ways(LLAMA_8B, PRM_7B, Machine(1, A100))] == ["1 GPU, shared"]
    assert not list(ways(LLAMA_8B, PRM_7B, NO_GPU))


def test_a_prm_is_spread_by_layers_whatever_its_heads():
    assert can_split(PRM_7B, 8) and not can_split(PRM_7B, 29)  # 28 heads, 28 layers


def test_gpus_that_share_a_prm_hold_more_and_are_no_faster():
    one, *_, eight = (way.prm for way in ways(None, PRM_7B, Machine(8, A100)))
    assert (one.engine.gpus, eight.engine.gpus) == (1, 8) and eight.held > 8 * one.held
    assert score_seconds(eight, A100, 1e6, SOLUTION) == pytest.approx(score_seconds(one, A100, 1e6, SOLUTION))


def test_generation_is_bound_by_memory_for_one_sequence():
    seat = best(LLAMA_8B, None, Machine(1, A100)).policy
    one = generate_seconds(seat, A100, 1, SOLUTION)
    read = weight_bytes(LLAMA_8B) / (A100.bandwidth * assumptions.DECODE_BANDWIDTH)
    assert one == pytest.approx(400 * (read + assumptions.STEP_SECONDS), rel=0.01)
    many = generate_seconds(seat, A100, 256, SOLUTION)
    assert one < many < 4 * one  # batching is what makes Best-of-N affordable
    assert 256 * 400 / many > 3000  # tokens per second
    assert generate_seconds(seat, A100, 0, SOLUTION) == 0


LOADS = [load for each in plan([paper.experiment("fig10"), paper.experiment("fig11")], PAPER) for load in each.loads]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(LOADS), st.sampled_from(sorted(KNOWN)), st.integers(1, 15), st.integers(1, 8))
def test_more_gpus_never_take_more_hours(load: Load, name: str, few: int, more: int):
    before, after = (place(load, Machine(count, KNOWN[name])).hours for count in (few, few + more))
    assert before is None or (after is not None and after <= before * (1 + 1e-9))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(LOADS), st.integers(1, 8), st.floats(1, 4), st.floats(1, 4), st.floats(1, 4))
def test_a_better_gpu_never_takes_more_hours(load: Load, count: int, memory: float, speed: float, flops: float):
    better = Gpu("better", A100.memory * memory, A100.bandwidth * speed, A100.flops * flops)
    before, after = (place(load, Machine(count, gpu)).hours for gpu in (A100, better))
    assert before is None or (after is not None and after <= before * (1 + 1e-9))


def test_best_of_n_samples_then_frees_then_scores():
    sample, score = (
        place(load, Machine(1, A100)) for load in loads(("Qwen2.5-32B",), (PRM_7B.name,), ("majority", "best_of_n"))
    )
    assert sample.placement.prm is None and score.placement.policy is None  # never both in memory
    assert str(sample.placement) == str(score.placement) == "1 GPU"
    (search,) = loads(("Qwen2.5-32B",), (PRM_7B.name,), ("dvts",), budgets=(4,))
    assert place(search, Machine(1, A100)).hours is None


def test_hours_are_of_the_right_size():
    """Llama-3.1-8B, 256 samples of 400 tokens on MATH-500: 51 million tokens, at some thousands a second."""
    one, eight = (place(pool("Llama-3.1-8B"), Machine(count, A100)).hours for count in (1, 8))
    assert 1 < one < 5 and eight < one / 5


# -- refusals --------------------------------------------------------------------------------------


def test_what_cannot_fit_is_refused_in_one_sentence_per_pair():
    found = loads(("Llama-3.1-8B", "Qwen2.5-72B"), (PRM_7B.name, PRM_72B.name), ("pass@k", "best_of_n", "dvts"))
    found += loads(("Qwen2.5-7B",), (PRM_72B.name,), ("best_of_n",))
    sentences = refusals([place(load, Machine(1, A100)) for load in [*found, *found]], Machine(1, A100))
    starts = {sentence.split(" does not fit ")[0] for sentence in sentences}
    assert len(sentences) == len(starts) and starts == {
        "Qwen2.5-72B-Instruct", "Qwen2.5-Math-PRM-72B", "Llama-3.1-8B-Instruct with Qwen2.5-Math-PRM-72B",
        "Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-7B", "Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-72B",
    }  # fmt: skip
    pair = next(each for each in sentences if each.startswith("Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-72B"))
    assert "1xA100-80GB for searching" in pair and "288.5 GB of weights" in pair and "it takes 4 of them" in pair
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in sentences)
    assert not refusals([place(load, Machine(8, A100)) for load in found], Machine(8, A100))


# -- the command line ------------------------------------------------------------------------------


def test_eight_gpus_run_everything(capsys):
    assert main(["--profile", "paper", "--gpus", "8xA100-80GB"]) == 0
    out, err = capsys.readouterr()
    assert not err and "8xA100-80GB: 79.1 GiB" in out and "fig10" in out and "does not fit" not in out
    assert re.search(r"Total: [\d,]+ hours", out) and re.search(r"Disk: \d+ GB of weights \(20 models", out)
    assert "*" not in out


def test_one_gpu_plans_what_fits_and_refuses_the_rest(capsys):
    assert main(["--profile", "paper", "--gpus", "1xA100-80GB"]) == 2
    out, err = capsys.readouterr()
    assert "1 GPU, shared" in out and "does not fit" in out
    assert "*: without what does not fit" in out and re.search(r"total .*\*", out)
    lines = err.splitlines()
    assert all(line.startswith("error: ") and " does not fit 1xA100-80GB for " in line for line in lines)
    # 72B alone; 10 policies with the 72B PRM; 32B and 72B with six others, of which 32B with that of 1.5B fits.
    assert len(lines) == len(set(lines)) == 1 + 10 + 2 * 6 - 1


def test_no_gpu_still_says_what_there_is_to_do(capsys):
    assert main(["--profile", "paper", "--gpus", "none"]) == 2
    out, err = capsys.readouterr()
    assert "without GPU" in out and "fig4" in out and "Disk:" in out and "Total:" not in out
    # Beside the paper's own counts: 1 of 80 GB for 8B with 7B, 4 for 72B with 72B.
    needs = {tuple(line.split()[:2]): line.split()[3:] for line in out.splitlines() if "PRM-" in line}
    assert needs["Llama-3.1-8B-Instruct", "Qwen2.5-Math-PRM-7B"][1] == "1"
    assert needs["Qwen2.5-72B-Instruct", "Qwen2.5-Math-PRM-72B"][1] == "4"
    assert err.count("\n") == 1 and "GPUS=8xA100-80GB" in err


def test_a_part_of_the_paper_fits_one_gpu(capsys):
    options = ["--experiments", "fig4,table4", "--policies", "Llama-3.1-8B", "--prms", "Skywork,shepherd"]
    assert main(["--profile", "paper", "--gpus", "1xH100-80GB", *options]) == 0
    out, _ = capsys.readouterr()
    assert "fig10" not in out and "72B" not in out.split("Chosen where")[0] and "Llama-3.1-8B-Instruct" in out
    cells = {line.split()[0]: line for line in out.splitlines() if line.startswith(("fig", "table"))}
    # One pool, and for each of three PRMs its scores and two searches at four budgets, on 500 problems.
    assert re.search(rf" {1 + 3 * 9} +{500 * (1 + 3 * 9):,} +{500 * (1 + 3 * 9):,} ", cells["fig4"])


def test_roles_may_be_recast(capsys):
    paper_on = ["--profile", "paper", "--gpus", "1xA100-80GB", "--experiments", "table6"]
    main([*paper_on, "--policy", f"Qwen2.5-7B={LLAMA_8B.hub_id}", "--dataset", "AIME24=math500"])
    out, _ = capsys.readouterr()
    assert "Llama-3.1-8B-Instruct" in out and "Qwen2.5-7B-Instruct " not in out
    for wrong, says in (
        (["--prm", "Qwen2.5-Math-PRM-7B=someone/else"], "someone/else is in no registry"),
        (["--prm", "Qwen2.5-Math-PRM-7B=nano-prm-qwen-m"], "nano-prm-qwen-m is in no registry"),
        (["--dataset", "amc23"], "solutions on amc23 are is not known"),
    ):
        assert main([*paper_on, *wrong]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--gpus", "2xV100-32GB"], "is not known"), (["--experiments", "fig99"], "Unknown experiment 'fig99'"),
     (["--policies", "gpt"], "Nothing is left to plan"), (["--profile", "huge"], "Unknown profile 'huge'")],
)  # fmt: skip
def test_arguments_without_sense_end_with_a_sentence(options: list[str], says: str, capsys):
    assert main(["--profile", "paper", "--gpus", "1xA100-80GB", *options]) == 2
    out, err = capsys.readouterr()
    assert not out and says in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["smoke", "nano", "full"])
def test_nano_profiles_give_minutes_of_each_experiment(name: str, capsys):
    assert main(["--profile", name]) == 0
    out, err = capsys.readouterr()
    minutes = dict(re.findall(r"^(\w+) .* ([\d.]+) - [\d.]+ +[\d.]+$", out, re.MULTILINE))
    assert list(minutes) == [*paper.EXPERIMENTS, "total"] and not err
    known = [float(minutes[name]) for name in paper.EXPERIMENTS]
    assert float(minutes["total"]) == pytest.approx(sum(known), abs=1) and min(known) == float(minutes["fig6"]) == 0


# -- estimate beside actual ------------------------------------------------------------------------


def _record(
    method: str, n: int, tokens: int, *, prm: str = "r", failed: bool = False, policy: str = "p", **more
) -> Record:
    cell = {"method": method, "n": n, "policy": {"name": policy}, "prm": {"name": prm} if prm else None}
    usage = {"policy_usage": {"tokens": tokens}, "prm_usage": {"tokens": tokens if prm else 0}}
    error = {"type": "E"} if failed else None
    return Record("key", cell, {"id": "math500/1"}, n, 1, 1, n, **usage, error=error, **more)


def test_estimate_beside_actual():
    records = [_record("dvts", 4, 1600), _record("dvts", 4, 1000), _record("dvts", 4, 9, failed=True),
               _record("best_of_n", 2, 700, prm="")]  # fmt: skip
    bon, tree = beside(records)
    assert (bon.method, bon.policy_tokens, bon.expected) == ("best_of_n", 700, Cost(800, 0))
    assert (tree.cells, tree.failed, tree.policy_tokens, tree.expected.policy) == (3, 1, 2600, 2 * 1600)
    assert tree.prm_tokens == 2600 and tree.expected.prm == 2 * (250 + 1.2 * 1600)


def test_hours_beside_those_expected_on_the_same_gpus():
    known = {"policy": LLAMA_8B.hub_id, "prm": PRM_7B.hub_id}
    # Two cells side by side for an hour, and a third for half an hour after a break.
    times = [(0.0, 3600.0), (10.0, 3590.0), (7200.0, 1800.0)]
    records = [_record("dvts", 4, 1600, **known, started=start, seconds=seconds) for start, seconds in times]
    (row,) = beside(records, Machine(1, A100))
    assert row.hours == pytest.approx(1.5) and row.prm == PRM_7B.hub_id
    (load,) = loads(("Llama-3.1-8B",), (PRM_7B.name,), ("dvts",), budgets=(4,))
    assert 0 < row.expected_hours < place(load, Machine(1, A100)).hours
    assert beside(records)[0].expected_hours is None
    (single,) = beside([_record("cot", 1, 1600, **known | {"prm": ""})], Machine(1, A100))
    assert single.expected_hours > 0 and single.prm == ""


def test_scored_samples_stand_beside_their_pool_and_name_none_of_its_tokens():
    scored = _record("best_of_n", 4, 1500, pool={"key": "key", "started": 0.0, "seconds": 0.0})
    drawn, score = beside([_record("best_of_n", 4, 1500, prm=""), scored, scored])
    assert (drawn.method, drawn.policy_tokens, drawn.expected.policy) == ("best_of_n", 1500, 1600)
    assert (score.method, score.cells, score.policy_tokens, score.prm_tokens) == ("score", 2, 0, 3000)
    assert score.expected == Cost(0.0, 2 * (4 * 250 + 1.2 * 1600))


def test_estimate_of_a_long_reasoner_and_of_what_nobody_knows():
    (row,) = beside([_record("cot", 1, 5, policy=POLICIES["R1-Distill-Qwen-7B"].hub_id)])
    assert row.expected.policy == 3600
    for other in (replace(_record("cot", 1, 5), problem={"id": "mine/1"}), _record("mine", 1, 5)):
        (row,) = beside([other])
        assert row.expected is None and row.policy_tokens == 5


@pytest.mark.parametrize(("problem_id", "benchmark"), [
    ("test/precalculus/807.json", "math500"), ("2024-I-1", "aime24"), ("2024-II-15", "aime24"), ("aime24/3", "aime24"),
    ("nanomath/001", "nanomath"),
])
def test_the_benchmark_is_told_by_the_ids_of_its_copies(problem_id, benchmark):
    assert benchmark_of(problem_id) == benchmark


def test_estimate_beside_actual_from_a_store(tmp_path, capsys):
    from ttslib.records import Store

    with Store(tmp_path / "results") as store:
        store.put(_record("dvts", 4, 1600))
    assert main(["--actual", str(tmp_path / "results")]) == 0
    assert re.search(r"r\s+math500\s+dvts\s+4\s+1\s+0\s+1,600\s+1,600\s+1\.00", capsys.readouterr().out)
    assert main(["--actual", str(tmp_path / "nothing")]) == 2
    assert "holds no records" in capsys.readouterr().err and not (tmp_path / "nothing").exists()
