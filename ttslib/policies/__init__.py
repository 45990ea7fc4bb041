"""Policies: `load_policy` by name, Hub id or path, on vLLM, transformers or a server."""

import importlib.util
import json
from pathlib import Path as FilePath

from ttslib.policies.base import Path, Policy, Step
from ttslib.prompts import get_prompt
from ttslib.zoo import NANO, model_folder, weights_hash

__all__ = ["Path", "Policy", "Step", "load_policy"]


def load_policy(name: str, *, backend: str | None = None, prompt: str | None = None, dtype: str | None = None,
                max_model_len: int | None = None, **options) -> Policy:
    """The policy `name`: a nano model ("nano-qwen-3m"), a Hub id, or the path of a Hugging Face folder.

    `backend`: "vllm" (default where it is installed), "transformers", or the URL of an OpenAI-compatible server.
    `prompt`: "nano", "llama3" or "qwen2.5"; required unless the model is one of the zoo. `dtype`: default float32 on
    CPU, so that a run is a function of its inputs, and "auto" on a GPU. Raises ValueError for an unknown name,
    backend or prompt, or a folder that is no model.
    """
    folder = model_folder(name)
    if prompt is None:
        if name not in NANO:
            raise ValueError(f"{name} is not one of the package's models: say how it is asked, e.g. prompt='qwen2.5'.")
        prompt = "nano"
    shape = get_prompt(prompt)
    backend = backend or ("vllm" if importlib.util.find_spec("vllm") else "transformers")
    settings = {"name": name, "revision": weights_hash(folder), "prompt": shape}
    if backend.startswith(("http://", "https://")):
        from ttslib.policies.server_policy import ServerPolicy

        return ServerPolicy(backend, folder, **settings, **options)
    if backend not in ("vllm", "transformers"):
        raise ValueError(f"Unknown backend {backend!r}: give 'vllm', 'transformers' or the URL of a server.")
    settings |= {"dtype": dtype or default_dtype(), "max_model_len": max_model_len or context_of(folder)}
    if backend == "vllm":
        from ttslib.policies.vllm_policy import VLLMPolicy

        return VLLMPolicy(str(folder), **settings, **options)
    from ttslib.policies.transformers_policy import TransformersPolicy

    return TransformersPolicy(str(folder), **settings, **options)


def default_dtype() -> str:
    """"auto" with a GPU, "float32" without."""
    import torch

    return "auto" if torch.cuda.is_available() else "float32"


def context_of(folder: FilePath | str) -> int:
    """The context length in tokens that a model's config.json states, at most 8192."""
    config = FilePath(folder) / "config.json"
    if not config.is_file():
        return 8192
    return min(8192, json.loads(config.read_text())["max_position_embeddings"])
