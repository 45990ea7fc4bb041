"""A PRM in plain transformers: micro-batches of what was asked for, sorted by length, under a token budget."""

import asyncio
from collections.abc import Sequence

import torch

from ttslib.policies.base import Path
from ttslib.prms.formats import Encoded, Format
from ttslib.prms.heads import step_scores
from ttslib.usage import Usage


class TransformersPRM:
    """See `PRM`. `network` has a `.model` body; `format` says what goes in and where scores are read.

    Requests that arrive in one turn of the event loop share batches of at most `batch_tokens` tokens with padding.
    """

    def __init__(self, network, format: Format, *, name: str, revision: str, max_model_len: int,
                 batch_tokens: int = 16384):
        self.network, self.format, self.name, self.revision = network.eval(), format, name, revision
        self.max_model_len, self.batch_tokens = max_model_len, batch_tokens
        self.usage = Usage()
        self._queue: list[tuple[Encoded, int, asyncio.Future]] = []

    async def score(self, paths: Sequence[Path]) -> list[list[float]]:
        """See `PRM.score`. Raises ValueError if a path is longer than the PRM's context: no score is ever cut off."""
        encoded = [self._encode(path) for path in paths]
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in encoded]
        if not self._queue:
            loop.call_soon(self._flush)
        self._queue += [(e, len(p.scores), f) for e, p, f in zip(encoded, paths, futures, strict=True)]
        scores = list(await asyncio.gather(*futures))
        self.usage.add(tokens=sum(len(e.ids) for e in encoded), calls=1)
        return scores

    def _encode(self, path: Path) -> Encoded:
        encoded = self.format.encode(path.problem.question, [step.text for step in path.steps])
        if len(encoded.ids) > self.max_model_len:
            raise ValueError(
                f"{self.name}: a path of {path.problem.id} is {len(encoded.ids)} tokens, "
                f"more than its context of {self.max_model_len}."
            )
        return encoded

    def _flush(self) -> None:
        queue, self._queue = sorted(self._queue, key=lambda request: len(request[0].ids)), []
        batch: list[tuple[Encoded, int, asyncio.Future]] = []
        for request in queue:
            if batch and (len(batch) + 1) * len(request[0].ids) > self.batch_tokens:
                self._forward(batch)
                batch = []
            batch.append(request)
        if batch:
            self._forward(batch)

    @torch.inference_mode()
    def _forward(self, batch) -> None:
        try:
            ids = torch.zeros((len(batch), len(batch[-1][0].ids)), dtype=torch.long)
            for row, (encoded, _, _) in enumerate(batch):
                ids[row, : len(encoded.ids)] = torch.tensor(encoded.ids)
            # Attention is causal and padding is on the right, so no mask is needed for the positions that are read.
            hidden = self.network.model(ids.to(self.network.device), use_cache=False).last_hidden_state
            where = [(row, p) for row, (e, known, _) in enumerate(batch) for p in e.positions[known:]]
            rows, columns = zip(*where, strict=True) if where else ((), ())
            values = iter(step_scores(self.network, hidden[list(rows), list(columns)], self.format).tolist())
            for encoded, known, future in batch:
                if not future.done():
                    future.set_result([next(values) for _ in encoded.positions[known:]])
        except Exception as error:
            for *_, future in batch:
                if not future.done():
                    future.set_exception(RuntimeError(f"{self.name}: scoring failed: {error}"))
