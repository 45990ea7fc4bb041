"""Which PRM is meant by a name and its options: known without its weights, and without importing any engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as Folder
from typing import Any

from ttslib.model import identity
from ttslib.prms.formats import FORMATS, get_format
from ttslib.prms.registry import PAPER_PRMS, PRMCard
from ttslib.zoo import NANO, is_commit, model_folder, read_config, weights_hash

BACKENDS = ("transformers", "vllm")
DTYPES = ("float32", "bfloat16", "float16")
ENGINE_SETTINGS = ("quantization", "kv_cache_dtype")
"""Options of vLLM that change scores; the others say where and how fast it runs."""


@dataclass(frozen=True)
class Resolved:
    """A PRM by what is known before it is loaded.

    Attributes:
        name: as it was asked for.
        folder: where it lies, or its Hub id.
        card: that of the registry, for the paper's Hub ids.
        commit: of a Hub id; None for a folder.
        format, format_options: the name of its format, and what that is built with.
        settings: see `PRM`.
    """

    name: str
    folder: Folder | str
    card: PRMCard | None
    commit: str | None
    format: str
    format_options: Mapping[str, str]
    settings: Mapping[str, Any]

    @property
    def revision(self) -> str:
        """The commit, or the hash of a folder's weights, which are read for it."""
        return self.commit or weights_hash(self.folder)


def resolve(
    name: str, *, format: str | None = None, format_options: Mapping[str, str] | None = None,
    dtype: str | None = None, backend: str = "transformers", **options: Any,
) -> Resolved:  # fmt: skip
    """What `load_prm` would load with the same arguments.

    Raises ValueError for an unknown name, format, dtype or backend, a backend that does not score the format, and a Hub
    id whose config.json cannot be had. Of a Hub id of the paper with a known commit nothing is asked of the Hub.
    """
    if format is not None:
        get_format(format)
    if dtype not in (None, *DTYPES):
        raise ValueError(f"Unknown dtype {dtype!r}: give {' or '.join(map(repr, DTYPES))}.")
    folder = model_folder(name, "PRM")
    card = PAPER_PRMS.get(name) if isinstance(folder, str) else None
    if card and is_commit(card.revision):
        commit, usual = card.revision, card.format
    else:
        config, commit = read_config(folder, card.revision if card else "main")
        usual = card.format if card else _declared(name, config, told=format is not None)
    chosen = format or usual
    check_backend(name, chosen, backend)
    # What every machine would choose by itself is not told apart, so that they can share a store.
    asked = {
        "format": format if format != usual else None, "format_options": dict(format_options or {}),
        "dtype": dtype if name not in NANO or dtype != "float32" else None,
        "backend": backend if backend != "transformers" else None,
    } | {option: options.get(option) for option in ENGINE_SETTINGS}  # fmt: skip
    originals = card.options if card and chosen == card.format else {}
    return Resolved(
        name, folder, card, commit, chosen, {**originals, **(format_options or {})},
        {setting: value for setting, value in asked.items() if value},
    )


def identify(name: str, **options: Any) -> dict[str, Any]:
    """`load_prm(name, **options).identity`, without loading it or importing torch or vLLM. Raises as `resolve`."""
    prm = resolve(name, **options)
    return identity(name, prm.revision, prm.settings)


def check_backend(name: str, format: str, backend: str) -> None:
    """ValueError if a backend does not score a format."""
    if backend not in BACKENDS:
        raise ValueError(f"Unknown PRM backend {backend!r}: give {' or '.join(map(repr, BACKENDS))}.")
    if backend == "vllm" and not get_format(format).vllm:
        raise ValueError(f"{name} has the format {format!r}, which vLLM does not score: leave out backend='vllm'.")


def _declared(name: str, config: Mapping[str, Any], told: bool) -> str | None:
    """The format that config.json names as `prm_format`, as those of nano PRMs do, or that the architecture means.

    None for any other if the format was told, else ValueError: nothing tells a causal LM that answers in tokens from a
    policy.
    """
    kind = (config.get("architectures") or ["nothing"])[0]
    meant = next((format.name for format in FORMATS.values() if kind in format.architectures), None)
    written = config.get("prm_format")
    found = written or meant
    if found in FORMATS:
        return found
    if told:
        return None
    if written:
        raise ValueError(f"{name} has the PRM format {written!r}, which is not known: register it, or give format=.")
    known = " or ".join(map(repr, FORMATS))
    raise ValueError(
        f"{name} is {kind}, which does not say how it is asked: give format={known}, or load a policy with load_policy."
    )
