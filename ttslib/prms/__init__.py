"""PRMs: `load_prm` by name or path, each in its original's input format."""

import json

from ttslib.policies.base import Path
from ttslib.prms.base import PRM
from ttslib.zoo import model_folder, weights_hash

__all__ = ["PRM", "Path", "load_prm"]


def load_prm(name: str, *, format: str | None = None, device: str | None = None, **options) -> PRM:
    """The PRM `name`: a nano PRM ("nano-prm-qwen-m") or the path of a Hugging Face folder.

    `format`: "tag" (tag token, +/- logits) or "two_class" (two-class head at a marker); read from the architecture if
    not given. `options` are those of `TransformersPRM`: reuse, cache_tokens, batch_tokens, patience. Raises ValueError
    for an unknown name or format.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ttslib.prms.heads import Qwen2ForProcessRewardModel
    from ttslib.prms.tag_token import TagToken
    from ttslib.prms.transformers_prm import TransformersPRM
    from ttslib.prms.two_class import TwoClass

    folder = model_folder(name)
    if isinstance(folder, str):
        raise ValueError(f"{name}: PRMs are loaded from a local folder so far; download it and give its path.")
    config = json.loads((folder / "config.json").read_text())
    format = format or ("two_class" if "RewardModel" in config["architectures"][0] else "tag")
    classes = {"tag": (AutoModelForCausalLM, TagToken), "two_class": (Qwen2ForProcessRewardModel, TwoClass)}
    if format not in classes:
        raise ValueError(f"Unknown PRM format {format!r}: give {' or '.join(map(repr, classes))}.")
    network_class, shape = classes[format]
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    network = network_class.from_pretrained(folder, dtype=dtype).to(device)
    return TransformersPRM(
        network, shape(AutoTokenizer.from_pretrained(folder)), name=name, revision=weights_hash(folder),
        max_model_len=config["max_position_embeddings"], **options,
    )
