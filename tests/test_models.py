"""A profile's models: what it names, what one may put in its place, and where they are put on GPUs (none is needed).

Run: python -m pytest tests/test_models.py
"""

from __future__ import annotations

import pytest
from ttslib.models import load_models, options_for

from ttslib import models
from ttslib.plan.assumptions import DEFAULT
from ttslib.plan.experiments import ALL_PRMS, LLAMA, QWEN, R1
from ttslib.plan.hardware import NO_GPU, parse_gpus
from ttslib.plan.placement import best
from ttslib.policies import PAPER_POLICIES, load_policy
from ttslib.prms import PAPER_PRMS, load_prm
from ttslib.profiles import PROFILES, get_profile

ONE, TWO, THREE = (parse_gpus(f"{count}xA100-80GB") for count in (1, 2, 3))
RLHFLOW, QWEN_7B, QWEN_72B = ALL_PRMS[1], ALL_PRMS[5], ALL_PRMS[6]


def options(policy: str, prm: str, machine):
    return options_for(PAPER_POLICIES[policy], PAPER_PRMS[prm], machine)


def test_a_profile_names_its_models_and_takes_others():
    paper, nano = get_profile("paper"), get_profile("nano")
    assert paper.policy in PAPER_POLICIES and paper.prm in PAPER_PRMS and paper.gpu
    assert (paper.dataset, paper.benchmark, paper.budgets, paper.pool) == ("math500", "MATH-500", (4, 16, 64, 256), 256)
    assert not any(profile.gpu for name, profile in PROFILES.items() if name != "paper")
    assert (nano.policy, nano.prm, nano.benchmark) == ("nano-llama-0.4m", "nano-prm-qwen-m", "NanoMATH")
    assert get_profile("nano", policy="", prm=None, dataset=None) == nano
    other = get_profile("nano", policy="nano-qwen-3m", dataset="/a/mine.jsonl")
    assert (other.policy, other.prm, other.benchmark, other.pool) == ("nano-qwen-3m", nano.prm, "mine", nano.pool)


def test_one_gpu_is_shared():
    policy, prm = options(LLAMA[0], QWEN_7B, ONE)
    assert policy["tensor_parallel_size"] == 1 and prm["device"] == ["cuda:0"]
    place = best(PAPER_POLICIES[LLAMA[0]], PAPER_PRMS[QWEN_7B], ONE)
    assert 0 < place.policy.share - policy["gpu_memory_utilization"] < 0.01
    assert place.policy.share + place.prm.share == pytest.approx(0.9)
    assert 0 < prm["cache_tokens"] < place.prm.held


def test_the_prm_gets_a_gpu_of_its_own_where_there_is_one():
    for policy in (LLAMA[0], QWEN[5]):
        for_policy, for_prm = options(policy, QWEN_7B, TWO)
        assert for_policy["tensor_parallel_size"] == 1 and for_prm["device"] == ["cuda:1"]
        assert for_policy["gpu_memory_utilization"] == pytest.approx(0.9, abs=0.01)
    for_policy, for_prm = options(QWEN[6], QWEN_7B, THREE)  # the paper's count for 72B with a PRM of 7B
    assert for_policy["tensor_parallel_size"] == 2 and for_prm["device"] == ["cuda:2"]


def test_a_prm_too_large_for_one_gpu_gets_several():
    for_policy, for_prm = options(LLAMA[0], QWEN_72B, THREE)
    assert for_policy["tensor_parallel_size"] == 1 and for_prm["device"] == ["cuda:1", "cuda:2"]
    assert for_prm["cache_tokens"] > 0
    for_policy, for_prm = options(QWEN[6], QWEN_72B, parse_gpus("4xA100-80GB"))  # the paper's count
    assert for_policy["tensor_parallel_size"] == 2 and for_prm["device"] == ["cuda:2", "cuda:3"]


@pytest.mark.parametrize(("policy", "machine", "context"), [(LLAMA[2], ONE, 8192), (R1[1], TWO, 32768)])
def test_every_prm_scores_the_same_samples(policy, machine, context):
    # The policy's settings are part of the address of its samples.
    assert {options(policy, prm, machine)[0]["max_model_len"] for prm in (QWEN_7B, RLHFLOW)} == {context}


def test_engines_batch_as_the_plan_assumes():
    policy, prm = options(LLAMA[0], QWEN_7B, ONE)
    assert policy["max_num_batched_tokens"] == prm["batch_tokens"] == DEFAULT.batched_tokens


@pytest.mark.parametrize("policy", [LLAMA[0], QWEN[0]])
def test_a_small_share_still_holds_the_policy(policy):
    place = best(PAPER_POLICIES[policy], PAPER_PRMS[QWEN_72B], parse_gpus("2xA100-80GB"))
    if place is not None:
        needed = place.policy.engine.weights + place.policy.engine.activations
        assert options(policy, QWEN_72B, parse_gpus("2xA100-80GB"))[0]["gpu_memory_utilization"] * 80e9 > needed


@pytest.mark.parametrize(
    ("policy", "prm", "machine"),
    [(QWEN[6], QWEN_7B, TWO), (LLAMA[0], QWEN_72B, ONE), (LLAMA[2], RLHFLOW, parse_gpus("RTX4090-24GB"))],
)
def test_what_does_not_fit_is_one_sentence(policy, prm, machine):
    with pytest.raises(ValueError, match=f"does not fit {machine}") as raised:
        options(policy, prm, machine)
    assert "\n" not in str(raised.value)


def test_a_missing_gpu_is_said_before_anything_is_loaded(monkeypatch):
    monkeypatch.setattr(models, "gpus_visible", lambda: NO_GPU)
    monkeypatch.setattr(models, "load_policy", lambda *_, **__: pytest.fail("a policy was loaded"))
    with pytest.raises(ValueError, match="Profile paper runs meta-llama/.* needs a GPU") as raised:
        load_models(get_profile("paper"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("profile", "placed"),
    [(get_profile("nano"), False), (get_profile("paper"), True), (get_profile("paper", prm="/a/folder"), False)],
)
def test_only_the_papers_models_are_placed(profile, placed, monkeypatch):
    asked = []
    monkeypatch.setattr(models, "gpus_visible", lambda: ONE)
    for loader in ("load_policy", "load_prm"):
        monkeypatch.setattr(models, loader, lambda name, **options: asked.append((name, options)))
    load_models(profile)
    assert [name for name, _ in asked] == [profile.policy, profile.prm]
    assert all(("max_num_batched_tokens" in options or "device" in options) == placed for _, options in asked)


def test_two_vllm_engines_share_the_first_gpu():
    policy, prm = options_for(PAPER_POLICIES[LLAMA[0]], PAPER_PRMS[RLHFLOW], TWO, "vllm")
    assert policy["tensor_parallel_size"] == prm["tensor_parallel_size"] == 1 and prm["backend"] == "vllm"
    assert prm["max_model_len"] == 8192 and "device" not in prm  # what the plan keeps room for
    assert policy["gpu_memory_utilization"] + prm["gpu_memory_utilization"] == pytest.approx(0.9, abs=1e-3)
    with pytest.raises(ValueError, match="does not fit the one GPU that two vLLM engines of a process share"):
        options_for(PAPER_POLICIES[QWEN[5]], PAPER_PRMS[RLHFLOW], TWO, "vllm")
    with pytest.raises(ValueError, match="'two_class', which vLLM does not score"):
        options_for(PAPER_POLICIES[LLAMA[0]], PAPER_PRMS[QWEN_7B], TWO, "vllm")


def test_own_options_come_before_the_placement(monkeypatch):
    asked = []
    monkeypatch.setattr(models, "gpus_visible", lambda: TWO)
    for loader in ("load_policy", "load_prm"):
        monkeypatch.setattr(models, loader, lambda name, **options: asked.append(options))
    load_models(get_profile("paper"), policy_options={"gpu_memory_utilization": 0.5}, prm_options={"device": "cuda:0"})
    policy, prm = asked
    assert policy["gpu_memory_utilization"] == 0.5 and policy["tensor_parallel_size"] == 1
    assert prm["device"] == "cuda:0" and prm["cache_tokens"] > 0


def test_the_options_of_a_cast_are_used_and_ones_own_come_before_them(monkeypatch):
    asked = []
    for loader in ("load_policy", "load_prm"):
        monkeypatch.setattr(models, loader, lambda name, **options: asked.append((name, options)))
    mine = get_profile("nano", policy={"Llama-3.2-3B": {"model": "a/b", "prompt": "r1", "revision": "x"}})
    load_models(mine, policy_options={"revision": "y"})
    assert asked[0] == ("a/b", {"prompt": "r1", "revision": "y"})


@pytest.mark.parametrize("backend", ["transformers", "http://127.0.0.1:8000/v1"])
def test_a_policy_of_another_backend_is_not_placed(backend, monkeypatch):
    asked = []
    monkeypatch.setattr(models, "gpus_visible", lambda: TWO)
    for loader in ("load_policy", "load_prm"):
        monkeypatch.setattr(models, loader, lambda name, **options: asked.append(options))
    load_models(get_profile("paper"), policy_options={"backend": backend})
    assert asked[0] == {"backend": backend} and asked[1]["device"] == ["cuda:1"]


def test_a_prm_told_to_run_in_vllm_is_placed_there(monkeypatch):
    asked = []
    monkeypatch.setattr(models, "gpus_visible", lambda: TWO)
    for loader in ("load_policy", "load_prm"):
        monkeypatch.setattr(models, loader, lambda name, **options: asked.append(options))
    load_models(get_profile("paper", prm=RLHFLOW), prm_options={"backend": "vllm"})
    assert asked[1]["backend"] == "vllm" and asked[1]["gpu_memory_utilization"] > 0 and "device" not in asked[1]


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
