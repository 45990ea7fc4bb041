"""vLLM and transformers agree on every shipped model: greedy texts of policies, step scores of PRMs.

Run: python -m pytest tests/test_zoo_parity.py

A PRM runs in vLLM in the way that its head allows: the marks + and - are a next token, two classes are pooled at every
token. vLLM has no class for Skywork's value head, so that one is compared with a plain forward pass in test_zoo.py.
"""

import asyncio
import math

import pytest

from ttslib.nano.specs import POLICIES, PRMS
from ttslib.nano.styles import SEPARATOR, STYLES
from ttslib.policies import Path, Step, load_policy
from ttslib.prms import load_prm
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
    from ttslib.nano.benchmark import nanomath

    found = []
    for style in ("llama", "qwen"):
        for problem, worked, other in zip(PROBLEMS[:6], nanomath(), nanomath()[1:], strict=False):
            steps = [text + SEPARATOR for text in STYLES[style](worked)]
            steps[len(steps) // 2] = STYLES[style](other)[0] + SEPARATOR
            found.append(Path(problem, tuple(Step(text) for text in steps)))
    return found


def start(folder, **options):
    from vllm import EngineArgs

    from ttslib.vllm_engine import start_engine

    return start_engine(EngineArgs(
        model=str(folder), dtype="float32", enforce_eager=True, enable_chunked_prefill=False, max_model_len=1024,
        max_num_batched_tokens=16384, enable_prefix_caching=False, disable_log_stats=True, **options,
    ))  # fmt: skip


def run(engine, prompts, params):
    """Outputs of all prompts, in order."""
    for place, ids in enumerate(prompts):
        engine.add_request(str(place), {"prompt_token_ids": list(ids)}, params)
    done = {}
    while len(done) < len(prompts):
        done |= {int(output.request_id): output for output in engine.step() if output.finished}
    return [done[place] for place in range(len(prompts))]


def pair_scores(folder, prm, encoded):
    """Softmax of + over the next-token probabilities of + and -, one request a step."""
    from vllm import SamplingParams

    good, bad = prm.format.pair
    params = SamplingParams(max_tokens=1, temperature=0.0, logprobs=-1)
    prompts = [each.ids[: position + 1] for each in encoded for position in each.positions]
    outputs = run(start(folder, max_logprobs=-1), prompts, params)
    odds = []
    for output in outputs:
        logprobs = output.outputs[0].logprobs[0]
        odds.append(logprobs[good].logprob - logprobs[bad].logprob)
    scores = iter(1 / (1 + math.exp(-each)) for each in odds)
    return [[next(scores) for _ in each.positions] for each in encoded]


def class_scores(folder, prm, encoded):
    """Probability of the second class at every marker, by vLLM's own pooler."""
    from vllm import PoolingParams
    from vllm.config import PoolerConfig

    marker = encoded[0].ids[encoded[0].positions[0]]
    engine = start(folder, runner="pooling", pooler_config=PoolerConfig(step_tag_id=marker))
    outputs = run(engine, [each.ids for each in encoded], PoolingParams(task="token_classify"))
    return [output.outputs.data[:, 1].tolist() for output in outputs]


@pytest.mark.parametrize("name", [name for name, spec in PRMS.items() if spec.format != "value_head"])
def test_a_prm_gives_the_same_step_scores(name, model_path):
    prm = load_prm(str(model_path(name)), dtype="float32")
    encoded = [prm.format.encode(path.problem.question, [step.text for step in path.steps]) for path in paths()]
    theirs = (class_scores if prm.format.head == "class" else pair_scores)(model_path(name), prm, encoded)
    ours = asyncio.run(prm.score(paths()))
    assert max(abs(a - b) for one, other in zip(ours, theirs, strict=True)
               for a, b in zip(one, other, strict=True)) < 1e-4  # fmt: skip
    assert {score > 0.5 for scores in ours for score in scores} == {True, False}
