"""Real nano models through real vLLM and through transformers: both keep the protocol, and they agree."""

import asyncio
import importlib.util
import json
import re
import shutil
import weakref
from pathlib import Path as FilePath

import pytest
from conftest import POLICY_NAMES
from scripted import ScriptedPRM

import ttslib.policies as policies
from ttslib.policies import Draw, Path, Policy, Step, identify, load_policy
from ttslib.problems import load_problems
from ttslib.search import beam_search

SOLUTION = 300
BACKENDS = [pytest.param("vllm", marks=pytest.mark.engine), "transformers"]
PROBLEMS = load_problems("nanomath", limit=50)

each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def policy(backend, policy_of):
    return policy_of(POLICY_NAMES[0], backend)


async def greedy(policy, problems=PROBLEMS, **options):
    """One greedy continuation of each problem's empty path, asked for all at once."""
    options = {"n": 1, "seed": 0, "temperature": 0.0, "max_tokens": SOLUTION} | options
    replies = await asyncio.gather(*(policy.sample(Path(problem), **options) for problem in problems))
    return [step for (step,) in replies]


async def walk(policy, problem):
    """The greedy solution, sampled step by step."""
    steps = []
    while not steps or steps[-1].finish == "step":
        path = Path(problem, tuple(steps))
        steps += await policy.sample(
            path, n=1, seed=0, temperature=0.0, stop=policy.separator, max_tokens=SOLUTION - count(steps)
        )
    return steps


def count(steps):
    return sum(len(step.tokens) for step in steps)


def plain(steps):
    return [(step.text, step.tokens, step.finish) for step in steps]


@pytest.mark.engine
@pytest.mark.parametrize("name", POLICY_NAMES)
def test_greedy_solutions_of_vllm_and_transformers_are_the_same(name, policy_of):
    ours, reference = (asyncio.run(greedy(policy_of(name, backend))) for backend in ("vllm", "transformers"))
    assert plain(ours) == plain(reference)
    assert [step.logprob for step in ours] == pytest.approx([step.logprob for step in reference], abs=1e-3)
    assert sum("\\boxed" in step.text and step.finish == "eos" for step in ours) > 25  # they do solve something


@pytest.mark.engine
@pytest.mark.parametrize("stop", ["=", "\n\n", "e"])
def test_both_cut_the_text_after_the_separator_even_within_a_token(stop, policy_of):
    ours, reference = (
        asyncio.run(greedy(policy_of(POLICY_NAMES[0], backend), PROBLEMS[:10], stop=stop, max_tokens=60))
        for backend in ("vllm", "transformers")
    )
    assert plain(ours) == plain(reference)
    stopped = [step for step in ours if step.finish == "step"]
    assert stopped and all(step.text.index(stop) == len(step.text) - len(stop) for step in stopped)


@pytest.mark.parametrize("name", POLICY_NAMES)
@each_backend
def test_steps_one_by_one_are_the_whole_solution_token_by_token(name, backend, policy_of):
    policy = policy_of(name, backend)

    async def both():
        walked = await asyncio.gather(*(walk(policy, problem) for problem in PROBLEMS[:12]))
        return walked, await greedy(policy, PROBLEMS[:12])

    for steps, whole in zip(*asyncio.run(both()), strict=True):
        assert tuple(token for step in steps for token in step.tokens) == whole.tokens
        assert "".join(step.text for step in steps) == whole.text
        assert steps[-1].finish == whole.finish
        assert all(step.text.endswith(policy.separator) for step in steps[:-1])
        assert sum(step.logprob for step in steps) == pytest.approx(whole.logprob, abs=1e-3)


@each_backend
def test_the_same_call_gives_the_same_steps_whatever_company_it_has(policy):
    def ask(seed):
        return policy.sample(Path(PROBLEMS[2]), n=6, seed=seed, temperature=1.5, max_tokens=80)

    async def crowd():
        others = (
            policy.sample(Path(problem), n=2, seed=i, stop=policy.separator, max_tokens=40)
            for i, problem in enumerate(PROBLEMS[3:27])
        )
        return (await asyncio.gather(*others, ask(7)))[-1]

    alone, again, crowded, other = (asyncio.run(call) for call in (ask(7), ask(7), crowd(), ask(1007)))
    assert plain(alone) == plain(again) == plain(crowded) != plain(other)
    assert len({step.tokens for step in alone}) > 1


@each_backend
def test_samples_follow_the_temperature_and_logprobs_are_at_temperature_one(policy):
    cold, hot = (
        asyncio.run(policy.sample(Path(PROBLEMS[0]), n=32, seed=0, temperature=temperature, max_tokens=40))
        for temperature in (0.01, 2.0)
    )
    (best,) = asyncio.run(greedy(policy, PROBLEMS[:1], max_tokens=40))
    assert {step.tokens for step in cold} == {best.tokens}
    assert cold[0].logprob == pytest.approx(best.logprob, abs=1e-3)
    assert len({step.tokens for step in hot}) > 4
    assert all(step.logprob < 0 for step in hot)


@each_backend
def test_top_p_narrows_samples_down_to_the_likeliest(policy):
    def ask(n=24, temperature=2.0, **options):
        call = policy.sample(Path(PROBLEMS[0]), n=n, seed=0, temperature=temperature, max_tokens=30, **options)
        return plain(asyncio.run(call))

    wide = ask()
    assert ask(top_p=1.0) == wide
    assert ask(top_p=1e-6) == ask(n=1, temperature=0.0) * 24
    assert len({tokens for _, tokens, _ in ask(top_p=0.4)}) < len({tokens for _, tokens, _ in wide})


@each_backend
def test_token_limit_and_usage(policy):
    tokens, calls = policy.usage.tokens, policy.usage.calls
    steps = asyncio.run(policy.sample(Path(PROBLEMS[0]), n=3, seed=0, max_tokens=4, stop=policy.separator))
    assert [(len(step.tokens), step.finish) for step in steps] == [(4, "length")] * 3
    assert (policy.usage.tokens - tokens, policy.usage.calls - calls) == (12, 1)


@each_backend
def test_a_path_that_fills_the_context_is_an_error_and_one_that_nearly_does_is_cut(policy):
    room = policy.max_model_len - len(policy.prompt.ids(policy.tokenizer, PROBLEMS[0]))
    (first,) = asyncio.run(greedy(policy, PROBLEMS[:1], max_tokens=1))
    for left in (1, 0):
        path = Path(PROBLEMS[0], (Step("", first.tokens * (room - left)),))
        call = policy.sample(path, n=1, seed=0, temperature=0.0)
        if left:
            (step,) = asyncio.run(call)
            assert len(step.tokens) == 1
        else:
            with pytest.raises(ValueError, match="fills the context"):
                asyncio.run(call)


def test_a_step_that_fills_the_context_ends_its_path(model_path, policy_of):
    name = POLICY_NAMES[0]
    wide = policy_of(name, "transformers")
    (step,) = asyncio.run(greedy(wide, PROBLEMS[:1], stop=wide.separator))
    assert step.finish == "step"
    exact = len(wide.prompt.ids(wide.tokenizer, PROBLEMS[0])) + len(step.tokens)
    options = {"backend": "transformers", "prompt": "nano", "dtype": "float32"}
    for context, finish in ((exact, "length"), (exact + 1, "step")):
        policy = load_policy(str(model_path(name)), **options, max_model_len=context)
        (again,) = asyncio.run(greedy(policy, PROBLEMS[:1], stop=policy.separator))
        assert (again.tokens, again.finish) == (step.tokens, finish)
        found = asyncio.run(beam_search(PROBLEMS[0], policy, ScriptedPRM(), n=4))
        assert {path.end for path in found} == {"length"}


@each_backend
@pytest.mark.parametrize(
    "options",
    [
        {"n": 0}, {"max_tokens": 0}, {"temperature": -1.0}, {"temperature": 2.1}, {"n": 2, "temperature": 0.0},
        {"top_p": 0.0}, {"top_p": 1.1},
    ],
)  # fmt: skip
def test_requests_without_sense_are_errors(policy, options):
    with pytest.raises(ValueError, match=f"^{re.escape(policy.name)}: .*(at least|would all be the same)"):
        asyncio.run(policy.sample(Path(PROBLEMS[0]), **{"n": 1, "seed": 0} | options))


class Echo(Policy):
    """Says how it was asked, and has no more than a policy must have."""

    name = "echo"

    async def _sample(self, path, draw):
        self.usage.add(tokens=draw.n)
        return [Step(repr(draw))] * draw.n


def test_a_policy_of_ones_own_needs_a_name_and_a_way_to_sample():
    policy = Echo()
    steps = asyncio.run(policy.sample(Path(PROBLEMS[0]), n=2, seed=3))
    assert steps == [Step(repr(Draw(2, 3, temperature=0.7, top_p=1.0, stop=None, max_tokens=2048)))] * 2
    options = {"temperature": 0.0, "top_p": 0.5, "stop": "\n", "max_tokens": 9}
    assert asyncio.run(policy.sample(Path(PROBLEMS[0]), n=1, seed=3, **options)) == [Step(repr(Draw(1, 3, **options)))]
    assert (policy.usage.tokens, policy.usage.calls, Echo().usage.tokens) == (3, 2, 0)
    assert policy.identity == {"name": "echo", "revision": ""}
    assert (policy.separator, policy.sampling, policy.closed, policy.close()) == ("\n\n", {}, False, None)
    with pytest.raises(NotImplementedError, match="Policy does not say how it samples"):
        policy = Policy()
        policy.name = "mute"
        asyncio.run(policy.sample(Path(PROBLEMS[0]), n=1, seed=0))


@each_backend
def test_a_policy_is_known_before_it_is_loaded(backend, policy, model_path):
    """As `policy_of` loads it."""
    options = {"backend": backend, "prompt": "nano", "dtype": "float32"}
    options |= {"logprobs": True} if backend == "vllm" else {}
    assert identify(str(model_path(POLICY_NAMES[0])), **options) == policy.identity
    assert policy.backend == backend


@each_backend
def test_after_a_cancelled_run_the_policy_works_on_in_another_event_loop(policy):
    before = asyncio.run(greedy(policy, PROBLEMS[:3]))

    async def cancelled():
        calls = [
            asyncio.ensure_future(policy.sample(Path(problem), n=4, seed=0, max_tokens=900)) for problem in PROBLEMS[:9]
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        for call in calls[1:]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return await calls[0]

    assert len(asyncio.run(cancelled())) == 4  # its neighbours' end does not touch it

    async def abandoned():
        async with asyncio.timeout(0):
            await greedy(policy)

    with pytest.raises(TimeoutError):
        asyncio.run(abandoned())
    if engine := getattr(policy, "engine", None):
        assert not engine.core.has_unfinished_requests()
    assert plain(asyncio.run(greedy(policy, PROBLEMS[:3]))) == plain(before)


@pytest.mark.engine
def test_every_end_in_the_generation_config_ends_a_text(model_path, tmp_path, policy_of):
    folder = tmp_path / "several-ends"
    shutil.copytree(model_path(POLICY_NAMES[0]), folder)
    (whole,) = asyncio.run(greedy(policy_of(POLICY_NAMES[0], "transformers"), PROBLEMS[:1]))
    ends = [whole.tokens[-1], whole.tokens[6]]
    config = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(config | {"eos_token_id": ends}))
    cut = whole.tokens[: whole.tokens.index(ends[1]) + 1]
    for backend in ("vllm", "transformers"):
        policy = load_policy(str(folder), backend=backend, prompt="nano", dtype="float32")
        (step,) = asyncio.run(greedy(policy, PROBLEMS[:1], stop=policy.separator))
        assert (step.tokens, step.finish) == (cut, "eos")


@pytest.mark.engine
def test_a_closed_engine_is_freed_and_the_others_work_on(model_path, policy_of):
    stays = policy_of(POLICY_NAMES[0], "vllm")
    policy = load_policy(str(model_path(POLICY_NAMES[0])), backend="vllm", prompt="nano")
    assert asyncio.run(greedy(policy, PROBLEMS[:1]))[0].tokens and not policy.closed
    runner = weakref.ref(policy.engine.core.engine_core.engine_core.model_executor.driver_worker.worker.model_runner)
    policy.close()
    assert runner() is None and policy.closed
    with pytest.raises(RuntimeError, match=f"{POLICY_NAMES[0]} is closed"):
        asyncio.run(greedy(policy, PROBLEMS[:1]))
    assert asyncio.run(greedy(stays, PROBLEMS[:1]))[0].tokens


def test_a_closed_policy_of_transformers_is_freed(model_path):
    policy = load_policy(str(model_path(POLICY_NAMES[0])), backend="transformers", prompt="nano")
    model = weakref.ref(policy.model)
    policy.close()
    assert model() is None and policy.closed
    with pytest.raises(RuntimeError, match="is closed: load it again"):
        asyncio.run(greedy(policy, PROBLEMS[:1]))


def test_batches_over_the_token_budget_are_split_and_change_nothing(policy_of, monkeypatch):
    policy = policy_of(POLICY_NAMES[0], "transformers")
    sizes, decode = [], policy._decode
    monkeypatch.setattr(policy, "_decode", lambda rows: (sizes.append(len(rows)), decode(rows)))
    whole = asyncio.run(greedy(policy, PROBLEMS[:9]))
    monkeypatch.setattr(policy, "batch_tokens", 3 * (SOLUTION + 150))
    split = asyncio.run(greedy(policy, PROBLEMS[:9]))
    monkeypatch.setattr(policy, "batch_tokens", 1)
    single = asyncio.run(greedy(policy, PROBLEMS[:9]))
    assert sizes[0] == 9 and 2 <= len(sizes) - 10 < 9 and sizes[-9:] == [1] * 9
    assert plain(whole) == plain(split) == plain(single)


def test_a_separator_that_is_split_over_tokens_is_found(policy_of):
    from ttslib.policies.transformers_policy import _Row

    tokenizer = policy_of(POLICY_NAMES[0], "transformers").tokenizer
    (newline,) = tokenizer.encode("\n", add_special_tokens=False)
    row = _Row([0], Draw(1, 0, temperature=0.0, stop="\n\n"), 0, 100)
    seen = [row.accept(token, -0.5, tokenizer, frozenset({1})) for token in (newline, 20, newline, newline)]
    step = row.step(tokenizer)
    assert seen == [True, True, True, False]
    assert (step.finish, step.logprob, step.text[-2:]) == ("step", -2.0, "\n\n")


def test_an_error_while_decoding_reaches_the_one_who_asked(policy_of, monkeypatch):
    policy = policy_of(POLICY_NAMES[0], "transformers")
    with monkeypatch.context() as patch:
        patch.setattr(policy, "model", object())
        with pytest.raises(RuntimeError, match="decoding failed"):
            asyncio.run(greedy(policy, PROBLEMS[:2]))
    assert asyncio.run(greedy(policy, PROBLEMS[:1]))


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("nano-gpt-9b", {}, "Unknown policy 'nano-gpt-9b'"),
        ("./nowhere", {}, "Unknown policy './nowhere'"),
        ("Qwen/Qwen2.5-3B", {}, "say how it is asked"),
        ("FOLDER", {"prompt": "gpt"}, "Unknown prompt 'gpt'"),
        ("FOLDER", {"prompt": "nano", "backend": "ollama"}, "Unknown backend 'ollama'"),
        ("FOLDER", {"prompt": "nano", "backend": "http://127.0.0.1:9/v1", "dtype": "float32"}, "server decides"),
        ("EMPTY", {"prompt": "nano"}, "is not a model folder"),
        ("PRM", {"prompt": "nano"}, "is no policy but Qwen2ForProcessRewardModel"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence_at_once(name, options, words, model_path, tmp_path):
    prm = tmp_path / "prm"
    prm.mkdir()
    (prm / "config.json").write_text('{"architectures": ["Qwen2ForProcessRewardModel"]}')
    (prm / "model.safetensors").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    folders = {"FOLDER": model_path(POLICY_NAMES[0]), "EMPTY": tmp_path / "empty", "PRM": prm}
    with pytest.raises(ValueError) as caught:
        load_policy(str(folders.get(name, name)), **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture
def no_vllm(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "vllm" else found(name, *rest))
    policies.default_backend.cache_clear()
    yield
    policies.default_backend.cache_clear()


def test_without_vllm_transformers_takes_over_and_says_so_once(no_vllm, model_path, capsys):
    folder: FilePath = model_path(POLICY_NAMES[0])
    for _ in range(2):
        assert type(load_policy(str(folder), prompt="nano")).__name__ == "TransformersPolicy"
    said = [line for line in capsys.readouterr().err.splitlines() if "vLLM" in line]
    assert said == ["ttslib: vLLM is not installed here, so policies run on transformers, which is slower."]
    with pytest.raises(ValueError, match="vLLM is not installed"):
        load_policy(str(folder), prompt="nano", backend="vllm")
