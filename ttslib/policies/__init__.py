"""Policies: `load_policy` by name, Hub id or path, on vLLM, transformers or a server."""

import importlib.util
import sys
from functools import cache
from typing import Any

from ttslib.policies.base import Path, Policy, Step
from ttslib.prompts import get_prompt
from ttslib.zoo import NANO, describe, model_folder

__all__ = ["Path", "Policy", "Step", "load_policy"]

LONGEST = 8192


def load_policy(name: str, *, backend: str | None = None, prompt: str | None = None, dtype: str | None = None,
                max_model_len: int | None = None, **options) -> Policy:
    """The policy `name`: a nano model ("nano-qwen-3m"), a Hub id, or the path of a Hugging Face folder.

    `backend`: "vllm", "transformers", or the URL of an OpenAI-compatible server (see server_policy.py); default vLLM,
    or transformers where vLLM is not installed, which is said once on stderr. `prompt`: "nano", "llama3", "qwen2.5" or
    "r1"; required unless the model is one of the zoo. `dtype`: default float32 on CPU, so that a run is a function of
    its inputs, and "auto" on a GPU; a server has its own. `max_model_len`: context in tokens, default the model's, at
    most 8192. `options` are the backend's. Raises ValueError for an unknown name, backend or prompt, a folder that is
    no language model, a backend that is not installed, or a server or Hub that cannot be reached.
    """
    folder = model_folder(name)
    if prompt is None:
        if name not in NANO:
            raise ValueError(f"{name} is not one of the package's models: say how it is asked, e.g. prompt='qwen2.5'.")
        prompt = "nano"
    shape = get_prompt(prompt)
    backend = backend or default_backend()
    served = backend.startswith(("http://", "https://"))
    if not served and backend not in ("vllm", "transformers"):
        raise ValueError(f"Unknown backend {backend!r}: give 'vllm', 'transformers' or the URL of a server.")
    if backend == "vllm" and not installed("vllm"):
        raise ValueError("vLLM is not installed: make the environment again (make env), or ask for 'transformers'.")
    if served and dtype:
        raise ValueError(f"The server decides its dtype: {dtype!r} can only be given to it, when it is started.")
    config, revision = describe(folder)
    check_language_model(name, config)
    settings = {
        "name": name, "revision": revision, "prompt": shape,
        "max_model_len": max_model_len or min(LONGEST, config.get("max_position_embeddings", LONGEST)),
    }
    if served:
        from ttslib.policies.server_policy import ServerPolicy

        return ServerPolicy(str(folder), url=backend, **settings, **options)
    settings["dtype"] = dtype or default_dtype()
    if backend == "vllm":
        from ttslib.policies.vllm_policy import VLLMPolicy

        return VLLMPolicy(str(folder), **settings, **options)
    from ttslib.policies.transformers_policy import TransformersPolicy

    return TransformersPolicy(str(folder), **settings, **options)


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
    """Raise ValueError if a config.json is not that of a causal language model, or the model is a PRM of the zoo."""
    kinds = config.get("architectures") or []
    generates = all(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds)
    if not generates or name.rsplit("/", 1)[-1].startswith("nano-prm"):
        raise ValueError(f"{name} is no policy but {', '.join(kinds)}: load a PRM with load_prm.")
