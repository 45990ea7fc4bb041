"""Policies: `load_policy` by name, Hub id or path, on vLLM, transformers or a server."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path as Folder
from typing import Any

from ttslib.policies.base import Path, Policy, Sampling, Step
from ttslib.policies.registry import PAPER_POLICIES, PolicyCard
from ttslib.prompts import Prompt, get_prompt
from ttslib.zoo import NANO, model_folder, read_config, weights_hash

__all__ = ["PAPER_POLICIES", "Path", "Policy", "PolicyCard", "Sampling", "Step", "load_policy"]

LONGEST = 8192


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
    folder = model_folder(name)
    card = PAPER_POLICIES.get(name) if isinstance(folder, str) else None
    if prompt is None:
        if name not in NANO and card is None:
            raise ValueError(
                f"{name} is none of the models whose prompt is known: say how it is asked, e.g. prompt='qwen2.5', or "
                "a ttslib.prompts.Prompt of its own."
            )
        prompt = card.prompt if card else "nano"
    shape = prompt if isinstance(prompt, Prompt) else get_prompt(prompt)
    backend = backend or default_backend()
    served = backend.startswith(("http://", "https://"))
    if not served and backend not in ("vllm", "transformers"):
        raise ValueError(f"Unknown backend {backend!r}: give 'vllm', 'transformers' or the URL of a server.")
    if backend == "vllm" and not installed("vllm"):
        raise ValueError("vLLM is not installed: make the environment again (make env), or ask for 'transformers'.")
    if served and dtype:
        raise ValueError(f"The server decides its dtype: {dtype!r} can only be given to it, when it is started.")
    dtype = None if served else dtype or ("float32" if name in NANO else default_dtype())
    if card and not served:
        check_memory(name, card.parameters, dtype, options)
    config, commit = read_config(folder, card.revision if card else "main")
    check_language_model(name, config)
    where = folder if served else check_weights(name, folder, commit, dtype, options)
    longest = max(LONGEST, card.max_new_tokens) if card else LONGEST
    settings = {
        "name": name, "revision": commit or weights_hash(folder), "prompt": shape,
        "max_model_len": max_model_len or min(longest, config.get("max_position_embeddings", longest)),
    } | ({} if served else {"dtype": dtype})
    policy = _backend(backend)(str(where), **settings, **options)
    policy.sampling = card.sampling if card else Sampling()
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


def check_language_model(name: str, config: dict[str, Any]) -> None:
    """Raise ValueError if a config.json is not that of a causal language model, or says that the model is a PRM."""
    kinds = config.get("architectures") or []
    generates = all(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds)
    if not generates or "prm_format" in config:
        raise ValueError(f"{name} is no policy but {', '.join(kinds)}: load a PRM with load_prm.")
