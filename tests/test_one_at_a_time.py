"""Best-of-N with one model in memory at a time, on real nano models.

Run: python -m pytest tests/test_one_at_a_time.py
"""

from __future__ import annotations

import pytest

import ttslib as tts
from ttslib import one_at_a_time
from ttslib.models import options_alone
from ttslib.plan.experiments import ALL_PRMS, QWEN
from ttslib.plan.hardware import parse_gpus
from ttslib.policies import PAPER_POLICIES
from ttslib.prms import PAPER_PRMS

POLICY, PRM_NAMES = "nano-llama-0.1m", ["nano-prm-shepherd", "nano-prm-skywork-s"]


@pytest.mark.engine
def test_one_model_at_a_time_gives_what_both_together_give(tmp_path, monkeypatch):
    problems, loaded = tts.load_problems("nanomath", limit=3), []

    def watched(loader):
        def load(name, **options):
            assert all(each.closed for each in loaded), f"{loaded[-1].name} is still in memory"
            loaded.append(loader(name, **options))
            return loaded[-1]

        return load

    for name in ("load_policy", "load_prm"):
        monkeypatch.setattr(one_at_a_time, name, watched(getattr(tts, name)))
    settings = {"n": 4, "seed": 3, "progress": False}
    found = tts.sample_then_score(problems, POLICY, PRM_NAMES, store=tmp_path / "apart", **settings)
    assert list(found) == PRM_NAMES and [each.name for each in loaded] == [POLICY, *PRM_NAMES]
    assert all(each.closed for each in loaded)
    policy = tts.load_policy(POLICY)
    for name in PRM_NAMES:
        prm = tts.load_prm(name)
        together = tts.solve(problems, policy, prm, method="best_of_n", store=tmp_path / "both", **settings)
        for apart, both in zip(found[name], together, strict=True):
            assert not apart.failed and not both.failed
            for one, other in zip(apart.trajectories, both.trajectories, strict=True):
                assert one["steps"] == other["steps"]
                assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)  # batches differ
    policy.close()


def test_a_model_alone_gets_the_fewest_gpus_that_hold_it():
    eight = parse_gpus("8xA100-80GB")
    assert options_alone(PAPER_POLICIES[QWEN[0]], {}, eight)["tensor_parallel_size"] == 1
    assert options_alone(PAPER_POLICIES[QWEN[6]], {}, eight)["tensor_parallel_size"] == 2
    assert options_alone(PAPER_PRMS[ALL_PRMS[5]], {}, eight)["device"] == ["cuda:0"]
    assert options_alone(PAPER_PRMS[ALL_PRMS[6]], {}, eight)["device"] == ["cuda:0", "cuda:1"]
    with pytest.raises(ValueError, match="Qwen2.5-72B-Instruct, 145.4 GB of weights, does not fit 1xA100-80GB"):
        options_alone(PAPER_POLICIES[QWEN[6]], {}, parse_gpus("1xA100-80GB"))


def test_own_options_of_a_model_alone_come_first_and_its_backend_decides_the_rest():
    two = parse_gpus("2xA100-80GB")
    own = options_alone(PAPER_POLICIES[QWEN[0]], {"gpu_memory_utilization": 0.5}, two)
    assert own["gpu_memory_utilization"] == 0.5 and own["backend"] == "vllm"
    assert options_alone(PAPER_POLICIES[QWEN[0]], {"backend": "transformers"}, two) == {"backend": "transformers"}
    in_vllm = options_alone(PAPER_PRMS[ALL_PRMS[1]], {"backend": "vllm"}, two)
    assert in_vllm["gpu_memory_utilization"] == 0.9 and "device" not in in_vllm


@pytest.mark.parametrize(
    ("prms", "gpus", "says"),
    [(["nano-prm-qwen-m"] * 2, "none", "named twice"), (["nano-prm-qwen-m", "nano-prm-x"], "none", "Unknown model"),
     ([ALL_PRMS[5], ALL_PRMS[6]], "1xA100-80GB", "Qwen2.5-Math-PRM-72B, .* does not fit 1xA100-80GB")],
)  # fmt: skip
def test_a_prm_that_cannot_be_had_is_refused_before_anything_is_loaded(prms, gpus, says, monkeypatch):
    monkeypatch.setattr(one_at_a_time, "load_policy", lambda *_, **__: pytest.fail("a policy was loaded"))
    monkeypatch.setattr(one_at_a_time, "gpus_visible", lambda: parse_gpus(gpus))
    with pytest.raises(ValueError, match=says):
        tts.sample_then_score([], POLICY, prms, n=4)
