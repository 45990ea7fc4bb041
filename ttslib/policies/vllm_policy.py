"""A policy in an in-process vLLM engine, pumped from the event loop of the searches.

Every `sample` call adds one request; one pump task per event loop steps the engine while any request is unfinished
and resolves those that finished. New requests join the running batch at the next step: no barrier, no threads, no HTTP.
"""

import asyncio
import itertools

import torch
from vllm import EngineArgs, SamplingParams
from vllm.sampling_params import RequestOutputKind

from ttslib.policies.base import Path, Step
from ttslib.policies.prefix import Prefixes
from ttslib.policies.vllm_engines import start_engine
from ttslib.prompts import Prompt
from ttslib.usage import Usage
from ttslib.zoo import pinned


class VLLMPolicy:
    """See `Policy`. `folder` is what vLLM loads; `dtype` as in vLLM ("float32", "bfloat16", "auto").

    float32 is the default on CPU: samples then do not depend on what else is in the batch (up to about 1e-6), so a
    run is a function of its inputs. `logprobs` fills `Step.logprob`, for 5 to 9 % of the throughput of a nano model.
    """

    def __init__(self, folder: str, *, name: str, revision: str, prompt: Prompt, dtype: str, max_model_len: int,
                 max_num_seqs: int = 256, logprobs: bool = False, **engine_options):
        self.name, self.revision, self.prompt, self.separator = name, revision, prompt, prompt.separator
        self.usage = Usage()
        self.settings = {"dtype": dtype, "max_model_len": max_model_len, "logprobs": logprobs}
        self.logprobs = 0 if logprobs else None  # vLLM's words for "of the chosen token alone" and "of none"
        if not torch.cuda.is_available():
            # vLLM's default on CPU, 128, leaves shorter prefixes out of the prefix cache: every step would start anew.
            engine_options = {"block_size": 32} | engine_options
        self.engine = start_engine(EngineArgs(
            model=folder, dtype=dtype, max_model_len=max_model_len, max_num_seqs=max_num_seqs, enforce_eager=True,
            # A split prefill with a seeded request crashes the CPU sampler, so no prefill may be split.
            enable_chunked_prefill=False, max_num_batched_tokens=max(4 * max_model_len, 16384),
            enable_prefix_caching=True, disable_log_stats=True, use_tqdm_on_load=False,
            **pinned(folder, revision), **engine_options,
        ))
        self.tokenizer = self.engine.get_tokenizer()
        self._prefix = Prefixes(name, prompt, self.tokenizer, max_model_len)
        self._ids = itertools.count()
        self._waiting: dict[str, asyncio.Future] = {}
        self._pump: asyncio.Task | None = None

    async def sample(self, path: Path, *, n: int, seed: int, temperature: float = 0.7, top_p: float = 1.0,
                     stop: str | None = None, max_tokens: int = 2048) -> list[Step]:
        """See `Policy.sample`. Raises ValueError for a request or path that leaves nothing to sample."""
        ids, limit = self._prefix(path, n=n, temperature=temperature, top_p=top_p, max_tokens=max_tokens)
        params = SamplingParams(
            n=n, seed=seed if temperature else None, temperature=temperature, top_p=top_p, max_tokens=limit,
            logprobs=self.logprobs, stop=[stop] if stop else None, include_stop_str_in_output=True,
            skip_special_tokens=True, output_kind=RequestOutputKind.FINAL_ONLY,
        )
        output = await self._submit(ids, params)
        steps = self._prefix.ended(ids, [_step(completion, stop) for completion in output.outputs])
        self.usage.add(tokens=sum(len(step.tokens) for step in steps), calls=1)
        return steps

    async def _submit(self, ids: list[int], params):
        request = f"{next(self._ids)}"
        future = asyncio.get_running_loop().create_future()
        self.engine.add_request(request, {"prompt_token_ids": ids}, params)
        self._waiting[request] = future
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run())
        try:
            return await future
        finally:
            if self._waiting.pop(request, None) is not None:
                self.engine.abort_request([request])

    async def _run(self) -> None:
        try:
            while self._waiting:
                for output in self.engine.step():
                    if output.finished and (future := self._waiting.pop(output.request_id, None)) and not future.done():
                        future.set_result(output)
                await asyncio.sleep(0)
        except Exception as error:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(RuntimeError(f"{self.name}: the vLLM engine failed: {error}"))
            self._waiting.clear()


def _step(completion, stop: str | None) -> Step:
    if completion.finish_reason == "length":
        finish = "length"
    else:
        finish = "step" if stop and completion.stop_reason == stop else "eos"
    return Step(completion.text, tuple(completion.token_ids), finish, completion.cumulative_logprob or 0.0)
