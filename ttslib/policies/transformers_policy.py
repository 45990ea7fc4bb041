"""A policy run by plain transformers: where vLLM has no wheel, and the reference that vLLM is tested against."""

import asyncio

import torch

from ttslib.policies.base import Path, Step
from ttslib.prompts import Prompt
from ttslib.usage import Usage


class TransformersPolicy:
    """See `Policy`. Requests that arrive in one turn of the event loop are decoded as one left-padded batch."""

    def __init__(self, folder: str, *, name: str, revision: str, prompt: Prompt, dtype: str, max_model_len: int,
                 device: str | None = None):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        self.usage = Usage()
        self.max_model_len = max_model_len
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(self.device).eval()
        self._queue: list[tuple] = []

    async def sample(self, path: Path, *, n: int, seed: int, temperature: float = 0.7, stop: str | None = None,
                     max_tokens: int = 2048) -> list[Step]:
        """See `Policy.sample`. Raises ValueError if the path leaves no room for another token."""
        ids = self.prompt.ids(self.tokenizer, path.problem) + tuple(t for step in path.steps for t in step.tokens)
        room = self.max_model_len - len(ids)
        if room < 1:
            raise ValueError(f"{self.name}: the path of {path.problem.id} fills the context of {self.max_model_len} tokens.")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._queue:
            loop.call_soon(self._flush)
        self._queue.append((ids, n, seed, temperature, stop, min(max_tokens, room), future))
        steps = await future
        self.usage.add(tokens=sum(len(step.tokens) for step in steps), calls=1)
        return steps

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        rows = [_Row(ids, seed + i, temperature, stop, limit, self.device)
                for ids, n, seed, temperature, stop, limit, _ in queue for i in range(n)]
        try:
            self._decode(rows)
        except Exception as error:
            for *_, future in queue:
                if not future.done():
                    future.set_exception(error)
            return
        start = 0
        for _, n, *_, future in queue:
            if not future.done():
                future.set_result([row.step(self.tokenizer) for row in rows[start : start + n]])
            start += n

    @torch.inference_mode()
    def _decode(self, rows: list["_Row"]) -> None:
        from transformers import DynamicCache

        longest = max(len(row.prompt) for row in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.long, device=self.device)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, longest - len(row.prompt) :] = torch.tensor(row.prompt)
            mask[index, longest - len(row.prompt) :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache, live = DynamicCache(), list(rows)
        while live:
            out = self.model(ids, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1)
            drawn = [row.draw(logits) for row, logits in zip(live, out.logits[:, -1].float(), strict=True)]
            keep = [i for i, (row, token) in enumerate(zip(live, drawn, strict=True))
                    if row.accept(token, self.tokenizer)]
            if len(keep) < len(live):
                cache.batch_select_indices(torch.tensor(keep, dtype=torch.long, device=self.device))
            live = [live[i] for i in keep]
            ids = torch.tensor([[drawn[i]] for i in keep], dtype=torch.long, device=self.device)
            mask = torch.cat([mask[keep], torch.ones((len(keep), 1), dtype=mask.dtype, device=self.device)], 1)
            positions = positions[keep][:, -1:] + 1


class _Row:
    """One continuation while it is decoded."""

    def __init__(self, prompt, seed, temperature, stop, limit, device):
        self.prompt, self.temperature, self.stop, self.limit = prompt, temperature, stop, limit
        self.generator = torch.Generator(device=device).manual_seed(seed)
        self.tokens: list[int] = []
        self.logprob, self.finish = 0.0, "length"

    def draw(self, logits: torch.Tensor) -> int:
        if self.temperature == 0:
            token = int(logits.argmax())
        else:
            probabilities = torch.softmax(logits / self.temperature, -1)
            token = int(torch.multinomial(probabilities, 1, generator=self.generator))
        self.logprob += float(torch.log_softmax(logits, -1)[token])
        return token

    def accept(self, token: int, tokenizer) -> bool:
        """Appends the token; False when the continuation has ended."""
        self.tokens.append(token)
        if token == tokenizer.eos_token_id:
            self.finish = "eos"
        elif self.stop and self.stop in tokenizer.decode(self.tokens[-8:], skip_special_tokens=True):
            self.finish = "step"
        return self.finish == "length" and len(self.tokens) < self.limit

    def step(self, tokenizer) -> Step:
        text = tokenizer.decode(self.tokens, skip_special_tokens=True)
        return Step(text, tuple(self.tokens), self.finish, self.logprob)
