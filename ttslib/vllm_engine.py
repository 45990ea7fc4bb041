"""In-process vLLM engines, pumped from the event loop of the searches; several in one process, which come and go.

vLLM 0.32 gives all engines of a process one set of distributed groups, and the first engine that is garbage-collected
destroys it: the others then fail with "pipeline model parallel group is not initialized". In a notebook a second
`policy = load_policy(...)` is enough for that.
"""

import asyncio
import itertools
import logging
import os
import warnings
import weakref
from typing import Any

import torch

from ttslib.loop import Pump
from ttslib.memory import reclaim

# vLLM reads these when it is imported. What a user has set stands.
SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # a second engine process halves the throughput of a small model
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
}
for _name, _value in SETTINGS.items():
    os.environ.setdefault(_name, _value)
# It sets this level itself, but warns before that; and on a CPU it reads every name of torch, deprecated or not.
logging.getLogger("vllm").setLevel(os.environ["VLLM_LOGGING_LEVEL"])
warnings.filterwarnings("ignore", "`torch.distributed.reduce_op` is deprecated", FutureWarning)

from vllm import EngineArgs, LLMEngine, SamplingParams  # noqa: E402
from vllm.sampling_params import RequestOutputKind  # noqa: E402

_live: set[object] = set()


def start_engine(arguments: EngineArgs) -> LLMEngine:
    """The LLMEngine of these EngineArgs; engines that nobody holds any more are collected first.

    It can be dropped at any time without harm to the others; the last one tears down what they share.
    """
    reclaim()
    engine = LLMEngine.from_engine_args(arguments)
    client = engine.engine_core
    if hasattr(client, "engine_core"):  # else it runs in a process of its own and shares nothing
        client._finalizer.detach()
        mark = object()
        _live.add(mark)
        weakref.finalize(client, _release, client.engine_core, mark)
    return engine


def _release(core, mark: object) -> None:
    """Ends an engine that was collected: with the last one what all share, else only workers of its own."""
    _live.discard(mark)
    if not _live:
        core.shutdown()
    elif core.vllm_config.parallel_config.world_size > 1:
        core.model_executor.shutdown()


def cpu_options(max_model_len: int) -> dict[str, Any]:
    """`EngineArgs` of an engine on the CPU; on a GPU vLLM has its own."""
    return {
        "enforce_eager": True,
        # vLLM's default, 128, leaves shorter prefixes out of the prefix cache: every step would start anew.
        "block_size": 32,
        # A split prefill with a seeded request crashes the CPU sampler, so no prefill may be split.
        "enable_chunked_prefill": False, "max_num_batched_tokens": max(4 * max_model_len, 16384),
    }  # fmt: skip


class Engine:
    """An engine whose outputs can be awaited.

    One pump task per event loop steps it while any request is unfinished and resolves those that finished. New requests
    join the running batch at the next step: no barrier, no threads, no HTTP. `folder` is what vLLM loads, `options` are
    its `EngineArgs`; prefixes are cached.
    """

    def __init__(self, folder: str, *, name: str, dtype: str, max_model_len: int, **options):
        if not torch.cuda.is_available():
            options = cpu_options(max_model_len) | options
        self.name = name
        self.core = start_engine(EngineArgs(
            model=folder, dtype=dtype, max_model_len=max_model_len, enable_prefix_caching=True, disable_log_stats=True,
            use_tqdm_on_load=False, **options,
        ))  # fmt: skip
        self._ids = itertools.count()
        self._waiting: dict[str, asyncio.Future] = {}
        self._pump = Pump(name)

    def close(self) -> None:
        """Frees weights and cache; RuntimeError while a request is unfinished."""
        if self._waiting:
            raise RuntimeError(f"{self.name} has {len(self._waiting)} unfinished requests: close it after them.")
        self.core = None
        reclaim()

    async def submit(self, ids: list[int], **params):
        """vLLM's final output for these token ids and `SamplingParams`; RuntimeError if the engine is closed, in use by
        another thread's loop, or with its cause if it fails."""
        if self.core is None:
            raise RuntimeError(f"{self.name} is closed: load it again.")
        params = SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **params)
        self._pump.start(self._run)
        request = f"{next(self._ids)}"
        future = asyncio.get_running_loop().create_future()
        self.core.add_request(request, {"prompt_token_ids": ids}, params)
        self._waiting[request] = future
        try:
            return await future
        finally:
            if self._waiting.pop(request, None) is not None:
                self.core.abort_request([request])

    async def _run(self) -> None:
        try:
            while self._waiting:
                for output in self.core.step():
                    if output.finished and (future := self._waiting.pop(output.request_id, None)) and not future.done():
                        future.set_result(output)
                await asyncio.sleep(0)
        except Exception as error:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(RuntimeError(f"{self.name}: the vLLM engine failed: {error}"))
            self._waiting.clear()
