"""vLLM and transformers agree on every shipped model: greedy texts of policies, step scores of PRMs.

Run: python -m pytest tests/test_zoo_parity.py

A PRM runs in vLLM as its head allows: + and - are a next token (`VLLMPRM`), two classes are pooled at every marker.
vLLM has no class for a value head; test_prm_formats.py holds that format against a plain forward pass.
"""

import asyncio

import pytest

from ttslib.nano.benchmark import nanomath
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.policies import Path, Step, load_policy
from ttslib.prms import load_prm
from ttslib.prms.formats import encode_path
from ttslib.problems import load_problems

pytestmark = pytest.mark.engine
PROBLEMS = load_problems("nanomath", limit=50)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_writes_the_same_greedy_text(name, model_path):
    def texts(backend):
        policy = load_policy(str(model_path(name)), backend=backend, prompt="nano", dtype="float32")

        async def solve():
            calls = (policy.sample(Path(each), n=1, seed=0, temperature=0.0, max_tokens=400) for each in PROBLEMS)
            return [step.text for (step,) in await asyncio.gather(*calls)]

        return asyncio.run(solve())

    assert texts("vllm") == texts("transformers")


def paths():
    """Worked solutions of the first problems in two styles, each with a step of the next solution in its middle."""
    found = []
    for style in ("llama", "qwen"):
        for problem, worked, other in zip(PROBLEMS[:6], nanomath(), nanomath()[1:], strict=False):
            steps = [text + SEPARATOR for text in STYLES[style](worked)]
            steps[len(steps) // 2] = STYLES[style](other)[0] + SEPARATOR
            found.append(Path(problem, tuple(Step(text) for text in steps)))
    return found


def pooled(folder, encoded):
    """Probability of the second class at every marker, by vLLM's own pooler."""
    from vllm import EngineArgs, PoolingParams
    from vllm.config import PoolerConfig

    from ttslib.vllm_engine import start_engine

    marker = encoded[0].ids[encoded[0].positions[0]]
    engine = start_engine(EngineArgs(
        model=str(folder), runner="pooling", pooler_config=PoolerConfig(step_tag_id=marker), dtype="float32",
        enforce_eager=True, max_model_len=1024, disable_log_stats=True,
    ))  # fmt: skip
    for place, each in enumerate(encoded):
        engine.add_request(str(place), {"prompt_token_ids": list(each.ids)}, PoolingParams(task="token_classify"))
    done = {}
    while len(done) < len(encoded):
        done |= {int(output.request_id): output.outputs.data[:, 1].tolist() for output in engine.step()}
    return [done[place] for place in range(len(encoded))]


@pytest.mark.parametrize("name", [name for name, spec in PRMS.items() if spec.format != "value_head"])
def test_a_prm_gives_the_same_step_scores(name, model_path):
    folder = str(model_path(name))
    prm = load_prm(folder, dtype="float32")
    if prm.format.head == "class":
        theirs = pooled(folder, [encode_path(prm.format, path, prm.max_model_len) for path in paths()])
    else:
        theirs = asyncio.run(load_prm(folder, dtype="float32", backend="vllm").score(paths()))
    ours = asyncio.run(prm.score(paths()))
    assert all(scores == pytest.approx(other, abs=1e-4) for scores, other in zip(ours, theirs, strict=True))
    assert {score > 0.5 for scores in ours for score in scores} == {True, False}
