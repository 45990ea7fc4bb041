"""Loads a PRM: checked first, then fetched, then built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as Folder
from typing import TYPE_CHECKING, Any

from ttslib import torch_settings
from ttslib.prms.base import PRM
from ttslib.prms.formats import get_format
from ttslib.prms.resolve import Resolved, resolve
from ttslib.zoo import NANO, read_config

if TYPE_CHECKING:
    import torch

VLLM_CONTEXT = 16_384  # of the models whose own is longer: vLLM needs room in its cache for one whole context
OUTPUT = "lm_head.weight"


def load_prm(name: str, *, format: str | None = None, format_options: Mapping[str, str] | None = None,
             device: str | Sequence[str] | None = None, dtype: str | None = None, backend: str = "transformers",
             **options) -> PRM:
    """The PRM `name`: a nano PRM ("nano-prm-qwen-m"), a Hub id, or the path of a Hugging Face folder.

    `format`: the name of its input format (`ttslib.prms.formats`). If not given it is that of the registry for exactly
    the paper's Hub ids, else read from config.json; a causal LM that does not say it there must be told.
    `format_options`: what the format is built with (its tag, marker or system prompt), unlike the original.
    `device`: one, or several GPUs ("cuda:1", "cuda:2") that share the layers: room for a larger PRM, not more speed.
    `dtype`: default bfloat16 on a GPU, float32 without and for nano PRMs. `backend`: "transformers", or "vllm" for the
    formats that it can score, which places itself (no `device`). `options` are those of `TransformersPRM` (reuse,
    cache_tokens, batch_tokens, patience) or of vLLM's `EngineArgs` (`max_model_len` is at most 16,384 unless given).

    Raises ValueError, before any weight is read, for an unknown name or format, a Hub id that cannot be had, missing
    files or tensors, and too little memory.
    """
    if backend == "vllm" and device is not None:
        raise ValueError(f"vLLM places its models itself: leave out device={device!r}, or set CUDA_VISIBLE_DEVICES.")
    torch_settings.apply()
    prm = resolve(name, format=format, format_options=format_options, dtype=dtype, backend=backend, **options)
    devices = _devices(device)
    dtype = dtype or ("bfloat16" if devices[0].startswith("cuda") and name not in NANO else "float32")
    config, _ = read_config(prm.folder, prm.commit or "main")
    folder = _checked(prm, config, dtype, devices)

    from transformers import AutoTokenizer

    shape = get_format(prm.format)(AutoTokenizer.from_pretrained(folder), **prm.format_options)
    known = {"name": name, "revision": prm.revision, "settings": prm.settings}
    context = config["max_position_embeddings"]
    if backend == "vllm":
        from ttslib.prms.vllm_prm import VLLMPRM

        options = {"max_model_len": min(context, VLLM_CONTEXT)} | options
        return VLLMPRM(str(folder), shape, dtype=dtype, **known, **options)
    from ttslib.prms.transformers_prm import TransformersPRM

    return TransformersPRM(_network(prm, folder, dtype, devices), shape, max_model_len=context, **known, **options)


def _devices(device: str | Sequence[str] | None) -> list[str]:
    """The device or devices asked for; a GPU if there is one, by default."""
    import torch

    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    devices = [device] if isinstance(device, str) else list(device)
    if len(devices) != 1 and not (devices and all(each.startswith("cuda:") for each in devices)):
        raise ValueError(f"Only GPUs can share a PRM, each named by its number (cuda:0), not device={device!r}.")
    if devices[0].startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"There is no GPU here for device={device!r}.")
    return devices


def _checked(prm: Resolved, config: Mapping[str, Any], dtype: str, devices: Sequence[str]) -> Folder:
    """The folder of the weights, a Hub id's downloaded if they fit; ValueError if they are not whole or do not fit."""
    import torch

    from ttslib import checkpoint

    precision = getattr(torch, dtype)
    if isinstance(prm.folder, str):
        known = prm.card.parameters if prm.card else checkpoint.hub_parameters(prm.folder, prm.commit)
        if known:
            checkpoint.check_memory(prm.name, known, precision, *devices)
        folder = checkpoint.fetch(prm.folder, prm.commit)
    else:
        folder = prm.folder
    checkpoint.check_tokenizer(prm.name, folder)
    sizes = checkpoint.tensors(folder)
    tied = config.get("tie_word_embeddings", False)
    head = tuple(each for each in get_format(prm.format).tensors if each != OUTPUT or not tied)
    checkpoint.check_head(prm.name, set(sizes), head)
    loaded = sum(size for tensor, size in sizes.items() if tensor != OUTPUT or tensor in head)
    checkpoint.check_memory(prm.name, loaded, precision, *devices)
    return folder


def _network(prm: Resolved, folder: Folder, dtype: str, devices: Sequence[str]) -> torch.nn.Module:
    """The network on its device, or its layers spread evenly over several; ValueError for a tensor that is missing."""
    import torch

    from ttslib.checkpoint import free_bytes

    spread: dict[str, Any] = {}
    if len(devices) > 1:
        room = {torch.device(each).index: free_bytes(each) for each in devices}
        spread = {"device_map": "balanced", "max_memory": room}
    network, report = get_format(prm.format).network_class().from_pretrained(
        folder, dtype=getattr(torch, dtype), use_safetensors=True, output_loading_info=True, **spread
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"{prm.name} has no tensor {missing[0]}: it is no whole {type(network).__name__}.")
    if not spread:
        return network.to(devices[0])
    if not all(isinstance(place, int) for place in network.hf_device_map.values()):
        where = " and ".join(devices)
        raise ValueError(f"{prm.name} does not fit {where}: give it more GPUs, or leave more of them free.")
    return network
