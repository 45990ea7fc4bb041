"""Which policy is meant by a name and its options: known without its weights, and without importing any engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

from ttslib.policies.base import identity
from ttslib.policies.registry import PAPER_POLICIES, PolicyCard
from ttslib.prompts import Prompt, get_prompt
from ttslib.zoo import NANO, model_folder, read_config, weights_hash

BACKENDS = ("vllm", "transformers")
SETTINGS = ("dtype", "max_model_len", "logprobs", "quantization", "kv_cache_dtype")
"""Options that change what is sampled, besides the backend; the others say where and how fast it runs."""


@dataclass(frozen=True)
class Resolved:
    """A policy by what is known before it is loaded.

    Attributes:
        folder: where it lies, or its Hub id.
        card: that of the registry, for the paper's Hub ids.
        commit: of a Hub id; None for a folder.
        prompt: how it is asked.
        settings: see `Policy`.
    """

    folder: Folder | str
    card: PolicyCard | None
    commit: str | None
    prompt: Prompt
    settings: dict[str, Any]

    @property
    def revision(self) -> str:
        """The commit, or the hash of a folder's weights, which are read for it."""
        return self.commit or weights_hash(self.folder)


def resolve(
    name: str, *, backend: str | None = None, prompt: str | Prompt | None = None, **options: Any
) -> Resolved:
    """What `load_policy` would load with the same arguments.

    Raises ValueError for an unknown name, backend or prompt, a folder that is no language model, a Hub id whose
    config.json cannot be had, and a dtype for a server. Of the paper's Hub ids nothing is asked of the Hub.
    """
    folder = model_folder(name, "policy")
    card = PAPER_POLICIES.get(name) if isinstance(folder, str) else None
    if prompt is None:
        if name not in NANO and card is None:
            raise ValueError(
                f"{name} is none of the models whose prompt is known: say how it is asked, e.g. prompt='qwen2.5', or "
                "a ttslib.prompts.Prompt of its own."
            )
        prompt = card.prompt if card else "nano"
    shape = prompt if isinstance(prompt, Prompt) else get_prompt(prompt)
    settings = {option: options[option] for option in SETTINGS if options.get(option)}
    if backend:
        settings["backend"] = "server" if is_url(backend) else backend
        if settings["backend"] not in (*BACKENDS, "server"):
            raise ValueError(f"Unknown backend {backend!r}: give 'vllm', 'transformers' or the URL of a server.")
        if is_url(backend) and "dtype" in settings:
            raise ValueError(
                f"The server decides its dtype: {settings['dtype']!r} can only be given to it, when it is started."
            )
    commit = card.revision if card else language_model(name, folder)[1]
    return Resolved(folder, card, commit, shape, settings)


def sampling(name: str) -> Mapping[str, float]:
    """The fields of `SearchConfig` in which a policy differs from the defaults: those of the paper's Hub ids."""
    return {} if name not in PAPER_POLICIES or Folder(name).is_dir() else PAPER_POLICIES[name].sampling


def identify(name: str, **options: Any) -> dict[str, Any]:
    """`load_policy(name, **options).identity`, without loading it or importing torch or vLLM. Raises as `resolve`."""
    policy = resolve(name, **options)
    return identity(name, policy.revision, policy.prompt, policy.settings)


def is_url(backend: str) -> bool:
    """Whether a backend is the URL of a server."""
    return backend.startswith(("http://", "https://"))


def language_model(name: str, folder: Folder | str, revision: str = "main") -> tuple[dict[str, Any], str | None]:
    """`read_config`; ValueError if it is not that of a causal language model, or says that the model is a PRM."""
    config, commit = read_config(folder, revision)
    kinds = config.get("architectures") or []
    generates = all(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds)
    if not generates or "prm_format" in config:
        raise ValueError(f"{name} is no policy but {', '.join(kinds)}: load a PRM with load_prm.")
    return config, commit
