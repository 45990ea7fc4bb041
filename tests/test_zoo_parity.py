"""vLLM and transformers agree on every shipped model: greedy texts of policies, step scores of PRMs.

Run: python -m pytest tests/test_zoo_parity.py

A PRM runs in vLLM as its head allows: + and - are a next token (`VLLMPRM`), two classes are pooled at every marker.
vLLM has no class for a value head: it gives the hidden states of the network without one, and the head is applied here.
"""

import asyncio
import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from ttslib.nano.benchmark import nanomath
from ttslib.nano.optimise import fast_bf16
from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.policies import Path, Step, load_policy
from ttslib.prms import load_prm
from ttslib.prms.formats import encode_path
from ttslib.problems import load_problems

pytestmark = pytest.mark.engine
PROBLEMS = load_problems("nanomath", limit=30)


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


def pooled(folder, encoded, task, dtype, **options):
    """What vLLM's own pooler gives for each encoded path, a row a pooled token."""
    from vllm import EngineArgs, PoolingParams

    from ttslib.vllm_engine import start_engine

    engine = start_engine(EngineArgs(
        model=str(folder), runner="pooling", dtype=dtype, enforce_eager=True, max_model_len=1024,
        disable_log_stats=True, **options,
    ))  # fmt: skip
    for place, each in enumerate(encoded):
        engine.add_request(str(place), {"prompt_token_ids": list(each.ids)}, PoolingParams(task=task))
    done = {}
    while len(done) < len(encoded):
        done |= {int(output.request_id): output.outputs.data for output in engine.step()}
    return [done[place] for place in range(len(encoded))]


def in_vllm(folder, format, encoded, dtype, tmp_path):
    """Step scores of the four formats in vLLM."""
    from vllm.config import PoolerConfig

    if format.name == "two_class":
        marker = encoded[0].ids[encoded[0].positions[0]]
        found = pooled(folder, encoded, "token_classify", dtype, pooler_config=PoolerConfig(step_tag_id=marker))
        return [rows[:, 1].tolist() for rows in found]
    if format.vllm:
        return asyncio.run(load_prm(str(folder), dtype=dtype, backend="vllm").score(paths()))
    body = shutil.copytree(folder, tmp_path / "body")
    tensors = load_file(body / "model.safetensors")
    weight, bias = (tensors.pop(f"v_head.summary.{part}").float() for part in ("weight", "bias"))
    save_file(tensors, body / "model.safetensors", {"format": "pt"})
    config = json.loads((body / "config.json").read_text()) | {"architectures": ["Qwen2ForCausalLM"]}
    (body / "config.json").write_text(json.dumps(config))
    raw = PoolerConfig(use_activation=False)
    hidden = pooled(body, encoded, "token_embed", dtype, convert="embed", pooler_config=raw)
    return [
        (rows[list(each.positions)].float() @ weight[0] + bias).sigmoid().tolist()
        for rows, each in zip(hidden, encoded, strict=True)
    ]


# Where the processor has no bf16 of its own both engines emulate it, in other orders: 0.0124 was measured, on one step.
BF16 = 1e-2 if fast_bf16("cpu") else 2e-2


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", BF16)])
@pytest.mark.parametrize("name", PRMS)
def test_a_prm_gives_the_same_step_scores(name, dtype, tolerance, model_path, tmp_path):
    prm = load_prm(str(model_path(name)), dtype=dtype)
    encoded = [encode_path(prm.format, path, prm.max_model_len) for path in paths()]
    ours, theirs = (
        [score for scores in each for score in scores]
        for each in (asyncio.run(prm.score(paths())), in_vllm(model_path(name), prm.format, encoded, dtype, tmp_path))
    )
    assert ours == pytest.approx(theirs, abs=tolerance)
    assert {score > 0.5 for score in ours} == {True, False}
