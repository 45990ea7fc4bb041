"""A policy run by plain transformers: where vLLM has no wheel, and the reference that vLLM is tested against.

Every `sample` call queues its rows; one task per event loop decodes what has been queued, in left-padded batches.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from ttslib.loop import Pump
from ttslib.memory import reclaim
from ttslib.policies.base import Draw, Path, Policy, Step
from ttslib.policies.prefix import Prefixes
from ttslib.prompts import Prompt


class TransformersPolicy(Policy):
    """See `Policy`. `folder` and `dtype` are what `from_pretrained` takes; `device` defaults to a GPU, if any.

    A batch holds as many rows as fit `batch_tokens`, each counted at its greatest length (prompt, steps and token
    limit), which bounds the memory of the cache. In float32 samples do not depend on what else is in the batch (up to
    about 1e-6), and the random numbers do not depend on the device.
    """

    backend = "transformers"

    def __init__(self, folder: str, *, name: str, revision: str, prompt: Prompt, dtype: str, max_model_len: int,
                 device: str | None = None, batch_tokens: int = 131_072):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        self.max_model_len, self.batch_tokens = max_model_len, batch_tokens
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._prefix = Prefixes(name, prompt, self.tokenizer, max_model_len)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(self.device).eval()
        self.ends = end_ids(self.tokenizer, self.model.generation_config)
        self._queue: list[_Request] = []
        self._pump = Pump(name)

    @property
    def closed(self) -> bool:
        return self.model is None

    def close(self) -> None:
        """See `Policy.close`; RuntimeError while a request is unfinished."""
        if self._pump.busy:
            raise RuntimeError(f"{self.name} has unfinished requests: close it after them.")
        self.model = None
        reclaim()

    async def _sample(self, path: Path, draw: Draw) -> list[Step]:
        if self.closed:
            raise RuntimeError(f"{self.name} is closed: load it again.")
        ids, limit = self._prefix(path, draw.max_tokens)
        loop = asyncio.get_running_loop()
        rows = [_Row(ids, draw, number, limit) for number in range(draw.n)]
        request = _Request(rows, loop.create_future())
        self._pump.start(self._run)
        self._queue.append(request)
        await request.done
        steps = self._prefix.ended(ids, [row.step(self.tokenizer) for row in request.rows])
        self.usage.add(tokens=sum(len(step.tokens) for step in steps), calls=1)
        return steps

    async def _run(self) -> None:
        while self._queue:
            queue, self._queue = self._queue, []
            try:
                for batch in self._batches(queue):
                    self._decode(batch)
                    await asyncio.sleep(0)
                for request in queue:
                    if not request.done.done():
                        request.done.set_result(None)
            except Exception as error:
                for request in queue:
                    if not request.done.done():
                        request.done.set_exception(RuntimeError(f"{self.name}: decoding failed: {error}"))

    def _batches(self, queue: list["_Request"]) -> Iterator[list["_Row"]]:
        """Rows of the requests that are still waited for, shortest prefix first, within the token budget."""
        batch: list[_Row] = []
        longest = 0
        for request in sorted(queue, key=lambda request: len(request.rows[0].prefix)):
            for row in request.rows if not request.done.done() else ():
                longest = max(longest, len(row.prefix) + row.limit)
                if batch and (len(batch) + 1) * longest > self.batch_tokens:
                    yield batch
                    batch, longest = [], len(row.prefix) + row.limit
                batch.append(row)
        if batch:
            yield batch

    @torch.inference_mode()
    def _decode(self, rows: list["_Row"]) -> None:
        from transformers import DynamicCache

        longest = max(len(row.prefix) for row in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, longest - len(row.prefix) :] = torch.tensor(row.prefix)
            mask[index, longest - len(row.prefix) :] = 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache, live = DynamicCache(), list(rows)
        while live:
            out = self.model(ids, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1)
            drawn, logprobs = pick(out.logits[:, -1].float(), live)
            keep = [i for i, row in enumerate(live) if row.accept(drawn[i], logprobs[i], self.tokenizer, self.ends)]
            if len(keep) < len(live):
                cache.batch_select_indices(torch.tensor(keep, dtype=torch.long, device=self.device))
            live = [live[i] for i in keep]
            ids = torch.tensor([[drawn[i]] for i in keep], dtype=torch.long, device=self.device)
            mask = torch.cat([mask[keep], torch.ones((len(keep), 1), dtype=mask.dtype, device=self.device)], 1)
            positions = positions[keep][:, -1:] + 1


def end_ids(tokenizer, generation_config) -> frozenset[int]:
    """The ids that end a text: the tokenizer's, and the one or several of the model's generation config."""
    stated = generation_config.eos_token_id
    stated = stated if isinstance(stated, list) else [stated]
    return frozenset(token for token in [tokenizer.eos_token_id, *stated] if token is not None)


def pick(logits: torch.Tensor, rows: list["_Row"]) -> tuple[list[int], list[float]]:
    """One token a row, and its log-probability at temperature 1 in nats: the most likely one at temperature 0.

    Elsewhere by inverting the cumulative distribution at a number from the row's own generator: a row draws the same
    token whatever its neighbours are.
    """
    tokens = logits.argmax(-1)
    hot = [i for i, row in enumerate(rows) if row.draw.temperature > 0]
    if hot:
        heat = torch.tensor([[rows[i].draw.temperature] for i in hot], device=logits.device)
        chances = torch.softmax(logits[hot] / heat, -1, dtype=torch.float64)
        total = nucleus(chances, [rows[i].draw.top_p for i in hot]).cumsum(-1)
        chance = torch.tensor([[rows[i].random.random()] for i in hot], dtype=torch.float64, device=logits.device)
        found = torch.searchsorted(total, chance * total[:, -1:], right=True).squeeze(1)
        tokens[hot] = found.clamp(max=logits.shape[-1] - 1)
    logprobs = torch.log_softmax(logits, -1).gather(1, tokens[:, None]).squeeze(1)
    return tokens.tolist(), logprobs.tolist()


def nucleus(chances: torch.Tensor, top_p: list[float]) -> torch.Tensor:
    """`chances` (rows, vocabulary) with 0 for all but the likeliest tokens that together reach the row's top_p.

    A row with top_p 1 stays as it is, to the last bit.
    """
    if all(each == 1 for each in top_p):
        return chances
    limits = torch.tensor(top_p, dtype=chances.dtype, device=chances.device)[:, None]
    ranked, order = chances.sort(dim=-1, descending=True, stable=True)
    outside = (ranked.cumsum(-1) - ranked >= limits) & (limits < 1)
    return chances.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), 0.0)


class _Row:
    """One continuation of a draw, by its number there, while it is decoded."""

    def __init__(self, prefix: list[int], draw: Draw, number: int, limit: int):
        self.prefix, self.draw, self.limit = prefix, draw, limit
        self.random = random.Random(draw.seed + number)
        self.tokens: list[int] = []
        self.logprob, self.finish = 0.0, "length"
        # A token holds at least one byte, so the separator lies within as many tokens, however it is split.
        self.window = len(draw.stop.encode()) if draw.stop else 0

    def accept(self, token: int, logprob: float, tokenizer, ends: frozenset[int]) -> bool:
        """Appends the token; False when the continuation has ended."""
        self.tokens.append(token)
        self.logprob += logprob
        if token in ends:
            self.finish = "eos"
        elif self.draw.stop and self.draw.stop in decode(tokenizer, self.tokens[-self.window :]):
            self.finish = "step"
        return self.finish == "length" and len(self.tokens) < self.limit

    def step(self, tokenizer) -> Step:
        """The text ends with the separator, even if the token that completed it goes on."""
        text = decode(tokenizer, self.tokens)
        if self.finish == "step":
            head, separator, _ = text.partition(self.draw.stop)
            text = head + separator
        return Step(text, tuple(self.tokens), self.finish, self.logprob)


@dataclass(eq=False)
class _Request:
    rows: list[_Row] = field(repr=False)
    done: asyncio.Future


def decode(tokenizer, tokens: list[int]) -> str:
    """Text of sampled tokens without special ones; a character whose last bytes were not sampled is left out."""
    text = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text.rstrip("\ufffd")
