"""Policies: `load_policy` by name, Hub id or path, on vLLM, transformers or a server; `identify` without loading."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path as Folder
from typing import Any

from ttslib import torch_settings
from ttslib.policies.base import Draw, Path, Policy, Step
from ttslib.policies.registry import PAPER_POLICIES, PolicyCard
from ttslib.policies.resolve import identify, is_url, language_model, resolve, sampling
from ttslib.prompts import Prompt
from ttslib.zoo import NANO

__all__ = ["PAPER_POLICIES", "Draw", "Path", "Policy", "PolicyCard", "Step", "identify", "load_policy", "sampling"]

LONGEST = 8192
"""Context in tokens, of a model that may write no more in one solution."""


def load_policy(name: str, *, backend: str | None = None, prompt: str | Prompt | None = None,
                dtype: str | None = None, max_model_len: int | None = None, **options) -> Policy:  # fmt: skip
    """The policy `name`: a nano model ("nano-qwen-3m"), a Hub id, or the path of a Hugging Face folder.

    `backend`: "vllm", "transformers", or the URL of an OpenAI-compatible server (see server_policy.py); default vLLM,
    or transformers where vLLM is not installed, which is said once on stderr. `prompt`: "nano", "llama3", "qwen2.5",
    "r1" or a `Prompt` of your own; known for the zoo and for exactly the Hub ids of `PAPER_POLICIES`, whose revision,
    prompt and sampling are those of the registry, and required for any other model, however much its name is like one
    of these. `dtype`: default float32 on CPU, so that a run is a function of its inputs, and for nano models, else
    "auto"; a server has its own. `max_model_len`: context in tokens, default the model's, at most 8192 or what the
    registry lets it write. `options` are the backend's; memory is checked for one GPU, or `tensor_parallel_size`.

    Raises ValueError for an unknown name, backend or prompt, a folder that is no language model, a backend that is not
    installed, a server or Hub that cannot be reached, a gated model, missing or broken files, or weights larger than
    the memory that is free: within seconds, and for a registered model before its weights are downloaded.
    """
    torch_settings.apply()
    asked = {"dtype": dtype, "max_model_len": max_model_len}
    model = resolve(name, backend=backend, prompt=prompt, **asked, **options)
    folder, card = model.folder, model.card
    backend = backend or default_backend()
    if backend == "vllm" and not installed("vllm"):
        raise ValueError("vLLM is not installed: make the environment again (make env), or ask for 'transformers'.")
    served = is_url(backend)
    dtype = None if served else dtype or ("float32" if name in NANO else default_dtype())
    if card and not served:
        check_memory(name, card.parameters, dtype, options)
    config, _ = language_model(name, folder, model.commit or "main")
    where = folder if served else check_weights(name, folder, model.commit, dtype, options)
    longest = max(LONGEST, card.max_new_tokens) if card else LONGEST
    known = {
        "name": name, "revision": model.revision, "prompt": model.prompt,
        "max_model_len": max_model_len or min(longest, config.get("max_position_embeddings", longest)),
    } | ({} if served else {"dtype": dtype})  # fmt: skip
    policy = _backend(backend)(str(where), **known, **options)
    policy.settings, policy.sampling = model.settings, sampling(name)
    return policy


def _backend(backend: str) -> Callable[..., Policy]:
    """What makes a policy of a folder; imported only now, since it imports its engine."""
    if backend == "vllm":
        from ttslib.policies.vllm_policy import VLLMPolicy

        return VLLMPolicy
    if backend == "transformers":
        from ttslib.policies.transformers_policy import TransformersPolicy

        return TransformersPolicy
    from ttslib.policies.server_policy import ServerPolicy

    return partial(ServerPolicy, url=backend)


def check_weights(
    name: str, folder: Folder | str, revision: str | None, dtype: str, options: Mapping[str, Any]
) -> Folder:
    """The folder of the weights, a Hub id's downloaded at `revision`; ValueError if they are not whole or too large."""
    from ttslib.checkpoint import check_tokenizer, fetch, hub_parameters, tensors

    if isinstance(folder, str) and name not in PAPER_POLICIES and (known := hub_parameters(folder, revision)):
        check_memory(name, known, dtype, options)
    where = fetch(folder, revision) if isinstance(folder, str) else folder
    check_tokenizer(name, where)
    check_memory(name, sum(tensors(where).values()), dtype, options)
    return where


def check_memory(name: str, parameters: int, dtype: str, options: Mapping[str, Any]) -> None:
    """ValueError if the weights need more memory than is free; "auto" counts as bfloat16.

    `options` are the backend's: tensor parallelism leaves each GPU its share, and the first GPU stands for all.
    """
    import torch

    from ttslib import checkpoint

    kind = getattr(torch, "bfloat16" if dtype == "auto" else dtype, None)
    if not isinstance(kind, torch.dtype):
        raise ValueError(f"Unknown dtype {dtype!r}: give 'auto', 'bfloat16', 'float16' or 'float32'.")
    device = options.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint.check_memory(name, parameters // options.get("tensor_parallel_size", 1), kind, device)


def installed(module: str) -> bool:
    """Whether `module` can be imported, as far as can be said without importing it."""
    return importlib.util.find_spec(module) is not None


@cache
def default_backend() -> str:
    """"vllm", or "transformers" where vLLM is not installed; the latter is said once, on stderr."""
    if installed("vllm"):
        return "vllm"
    print("ttslib: vLLM is not installed here, so policies run on transformers, which is slower.", file=sys.stderr)
    return "transformers"


def default_dtype() -> str:
    """"auto" with a GPU, "float32" without."""
    import torch

    return "auto" if torch.cuda.is_available() else "float32"
