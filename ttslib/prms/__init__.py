"""PRMs: `load_prm` by name, Hub id or path, each in its original's input format."""

from collections.abc import Mapping, Sequence
from typing import Any

from ttslib.policies.base import Path
from ttslib.prms.base import PRM
from ttslib.prms.registry import PAPER_PRMS, PRMCard
from ttslib.zoo import NANO, model_folder, read_config, weights_hash

__all__ = ["PAPER_PRMS", "PRM", "PRMCard", "Path", "load_prm"]

FORMATS = ("tag", "two_class", "chat_turns", "value_head")
BACKENDS = ("transformers", "vllm")
VLLM_CONTEXT = 16_384  # of the models whose own is longer: vLLM needs room in its cache for one whole context
DTYPES = ("float32", "bfloat16", "float16")
ARCHITECTURES = {"Qwen2ForProcessRewardModel": "two_class", "Qwen2ForPrmModel": "value_head"}
HEADS = {
    "tag": ("lm_head.weight",),
    "two_class": ("score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias"),
    "chat_turns": ("lm_head.weight",),
    "value_head": ("v_head.summary.weight", "v_head.summary.bias"),
}


def load_prm(name: str, *, format: str | None = None, format_options: Mapping[str, str] | None = None,
             device: str | Sequence[str] | None = None, dtype: str | None = None, backend: str = "transformers",
             **options) -> PRM:
    """The PRM `name`: a nano PRM ("nano-prm-qwen-m"), a Hub id, or the path of a Hugging Face folder.

    `format`: "tag" (tag token, +/- logits), "two_class" (two-class head at a marker), "chat_turns" (a step a turn, +/-
    logits) or "value_head" (sigmoid of a value at each line break). If not given it is that of the registry for exactly
    the paper's Hub ids, else read from the architecture; a causal LM that is neither must be told. `format_options`:
    what the format is built with (`tag`, `good`, `bad`, `bos`; `marker`, `system`; `separator`), unlike the original.
    `device`: one, or several GPUs ("cuda:1", "cuda:2") that share the layers: room for a larger PRM, not more speed.
    `dtype`: default bfloat16 on a GPU, float32 without and for nano PRMs. `backend`: "transformers", or "vllm" for the
    formats "tag" and "chat_turns", which places itself (no `device`). `options` are those of `TransformersPRM` (reuse,
    cache_tokens, batch_tokens, patience) or of vLLM's `EngineArgs` (`max_model_len` is at most 16,384 unless given).

    Raises ValueError, before any weight is read, for an unknown name or format, a Hub id that cannot be had, missing
    files or tensors, and too little memory.
    """
    if format is not None and format not in FORMATS:
        raise ValueError(f"Unknown PRM format {format!r}: give {' or '.join(map(repr, FORMATS))}.")
    if backend == "vllm" and device is not None:
        raise ValueError(f"vLLM places its models itself: leave out device={device!r}, or set CUDA_VISIBLE_DEVICES.")
    where = model_folder(name)

    import torch
    from transformers import AutoTokenizer

    from ttslib import checkpoint
    from ttslib.prms.transformers_prm import TransformersPRM

    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    devices = [device] if isinstance(device, str) else list(device)
    if len(devices) != 1 and not (devices and all(each.startswith("cuda:") for each in devices)):
        raise ValueError(f"Only GPUs can share a PRM, each named by its number (cuda:0), not device={device!r}.")
    if devices[0].startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"There is no GPU here for device={device!r}.")
    usual = "bfloat16" if devices[0].startswith("cuda") and name not in NANO else "float32"
    # What is not as usual tells records apart.
    unusual = ({"dtype": dtype} if dtype not in (None, usual) else {}) | dict(format_options or {})
    dtype = dtype or usual
    if dtype not in DTYPES:
        raise ValueError(f"Unknown dtype {dtype!r}: give {' or '.join(map(repr, DTYPES))}.")
    precision = getattr(torch, dtype)
    card = PAPER_PRMS.get(name) if isinstance(where, str) else None
    config, revision = read_config(where, card.revision if card else "main")
    format = format or (card.format if card else _format_of(name, config))
    check_backend(name, format, backend)
    known_size = card.parameters if card else checkpoint.hub_parameters(where, revision) if revision else None
    if known_size:
        checkpoint.check_memory(name, known_size, precision, *devices)
    folder = checkpoint.fetch(where, revision) if isinstance(where, str) else where
    checkpoint.check_tokenizer(name, folder)
    sizes = checkpoint.tensors(folder)
    tied = HEADS[format] == ("lm_head.weight",) and config.get("tie_word_embeddings", False)
    head = () if tied else HEADS[format]
    checkpoint.check_head(name, set(sizes), head)
    loaded = sum(size for tensor, size in sizes.items() if tensor != "lm_head.weight" or tensor in head)
    checkpoint.check_memory(name, loaded, precision, *devices)
    if card and format == card.format:
        format_options = {**card.options, **(format_options or {})}
    shape = _format_class(format)(AutoTokenizer.from_pretrained(folder), **(format_options or {}))
    known = {"name": name, "revision": revision or weights_hash(folder), "settings": unusual or None}
    context = config["max_position_embeddings"]
    if backend == "vllm":
        from ttslib.prms.vllm_prm import VLLMPRM

        room = {"max_model_len": min(context, VLLM_CONTEXT)}
        return VLLMPRM(str(folder), shape, dtype=dtype, **known, **(room | options))
    network, report = _network_class(format).from_pretrained(
        folder, dtype=precision, use_safetensors=True, output_loading_info=True, **_spread(devices)
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"{name} has no tensor {missing[0]}: it is no whole {type(network).__name__}.")
    if len(devices) == 1:
        network = network.to(devices[0])
    elif not all(isinstance(place, int) for place in network.hf_device_map.values()):
        raise ValueError(f"{name} does not fit {' and '.join(devices)}: give it more GPUs, or leave more of them free.")
    return TransformersPRM(network, shape, max_model_len=context, **known, **options)


def check_backend(name: str, format: str, backend: str) -> None:
    """ValueError if a backend does not score a format."""
    if backend not in BACKENDS:
        raise ValueError(f"Unknown PRM backend {backend!r}: give {' or '.join(map(repr, BACKENDS))}.")
    if backend == "vllm" and HEADS[format] != ("lm_head.weight",):
        raise ValueError(f"{name} has the format {format!r}, which vLLM does not score: leave out backend='vllm'.")


def _spread(devices: Sequence[str]) -> dict[str, Any]:
    """What tells transformers to share the layers evenly among several GPUs; nothing for a single device."""
    import torch

    from ttslib.checkpoint import free_bytes

    if len(devices) == 1:
        return {}
    return {"device_map": "balanced", "max_memory": {torch.device(each).index: free_bytes(each) for each in devices}}


def _format_of(name: str, config: dict) -> str:
    """The format that config.json names as `prm_format`, as those of nano PRMs do, or that the architecture has.

    ValueError for any other causal LM: nothing tells a PRM that answers in tokens from a policy.
    """
    if config.get("prm_format") in FORMATS:
        return config["prm_format"]
    kind = (config.get("architectures") or ["nothing"])[0]
    if kind in ARCHITECTURES:
        return ARCHITECTURES[kind]
    known = " or ".join(map(repr, FORMATS))
    raise ValueError(
        f"{name} is {kind}, which does not say how it is asked: give format={known}, or load a policy with load_policy."
    )


def _format_class(format: str) -> type:
    from ttslib.prms.chat_turns import ChatTurns
    from ttslib.prms.tag_token import TagToken
    from ttslib.prms.two_class import TwoClass
    from ttslib.prms.value_head import ValueHead

    return {"tag": TagToken, "two_class": TwoClass, "chat_turns": ChatTurns, "value_head": ValueHead}[format]


def _network_class(format: str) -> type:
    from transformers import AutoModelForCausalLM

    from ttslib.prms.heads import Qwen2ForPrmModel, Qwen2ForProcessRewardModel

    return {"two_class": Qwen2ForProcessRewardModel, "value_head": Qwen2ForPrmModel}.get(format, AutoModelForCausalLM)
