"""Several vLLM engines in one process, which come and go.

vLLM 0.32 gives all engines of a process one set of distributed groups, and the first engine that is garbage-collected
destroys it: the others then fail with "pipeline model parallel group is not initialized". It also hides everything that
exists when an engine has started from the garbage collector, dropped engines with their caches included. In a notebook
a second `policy = load_policy(...)` is enough for either.
"""

import gc
import weakref

from vllm import EngineArgs, LLMEngine

_live: set[object] = set()


def start_engine(arguments: EngineArgs) -> LLMEngine:
    """The LLMEngine of these EngineArgs; engines that nobody holds any more are collected first.

    It can be dropped at any time without harm to the others; the last one tears down what they share.
    """
    gc.unfreeze()
    gc.collect()
    engine = LLMEngine.from_engine_args(arguments)
    client = engine.engine_core
    if hasattr(client, "engine_core"):  # else it runs in a process of its own and shares nothing
        client._finalizer.detach()
        mark = object()
        _live.add(mark)
        weakref.finalize(client, _release, client.engine_core, mark)
    return engine


def _release(core, mark: object) -> None:
    _live.discard(mark)
    if not _live:
        core.shutdown()
