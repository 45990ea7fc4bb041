"""A PRM with + and - as next tokens in an in-process vLLM engine: every step is one request of one token."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ttslib.policies.base import Path
from ttslib.prms.base import PRM, Unread
from ttslib.prms.formats import encode_path
from ttslib.prms.formats.token_pair import TokenPair
from ttslib.vllm_engine import Engine


class VLLMPRM(PRM):
    """`folder` is what vLLM loads, of a causal LM.

    The steps of a path are asked for one after the other, so that each finds the ones before it in the prefix cache;
    paths run side by side. `usage` counts the tokens that were not found there: unlike those of `TransformersPRM` they
    depend on what ran before.
    """

    backend = "vllm"

    def __init__(self, folder: str, format: TokenPair, *, name: str, revision: str, dtype: str, max_model_len: int,
                 settings: Mapping[str, Any] = PRM.settings, **engine_options):
        self.format, self.name, self.revision, self.settings = format, name, revision, settings
        self.max_model_len = max_model_len - 1  # vLLM takes no input that leaves no room for a token behind it
        # As `Format.scores`: the head in float32 whatever the body's dtype.
        overrides = {"head_dtype": "float32"} | engine_options.pop("hf_overrides", {})
        self.engine = Engine(folder, name=name, dtype=dtype, max_model_len=max_model_len, hf_overrides=overrides,
                             **engine_options)

    @property
    def closed(self) -> bool:
        """See `PRM.closed`."""
        return self.engine.core is None

    def close(self) -> None:
        """See `PRM.close`."""
        self.engine.close()

    async def score(self, paths: Sequence[Path]) -> list[list[float] | Unread]:
        """See `PRM.score`. Raises RuntimeError with its cause if the engine fails."""
        found = await asyncio.gather(*(self._new_scores(path) for path in paths))
        self.usage.add(tokens=0, calls=1)
        return found

    async def _new_scores(self, path: Path) -> list[float] | Unread:
        known = len(path.scores)
        if len(path.steps) == known:
            return []
        encoded = encode_path(self.format, path, self.max_model_len)
        if isinstance(encoded, Unread):
            return encoded
        return [await self._ask(list(encoded.ids[: position + 1])) for position in encoded.positions[known:]]

    async def _ask(self, ids: list[int]) -> float:
        """The first of a softmax over the two marks, as the token behind `ids`."""
        good, bad = self.format.pair
        output = await self.engine.submit(ids, max_tokens=1, temperature=0.0, logprob_token_ids=[good, bad])
        self.usage.add(tokens=len(ids) - (output.num_cached_tokens or 0), calls=0)
        logprobs = output.outputs[0].logprobs[0]
        return torch.tensor(logprobs[good].logprob - logprobs[bad].logprob).sigmoid().item()
