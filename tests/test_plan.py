"""Plans: FLOPs, memory, hardware, tokens, placement, hours, the command line, and estimate beside actual."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.flops import attention_flops, inference_flops, search_flops, token_flops, training_flops
from ttslib.plan.__main__ import main, registered
from ttslib.plan.actual import benchmark_of, beside
from ttslib.plan.assumptions import DEFAULT, Assumptions
from ttslib.plan.experiments import ALL_PRMS, LLAMA, PAPER, QWEN, R1, Run, new_runs, runs
from ttslib.plan.hardware import KNOWN, NO_GPU, Gpu, Machine, from_smi, parse_gpus
from ttslib.plan.memory import activation_bytes, can_split, engine, kv_bytes, split, weight_bytes
from ttslib.plan.notebooks import notebooks, planned
from ttslib.plan.placement import alone, generate_seconds, gpus_needed, score_seconds, together
from ttslib.plan.schedule import Cards, cost, refusals, schedule, total_hours
from ttslib.plan.tokens import Expected, expected
from ttslib.profiles import get_profile
from ttslib.records import Record


@dataclass(frozen=True)
class Card:
    """The fields of a PRM's card that a plan reads."""

    name: str
    parameters: int
    layers: int
    hidden_size: int
    kv_heads: int
    head_dim: int
    context: int = 32768


@dataclass(frozen=True)
class PolicyLike(Card):
    """And those of a policy's."""

    heads: int | None = None
    active_parameters: int | None = None
    vocabulary: int = 152_064
    max_new_tokens: int = 8192


def _policy(hub_id: str, size: int, layers: int, hidden: int, heads: int, kv: int, dim: int, **more) -> PolicyLike:
    more |= {"heads": heads, "active_parameters": size}
    return PolicyLike(hub_id.split("/")[1], size, layers, hidden, kv, dim, **more)


SHAPES = {
    LLAMA[0]: (1_235_814_400, 16, 2048, 32, 8, 64), LLAMA[1]: (3_212_749_824, 28, 3072, 24, 8, 128),
    LLAMA[2]: (8_030_261_248, 32, 4096, 32, 8, 128), QWEN[0]: (494_032_768, 24, 896, 14, 2, 64),
    QWEN[1]: (1_543_714_304, 28, 1536, 12, 2, 128), QWEN[2]: (3_085_938_688, 36, 2048, 16, 2, 128),
    QWEN[3]: (7_615_616_512, 28, 3584, 28, 4, 128), QWEN[4]: (14_770_033_664, 48, 5120, 40, 8, 128),
    QWEN[5]: (32_763_876_352, 64, 5120, 40, 8, 128), QWEN[6]: (72_706_203_648, 80, 8192, 64, 8, 128),
    "Qwen/Qwen2.5-Math-7B-Instruct": (7_615_616_512, 28, 3584, 28, 4, 128),
}  # fmt: skip
POLICIES = {hub_id: _policy(hub_id, *shape) for hub_id, shape in SHAPES.items()} | {
    R1[0]: _policy(R1[0], 1_777_088_000, 28, 1536, 12, 2, 128, max_new_tokens=32768, context=131072),
    R1[1]: _policy(R1[1], 7_615_616_512, 28, 3584, 28, 4, 128, max_new_tokens=32768, context=131072),
}
PRM_SHAPES = (
    (7_241_732_096, 32, 4096, 8), (8_030_261_248, 32, 4096, 8), (8_030_261_248, 32, 4096, 8),
    (1_543_714_304, 28, 1536, 2), (7_070_000_000, 28, 3584, 4), (7_080_000_000, 28, 3584, 4),
    (72_700_000_000, 80, 8192, 8),
)  # fmt: skip
PRMS = {
    hub_id: Card(hub_id.split("/")[1], *shape, head_dim=128, context=4096)
    for hub_id, shape in zip(ALL_PRMS, PRM_SHAPES, strict=True)
}
CARDS = Cards(POLICIES, PRMS)
LLAMA_8B, QWEN_05B, QWEN_32B, QWEN_72B = (POLICIES[name] for name in (LLAMA[2], QWEN[0], QWEN[5], QWEN[6]))
PRM_7B, PRM_72B = PRMS[ALL_PRMS[5]], PRMS[ALL_PRMS[6]]
A100 = KNOWN["A100-80GB"]


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
    pool, scored, tree = (cost([Run(LLAMA[2], ALL_PRMS[5], method, 16, "math500", 500)], CARDS).flops.policy
                          for method in ("best_of_n", "score", "dvts"))  # fmt: skip
    assert scored == 0 < pool == tree


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
    assert not list(alone(QWEN_72B, Machine(1, A100)))
    assert [seat.engine.gpus for seat in alone(QWEN_72B, Machine(8, A100))] == [2, 4, 8]
    assert gpus_needed(QWEN_72B, None, A100) == 2


@pytest.mark.parametrize(
    ("policy", "prm", "gpus"),
    [(LLAMA_8B, PRM_7B, 1), (POLICIES[QWEN[4]], PRM_7B, 1), (QWEN_32B, PRM_7B, 2), (QWEN_72B, PRM_7B, 3),
     (QWEN_32B, PRM_72B, 3), (QWEN_72B, PRM_72B, 4)],
)  # fmt: skip
def test_gpus_needed_are_those_of_the_papers_readme(policy: Card, prm: Card, gpus: int):
    assert gpus_needed(policy, prm, A100) == gpus


def test_split_stays_within_utilization_and_gives_each_its_longest_sequence():
    both = [engine(LLAMA_8B), engine(PRM_7B)]
    fit = split(both, A100)
    assert sum(fit.shares) == pytest.approx(DEFAULT.utilization)
    assert all(held >= each.context for held, each in zip(fit.tokens, both, strict=True))
    assert fit.tokens[0] - both[0].context == pytest.approx(fit.tokens[1] - both[1].context)
    assert split([engine(QWEN_72B)], A100) is None


def test_a_long_reasoner_holds_its_32768_tokens_and_a_prm_its_own_context():
    assert engine(POLICIES[R1[1]]).context == 32768
    assert engine(LLAMA_8B).context == 8192
    assert engine(PRM_72B).context == 4096


def test_activations_shrink_with_gpus_and_logits_count_for_policies_only():
    assert activation_bytes(QWEN_72B, 4) < activation_bytes(QWEN_72B, 1)
    logits = 256 * 152064 * 4 * 2
    assert activation_bytes(LLAMA_8B) - activation_bytes(PRMS[ALL_PRMS[1]]) == logits  # the same network


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


def test_expected_tokens():
    plain = Assumptions(prm_extra=1.0, prompt=100, step=50)
    assert expected("cot", 1, 400, plain).policy == 400
    assert expected("best_of_n", 16, 400, plain) == expected("pool", 16, 400, plain).__class__(6400, 16 * 500)
    assert expected("pool", 16, 400, plain).prm == 0 and expected("score", 16, 400, plain).policy == 0
    assert expected("beam_search", 16, 400, plain) == expected("dvts", 16, 400, plain)
    assert expected("beam_search", 16, 400, plain).policy == 6400
    assert expected("beam_search", 16, 400, plain).prm == 6400 + 100
    # Without reuse: 8 depths, each the prompt and t steps of 50 for 16 candidates.
    again = expected("dvts", 16, 400, replace(plain, prm_reuse=False)).prm
    assert again == sum(16 * (100 + 50 * depth) for depth in range(1, 9))
    assert expected("dvts", 16, 400, plain, scored=False).prm == 0
    with pytest.raises(ValueError, match="No token estimate for 'mcts'"):
        expected("mcts", 4, 400)


def test_the_pool_costs_what_table_4_counts():
    one = Run(LLAMA[1], None, "pool", 256, "math500", 500)
    found = cost([one], CARDS)
    assert found.cells == 500 and found.policy_tokens / 500 == 102_400
    assert 3.07e17 < found.flops.policy < 1.2 * 3.07e17 * 3.21 / 3  # 3.21e9 parameters, and attention


def test_the_grid_of_figures_10_and_11():
    every = runs(next(each for each in PAPER if each.name == "fig10_fig11"))
    # 10 policies x 2 benchmarks x (1 pool + 7 PRMs x (1 scored pool + 2 searches x 4 budgets))
    assert len(every) == 10 * 2 * (1 + 7 * 9)
    assert {run.policy for run in every} == {*LLAMA, *QWEN} and {run.prm for run in every} == {*ALL_PRMS, None}


def test_no_run_is_planned_twice():
    found = new_runs(PAPER)
    new = [run for _, _, part in found for run in part]
    assert len(new) == len(set(new)) == len({run for _, every, _ in found for run in every})
    by_name = {each.name: (every, part) for each, every, part in found}
    assert by_name["fig6"][0] and not by_name["fig6"][1]
    assert not by_name["table2"][1] and not by_name["table4"][0]
    assert any(run.n == 512 for run in by_name["small_vs_large"][1])


def test_a_model_without_a_card_is_named():
    with pytest.raises(ValueError, match="someone/else is in no registry"):
        cost([Run("someone/else", None, "cot", 1, "math500", 500)], CARDS)


# -- placement and hours ---------------------------------------------------------------------------


def test_ways_to_place_a_pair():
    ways = {str(place) for place in together(QWEN_72B, PRM_72B, Machine(8, A100))}
    assert {"tp2 + pp2", "tp4 + pp4", "tp8, shared"} <= ways
    assert all(place.gpus <= 8 for place in together(QWEN_72B, PRM_72B, Machine(8, A100)))
    assert [str(place) for place in together(LLAMA_8B, PRM_7B, Machine(1, A100))] == ["1 GPU, shared"]


def test_a_prm_is_spread_by_layers_whatever_its_heads():
    assert can_split(PRM_7B, 8) and not can_split(PRM_7B, 29)  # 28 heads, 28 layers


def test_gpus_that_share_a_prm_hold_more_and_are_no_faster():
    one, *_, eight = alone(PRM_7B, Machine(8, A100))
    assert (one.engine.gpus, eight.engine.gpus) == (1, 8) and eight.held > 8 * one.held
    assert score_seconds(eight, A100, 1e6, 500) == pytest.approx(score_seconds(one, A100, 1e6, 500))


def test_generation_is_bound_by_memory_for_one_sequence():
    (seat,) = alone(LLAMA_8B, Machine(1, A100))
    one = generate_seconds(seat, A100, 1, 400)
    read = weight_bytes(LLAMA_8B) / (A100.bandwidth * DEFAULT.decode_bandwidth)
    assert one == pytest.approx(400 * (read + DEFAULT.step_seconds), rel=0.01)
    many = generate_seconds(seat, A100, 256, 400)
    assert one < many < 4 * one  # batching is what makes Best-of-N affordable
    assert 256 * 400 / many > 3000  # tokens per second
    assert generate_seconds(seat, A100, 0, 400) == 0


def _total(machine: Machine, only: list[Run]) -> float:
    return total_hours(schedule([(PAPER[0], only, only)], CARDS, machine))


GRID = runs(next(each for each in PAPER if each.name == "fig10_fig11"))
TIMED = st.lists(st.sampled_from(GRID), min_size=1, max_size=6, unique=True)


@settings(deadline=None, max_examples=60)
@given(TIMED, st.sampled_from(sorted(KNOWN)), st.integers(1, 15), st.integers(1, 8))
def test_more_gpus_never_take_more_hours(only: list[Run], name: str, few: int, more: int):
    gpu = KNOWN[name]
    small, large = (schedule([(PAPER[0], only, only)], CARDS, Machine(n, gpu))[0] for n in (few, few + more))
    for before, after in zip(small.phases, large.phases, strict=True):
        if before.hours is not None:
            assert after.hours is not None and after.hours <= before.hours * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(TIMED, st.integers(1, 8), st.floats(1, 4), st.floats(1, 4), st.floats(1, 4))
def test_a_better_gpu_never_takes_more_hours(only: list[Run], count: int, memory: float, speed: float, flops: float):
    better = Gpu("better", A100.memory * memory, A100.bandwidth * speed, A100.flops * flops)
    small, large = (schedule([(PAPER[0], only, only)], CARDS, Machine(count, gpu))[0] for gpu in (A100, better))
    for before, after in zip(small.phases, large.phases, strict=True):
        if before.hours is not None:
            assert after.hours is not None and after.hours <= before.hours * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(("beam_search", "dvts", "score")), st.integers(1, 200), st.integers(1, 200))
def test_a_larger_budget_never_costs_less(method: str, n: int, more: int):
    small, large = expected(method, n, 400), expected(method, n + more, 400)
    assert small.policy <= large.policy and small.prm < large.prm


def test_best_of_n_samples_then_frees_then_scores():
    only = [Run(QWEN[5], None, "pool", 256, "math500", 500), Run(QWEN[5], ALL_PRMS[5], "score", 256, "math500", 500)]
    sample, score = schedule([(PAPER[0], only, only)], CARDS, Machine(1, A100))[0].phases
    assert (sample.kind, score.kind) == ("sample", "score")
    assert sample.placement.prm is None and score.placement.policy is None  # never both in memory
    assert str(sample.placement) == str(score.placement) == "1 GPU"
    search = [Run(QWEN[5], ALL_PRMS[5], "dvts", 4, "math500", 500)]
    assert schedule([(PAPER[0], search, search)], CARDS, Machine(1, A100))[0].hours is None


def test_hours_are_of_the_right_size():
    """Llama-3.1-8B, 256 samples of 400 tokens on MATH-500: 51 million tokens, at some thousands a second."""
    hours = _total(Machine(1, A100), [Run(LLAMA[2], None, "pool", 256, "math500", 500)])
    assert 1 < hours < 5
    assert _total(Machine(8, A100), [Run(LLAMA[2], None, "pool", 256, "math500", 500)]) < hours / 5


# -- refusals --------------------------------------------------------------------------------------


def test_what_cannot_fit_is_refused_in_one_sentence_per_pair():
    only = [run for run in GRID if run.policy in (LLAMA[2], QWEN[6]) and run.prm in (None, ALL_PRMS[5], ALL_PRMS[6])]
    planned = schedule([(PAPER[0], only, only)], CARDS, Machine(1, A100))
    sentences = refusals(planned, CARDS, Machine(1, A100))
    starts = {sentence.split(" does not fit ")[0] for sentence in sentences}
    assert len(sentences) == len(starts) and starts == {
        "Qwen2.5-72B-Instruct", "Qwen2.5-Math-PRM-72B", "Llama-3.1-8B-Instruct with Qwen2.5-Math-PRM-72B",
        "Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-7B", "Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-72B",
    }  # fmt: skip
    pair = next(each for each in sentences if each.startswith("Qwen2.5-72B-Instruct with Qwen2.5-Math-PRM-72B"))
    assert "1xA100-80GB" in pair and "290.8 GB of weights" in pair and "it takes 4 of them" in pair
    assert all(sentence.count(".") >= 1 and "\n" not in sentence for sentence in sentences)
    assert not refusals(schedule([(PAPER[0], only, only)], CARDS, Machine(8, A100)), CARDS, Machine(8, A100))


# -- the command line ------------------------------------------------------------------------------


def test_eight_gpus_run_everything(capsys):
    assert main(["--profile", "paper", "--gpus", "8xA100-80GB"], CARDS) == 0
    out, err = capsys.readouterr()
    assert not err and "8xA100-80GB: 79.1 GiB" in out and "fig10_fig11" in out and "does not fit" not in out
    assert re.search(r"Total: [\d,]+ hours", out) and re.search(r"Disk: \d+ GB of weights \(20 models", out)


def test_one_gpu_plans_what_fits_and_refuses_the_rest(capsys):
    assert main(["--profile", "paper", "--gpus", "1xA100-80GB"], CARDS) == 2
    out, err = capsys.readouterr()
    assert "1 GPU, shared" in out and "does not fit" in out
    lines = err.splitlines()
    assert all(line.startswith("error: ") and " does not fit 1xA100-80GB for " in line for line in lines)
    # 72B and the 72B PRM alone; 10 policies with that PRM; 32B and 72B with six others, 32B with the 1.5B PRM fits.
    assert len(lines) == len(set(lines)) == 2 + 10 + 2 * 6 - 1


def test_no_gpu_still_says_what_there_is_to_do(capsys):
    assert main(["--profile", "paper", "--gpus", "none"], CARDS) == 2
    out, err = capsys.readouterr()
    assert "without GPU" in out and "fig4_fig5" in out and "Disk:" in out and "Total:" not in out
    # Beside the paper's own counts: 1 of 80 GB for 8B with 7B, 4 for 72B with 72B.
    needs = {tuple(line.split()[:2]): line.split()[3:] for line in out.splitlines() if "PRM-" in line}
    assert needs["Llama-3.1-8B-Instruct", "Qwen2.5-Math-PRM-7B"][1] == "1"
    assert needs["Qwen2.5-72B-Instruct", "Qwen2.5-Math-PRM-72B"][1] == "4"
    assert err.count("\n") == 1 and "GPUS=8xA100-80GB" in err


def test_the_notebooks_come_first_with_the_pair_that_they_run(capsys):
    main(["--profile", "paper", "--gpus", "1xA100-80GB"], CARDS)
    out, _ = capsys.readouterr()
    assert out.index("01_tts_methods") < out.index("The notebooks run Llama-3.2-3B-Instruct with") < out.index("fig4_")
    main(["--profile", "paper", "--gpus", "1xA100-80GB", "--experiments", "table4,fig4_fig5"], CARDS)
    assert "01_tts_methods" not in capsys.readouterr().out


def test_a_notebook_costs_what_its_cells_cost_on_one_copy():
    profile = get_profile("paper")
    one, eight = (planned(profile, CARDS, Machine(count, A100)) for count in (1, 8))
    names = [each.experiment.name for each in one]
    assert names == ["00_quickstart", "01_tts_methods"]
    # 440 more greedy solutions, one pool of 256, two methods at four budgets; 500 problems of 400 tokens.
    searched = 500 * 400 * (256 + 2 * (4 + 16 + 64 + 256))
    assert one[1].cost.policy_tokens == pytest.approx(searched + 440 * 400 + 3 * 8 * 400)
    assert not one[0].phases[0].placement.apart and eight[0].phases[0].placement.apart
    assert eight[0].phases[0].placement.gpus == 2 and 0 < eight[1].hours < one[1].hours
    assert planned(profile, CARDS, NO_GPU)[1].hours is None


def test_the_notebooks_may_be_planned_with_other_models_and_data(capsys):
    paper = ["--profile", "paper", "--gpus", "1xA100-80GB"]
    main([*paper, "--policy", QWEN[3], "--dataset", "aime24"], CARDS)
    out, _ = capsys.readouterr()
    assert "The notebooks run Qwen2.5-7B-Instruct with Qwen2.5-Math-PRM-7B; one copy on 1 GPU, shared" in out
    # 30 greedy solutions in 00; in 01 the pool, two methods at four budgets, and three trees.
    cells = {line.split()[0]: line for line in out.splitlines() if line.startswith("0")}
    assert " 33 " in cells["00_quickstart"] and f" {30 * 9 + 3} " in cells["01_tts_methods"]
    assert "02_nano_zoo runs nano models at every profile: 1,000 cells" in out
    for wrong, says in ((["--prm", "someone/else"], "in no registry"), (["--dataset", "amc23"], "is not assumed")):
        assert main([*paper, *wrong], CARDS) == 2
        assert says in capsys.readouterr().err


def test_what_is_left_out_of_the_hours_is_said(capsys):
    main(["--profile", "paper", "--gpus", "1xA100-80GB"], CARDS)
    out, _ = capsys.readouterr()
    assert "*: without the runs that do not fit" in out and re.search(r"total .*\*", out)
    main(["--profile", "paper", "--gpus", "8xA100-80GB"], CARDS)
    assert "*" not in capsys.readouterr().out


def test_a_part_of_the_paper_fits_one_gpu(capsys):
    options = ["--experiments", "fig4_fig5,table4", "--policies", "Llama-3.1-8B", "--prms", "Skywork,shepherd"]
    assert main(["--profile", "paper", "--gpus", "1xH100-80GB", *options], CARDS) == 0
    out, _ = capsys.readouterr()
    assert "fig10_fig11" not in out and "72B" not in out and "Llama-3.1-8B-Instruct" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--gpus", "2xV100-32GB"], "is not known"), (["--experiments", "fig99"], "No experiment is called 'fig99'"),
     (["--policies", "gpt"], "Nothing is left to plan")],
)  # fmt: skip
def test_arguments_without_sense_end_with_a_sentence(options: list[str], says: str, capsys):
    assert main(["--profile", "paper", "--gpus", "1xA100-80GB", *options], CARDS) == 2
    out, err = capsys.readouterr()
    assert not out and says in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["smoke", "nano", "full"])
def test_nano_profiles_give_minutes(name: str, capsys):
    assert main(["--profile", name]) == 0
    assert re.search(r"total\s+[\d.]+ - [\d.]+", capsys.readouterr().out)


def test_nano_cells_are_those_of_the_notebooks():
    """figures/01_tts_methods: 600 cells with a picture's provenance, of which 60 greedy ones come from notebook 00."""
    found = notebooks(get_profile("nano"))
    figure = [run for run in found["01_tts_methods"] if run.problems > 1]
    assert sum(run.problems for run in figure) == 600 - 60
    assert sum(run.problems for run in found["00_quickstart"]) == 63


def test_unknown_profile(capsys):
    assert main(["--profile", "huge"]) == 2
    assert "Unknown profile 'huge'" in capsys.readouterr().err


# -- estimate beside actual ------------------------------------------------------------------------


def _record(method: str, n: int, tokens: int, *, prm: bool = True, failed: bool = False, policy: str = "p") -> Record:
    cell = {"method": method, "policy": {"name": policy}, "prm": {"name": "r"} if prm else None}
    usage = {"policy_usage": {"tokens": tokens}, "prm_usage": {"tokens": tokens if prm else 0}}
    return Record("key", cell, {"id": "math500/1"}, n, 1, 1, n, **usage, error={"type": "E"} if failed else None)


def test_estimate_beside_actual():
    records = [_record("dvts", 4, 1600), _record("dvts", 4, 1000), _record("dvts", 4, 9, failed=True),
               _record("best_of_n", 2, 700, prm=False)]  # fmt: skip
    bon, tree = beside(records)
    assert (bon.method, bon.policy_tokens, bon.expected.policy, bon.expected.prm) == ("best_of_n", 700, 800, 0)
    assert (tree.cells, tree.failed, tree.policy_tokens, tree.expected.policy) == (3, 1, 2600, 2 * 1600)
    assert tree.prm_tokens == 2600 and tree.expected.prm == 2 * (250 + 1.2 * 1600)


def test_hours_beside_those_expected_on_the_same_gpus():
    cell = {"method": "dvts", "policy": {"name": LLAMA[0]}, "prm": {"name": ALL_PRMS[5]}}
    blank = _record("dvts", 4, 1600)
    # Two cells side by side for an hour, and a third for half an hour after a break.
    times = [(0.0, 3600.0), (10.0, 3590.0), (7200.0, 1800.0)]
    records = [replace(blank, cell=cell, started=start, seconds=seconds) for start, seconds in times]
    (row,) = beside(records, CARDS, Machine(1, A100))
    assert row.hours == pytest.approx(1.5) and row.prm == ALL_PRMS[5]
    run = Run(LLAMA[0], ALL_PRMS[5], "dvts", 4, "math500", 3)
    whole = _total(Machine(1, A100), [run])
    assert 0 < row.expected_hours < whole  # which starts the engines too
    assert beside(records, CARDS)[0].expected_hours is None
    (single,) = beside([replace(blank, cell=cell | {"method": "cot", "prm": None})], CARDS, Machine(1, A100))
    assert single.expected_hours > 0 and single.prm == ""


def test_scored_pools_stand_beside_their_pool_and_name_none_of_its_tokens():
    pool = _record("best_of_n", 4, 1500, prm=False)
    scored = replace(_record("best_of_n", 4, 1500), pool={"key": "key", "started": 0.0, "seconds": 0.0})
    drawn, score = beside([pool, scored, scored])
    assert (drawn.method, drawn.policy_tokens, drawn.expected.policy) == ("best_of_n", 1500, 1600)
    assert (score.method, score.cells, score.policy_tokens, score.prm_tokens) == ("score", 2, 0, 3000)
    assert score.expected == Expected(0.0, 2 * (4 * 250 + 1.2 * 1600))


def test_records_of_scored_pools_repeat_the_samples():
    pool, *scored = (Run(LLAMA[1], prm, "score" if prm else "pool", 256, "math500", 500) for prm in (None, *ALL_PRMS))
    found = cost([pool, *scored], CARDS)
    assert found.policy_tokens == 500 * 102_400 and found.stored_tokens == 8 * found.policy_tokens


def test_estimate_of_a_long_reasoner_and_of_an_unknown_benchmark():
    (row,) = beside([_record("cot", 1, 5, policy=R1[0])], CARDS)
    assert row.expected.policy == 3600
    (other,) = beside([replace(_record("cot", 1, 5), problem={"id": "mine/1"})])
    assert other.expected is None and other.policy_tokens == 5


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
    assert main(["--actual", str(tmp_path / "results")], CARDS) == 0
    assert re.search(r"r\s+math500\s+dvts\s+4\s+1\s+0\s+1,600\s+1,600\s+1\.00", capsys.readouterr().out)
    assert main(["--actual", str(tmp_path / "nothing")], CARDS) == 2
    assert "holds no records" in capsys.readouterr().err and not (tmp_path / "nothing").exists()


def test_the_registries_know_every_model_of_the_plan():
    cards = registered()
    every = {run for each in PAPER for run in runs(each)}
    assert {run.policy for run in every} <= set(cards.policies)
    assert {run.prm for run in every if run.prm} == set(cards.prms)
    for known, real in ((POLICIES, cards.policies), (PRMS, cards.prms)):
        for hub_id, card in known.items():
            assert weight_bytes(card) == pytest.approx(weight_bytes(real[hub_id]), rel=0.02), hub_id
            assert kv_bytes(card) == kv_bytes(real[hub_id]), hub_id
            assert [can_split(card, n) for n in (2, 4, 8)] == [can_split(real[hub_id], n) for n in (2, 4, 8)], hub_id
    assert kv_bytes(cards.policies[LLAMA[2]]) == 131_072


@pytest.mark.parametrize(("gpus", "status"), [("1xA100-80GB", 2), ("8xA100-80GB", 0), ("none", 2)])
def test_the_command_line_on_the_real_registries(gpus: str, status: int, capsys):
    assert main(["--profile", "paper", "--gpus", gpus]) == status
    out, err = capsys.readouterr()
    assert "fig10_fig11" in out and bool(err) == bool(status)
