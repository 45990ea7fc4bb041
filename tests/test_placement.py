"""Where a run loads its models: the paper's on GPUs, as the plan places them (none is needed), any other as it says.

Run: python -m pytest tests/test_placement.py
"""

from __future__ import annotations

import pytest

from ttslib.executors import placement
from ttslib.executors.hardware import NO_GPU, parse_gpus
from ttslib.executors.placement import check_gpu, options_for, place, placed
from ttslib.paper.roles import POLICIES, PRMS
from ttslib.policies import load_policy
from ttslib.prms import load_prm
from ttslib.profiles import get_profile
from ttslib.runs import ModelSpec

ONE, TWO, THREE = (parse_gpus(f"{count}xA100-80GB") for count in (1, 2, 3))
LLAMA_1B, LLAMA_8B, QWEN_05B, QWEN_32B, QWEN_72B, R1_7B = (
    POLICIES[role]
    for role in ("Llama-3.2-1B", "Llama-3.1-8B", "Qwen2.5-0.5B", "Qwen2.5-32B", "Qwen2.5-72B", "R1-Distill-Qwen-7B")
)
RLHFLOW, PRM_7B, PRM_72B = (
    PRMS[role] for role in ("RLHFlow-PRM-Mistral-8B", "Qwen2.5-Math-PRM-7B", "Qwen2.5-Math-PRM-72B")
)


def spec(card, **options) -> ModelSpec:
    return ModelSpec(card.hub_id, options)


@pytest.fixture
def gpus(monkeypatch):
    """Makes torch see a machine's GPUs."""
    return lambda machine: monkeypatch.setattr(placement, "gpus_visible", lambda: machine)


def test_one_gpu_is_shared():
    policy, prm = options_for(LLAMA_1B, PRM_7B, ONE)
    assert policy["tensor_parallel_size"] == 1 and prm["device"] == ["cuda:0"]
    planned, scorer = place([LLAMA_1B, PRM_7B], ONE)
    assert 0 < planned.share - policy["gpu_memory_utilization"] < 0.01
    assert 0 < prm["cache_tokens"] < scorer.kv_tokens


def test_the_prm_gets_a_gpu_of_its_own_where_there_is_one():
    for policy in (LLAMA_1B, QWEN_32B):
        for_policy, for_prm = options_for(policy, PRM_7B, TWO)
        assert for_policy["tensor_parallel_size"] == 1 and for_prm["device"] == ["cuda:1"]
        assert for_policy["gpu_memory_utilization"] == pytest.approx(0.9, abs=0.01)
    for_policy, for_prm = options_for(QWEN_72B, PRM_7B, THREE)  # the paper's count for 72B with a PRM of 7B
    assert for_policy["tensor_parallel_size"] == 2 and for_prm["device"] == ["cuda:2"]


def test_a_prm_too_large_for_one_gpu_gets_several():
    for_policy, for_prm = options_for(LLAMA_1B, PRM_72B, THREE)
    assert for_policy["tensor_parallel_size"] == 1 and for_prm["device"] == ["cuda:1", "cuda:2"]
    assert for_prm["cache_tokens"] > 0
    for_policy, for_prm = options_for(QWEN_72B, PRM_72B, parse_gpus("4xA100-80GB"))  # the paper's count
    assert for_policy["tensor_parallel_size"] == 2 and for_prm["device"] == ["cuda:2", "cuda:3"]


@pytest.mark.parametrize(("policy", "machine", "context"), [(LLAMA_8B, ONE, 8192), (R1_7B, TWO, 32768)])
def test_every_prm_scores_the_same_samples(policy, machine, context):
    # The policy's settings are part of the address of its samples.
    assert {options_for(policy, prm, machine)[0]["max_model_len"] for prm in (PRM_7B, RLHFLOW)} == {context}


@pytest.mark.parametrize("policy", [LLAMA_1B, QWEN_05B])
def test_a_small_share_still_holds_the_policy(policy):
    share = options_for(policy, PRM_72B, TWO)[0]["gpu_memory_utilization"]
    assert share * TWO.memory > 2 * policy.parameters / 2  # bf16, on two GPUs


@pytest.mark.parametrize(
    ("policy", "prm", "machine"),
    [(QWEN_72B, PRM_7B, TWO), (LLAMA_1B, PRM_72B, ONE), (LLAMA_8B, RLHFLOW, parse_gpus("RTX4090-24GB"))],
)
def test_what_does_not_fit_is_one_sentence(policy, prm, machine):
    with pytest.raises(ValueError, match=f"does not fit {machine}") as raised:
        options_for(policy, prm, machine)
    assert "\n" not in str(raised.value)


def test_a_missing_gpu_is_said_before_anything_is_loaded(gpus):
    gpus(NO_GPU)
    with pytest.raises(ValueError, match="Profile paper runs meta-llama/.* needs a GPU") as raised:
        check_gpu(get_profile("paper"))
    assert "\n" not in str(raised.value)
    check_gpu(get_profile("nano"))


def test_a_lead_pair_that_does_not_fit_is_said_before_anything_is_loaded(gpus):
    gpus(ONE)
    check_gpu(get_profile("paper"))
    check_gpu(get_profile("paper", prm="/a/folder"))
    with pytest.raises(ValueError, match="does not fit 1xA100-80GB"):
        check_gpu(get_profile("paper", policy=QWEN_72B.hub_id))


@pytest.mark.parametrize(
    ("policy", "prm", "both"),
    [(spec(LLAMA_1B), spec(PRM_7B), True), (spec(LLAMA_1B), ModelSpec("nano-prm-qwen-m"), False),
     (ModelSpec("/a/folder", {"prompt": "r1"}), spec(PRM_7B), False), (ModelSpec("nano-qwen-3m"), None, False)],
)  # fmt: skip
def test_only_the_papers_models_are_placed_and_only_where_there_are_gpus(policy, prm, both, gpus):
    own = dict(policy.options), dict(prm.options) if prm else {}
    gpus(NO_GPU)
    assert placed(policy, prm) == own
    gpus(ONE)
    for_policy, for_prm = placed(policy, prm)
    assert ("max_num_batched_tokens" in for_policy, "device" in for_prm) == (both, both)
    assert both or (for_policy, for_prm) == own


def test_a_model_alone_has_the_fewest_gpus_that_hold_it_to_itself(gpus):
    gpus(parse_gpus("8xA100-80GB"))
    for_policy, none = placed(spec(QWEN_72B), None)
    assert (for_policy["tensor_parallel_size"], none) == (2, {})
    assert for_policy["gpu_memory_utilization"] == pytest.approx(0.9, abs=0.01)
    none, for_prm = placed(None, spec(PRM_72B))
    assert (none, for_prm["device"]) == ({}, ["cuda:0", "cuda:1"])
    gpus(ONE)
    with pytest.raises(ValueError, match="Qwen2.5-72B-Instruct, 145.4 GB of weights, does not fit 1xA100-80GB"):
        placed(spec(QWEN_72B), None)


def test_two_vllm_engines_share_the_first_gpu():
    policy, prm = options_for(LLAMA_1B, RLHFLOW, TWO, "vllm")
    assert policy["tensor_parallel_size"] == prm["tensor_parallel_size"] == 1 and prm["backend"] == "vllm"
    assert prm["max_model_len"] == 8192 and "device" not in prm  # what the plan keeps room for
    assert policy["gpu_memory_utilization"] + prm["gpu_memory_utilization"] == pytest.approx(0.9, abs=1e-3)
    with pytest.raises(ValueError, match="does not fit the one GPU that vLLM engines of a process share"):
        options_for(QWEN_32B, RLHFLOW, TWO, "vllm")
    with pytest.raises(ValueError, match="'two_class', which vLLM does not score"):
        options_for(LLAMA_1B, PRM_7B, TWO, "vllm")


def test_own_options_come_before_the_placement(gpus):
    gpus(TWO)
    policy, prm = placed(spec(LLAMA_1B, gpu_memory_utilization=0.5), spec(PRM_7B, device="cuda:0"))
    assert policy["gpu_memory_utilization"] == 0.5 and policy["tensor_parallel_size"] == 1
    assert prm["device"] == "cuda:0" and prm["cache_tokens"] > 0
    assert placed(spec(LLAMA_1B, max_model_len=4096), None)[0]["max_model_len"] == 4096


@pytest.mark.parametrize("backend", ["transformers", "http://127.0.0.1:8000/v1"])
def test_a_policy_of_another_backend_is_not_placed(backend, gpus):
    gpus(TWO)
    policy, prm = placed(spec(LLAMA_1B, backend=backend), spec(PRM_7B))
    assert policy == {"backend": backend} and prm["device"] == ["cuda:1"]
    assert placed(spec(LLAMA_1B, backend=backend), None)[0] == {"backend": backend}


def test_a_prm_told_to_run_in_vllm_is_placed_there(gpus):
    gpus(TWO)
    for policy in (spec(LLAMA_1B), None):
        prm = placed(policy, spec(RLHFLOW, backend="vllm"))[1]
        assert prm["backend"] == "vllm" and prm["gpu_memory_utilization"] > 0 and "device" not in prm


def test_nano_models_are_of_float32_also_on_a_gpu(monkeypatch):
    """In bf16 the score of an undecided step can move by more than 0.01."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("ttslib.policies.check_memory", lambda name, size, dtype, options: pytest.fail(dtype))
    monkeypatch.setattr("ttslib.checkpoint.check_memory", lambda name, size, dtype, *devices: pytest.fail(str(dtype)))
    with pytest.raises(pytest.fail.Exception, match="^float32$"):
        load_policy("nano-llama-0.1m", backend="transformers")
    with pytest.raises(pytest.fail.Exception, match="^torch.float32$"):
        load_prm("nano-prm-shepherd")
