"""The files of a model: fetched from the Hub and checked before anything large is read."""

from __future__ import annotations

import json
import math
from pathlib import Path

from ttslib.zoo import hub_file, read_config, unreachable

FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
GIB = 2**30


def fetch(repo: str, revision: str) -> Path:
    """The folder of a Hub repository at a commit, from the local cache or downloaded into it: weights as safetensors,
    configuration and tokenizer, no code. ValueError if it cannot be had, or holds no safetensors."""
    from huggingface_hub import constants, snapshot_download

    offline = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else unreachable(constants.ENDPOINT)
    try:
        folder = Path(
            snapshot_download(repo, revision=revision, allow_patterns=FILES, local_files_only=bool(offline))
        )
    except Exception as error:  # the Hub's client passes on errors of whatever HTTP library it is built on
        raise ValueError(f"{repo} cannot be downloaded at {revision} ({type(error).__name__}).") from error
    if not any(folder.glob("*.safetensors")):
        why = f" in the local cache, and {offline}" if offline else ": convert what it has, and give the folder's path"
        raise ValueError(f"{repo} has no safetensors at {revision}{why}.")
    return folder


def check_memory(name: str, parameters: int, dtype, *devices: str) -> None:
    """ValueError if weights of `dtype` need more bytes than the devices have free together."""
    needed, free = parameters * dtype.itemsize, sum(map(free_bytes, devices))
    if needed > free:
        raise ValueError(
            f"{name} needs {needed / GIB:.1f} GiB for its weights, and {' and '.join(devices)}"
            f" ha{'ve' if len(devices) > 1 else 's'} {free / GIB:.1f} GiB free."
        )


def free_bytes(device: str) -> int:
    """Memory that is free on a GPU, or on this machine for "cpu"."""
    import psutil
    import torch

    return torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else psutil.virtual_memory().available


def hub_parameters(repo: str, revision: str) -> int | None:
    """Parameters of a Hub repository by the index of its weights, or by the header of its only file of weights.

    None if neither can be had or says it; `tensors` counts what was downloaded.
    """
    import torch

    try:
        index = hub_file(repo, "model.safetensors.index.json", revision=revision)
    except ValueError:
        return _parameters_of_header(repo, revision)
    config, _ = read_config(repo, revision)
    kind = getattr(torch, str(config.get("dtype") or config.get("torch_dtype") or "float32"), torch.float32)
    size = json.loads(index.read_text(encoding="utf-8")).get("metadata", {}).get("total_size")
    return size and size // kind.itemsize


def _parameters_of_header(repo: str, revision: str) -> int | None:
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE or unreachable(constants.ENDPOINT):
        return None
    try:
        header = HfApi().parse_safetensors_file_metadata(repo, "model.safetensors", revision=revision)
    except Exception:  # the Hub's client passes on errors of whatever HTTP library it is built on; `fetch` says why
        return None
    return sum(header.parameter_count.values())


def check_tokenizer(name: str, folder: Path) -> None:
    """ValueError if a folder has no tokenizer."""
    if not any((folder / file).is_file() for file in TOKENIZERS):
        raise ValueError(f"{name} has no tokenizer: none of {', '.join(TOKENIZERS)}.")


def tensors(folder: Path) -> dict[str, int]:
    """Name -> number of values of every tensor, read from the headers alone; ValueError for files that are missing
    or broken."""
    from safetensors import SafetensorError, safe_open

    index = folder / "model.safetensors.index.json"
    files = {file.name for file in folder.glob("*.safetensors")}
    if index.exists():
        wanted = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if missing := sorted(wanted - files):
            raise ValueError(f"{folder} lacks {missing[0]}, one of {len(wanted)} files that its index names.")
        files = wanted
    found = {}
    for file in sorted(files):
        try:
            with safe_open(folder / file, "np") as opened:
                names = list(opened.keys())
                found.update((name, math.prod(opened.get_slice(name).get_shape())) for name in names)
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{folder / file} cannot be read: {error}.") from error
    return found


def check_head(name: str, names: set[str], wanted: tuple[str, ...]) -> None:
    """ValueError unless the checkpoint has the body as `model.*` and every tensor of its head."""
    missing = [each for each in ("model.embed_tokens.weight", *wanted) if each not in names]
    if missing:
        has = ", ".join(sorted({each.split(".")[0] for each in names}))
        raise ValueError(f"{name} has no tensor {missing[0]}, which its PRM format needs; it has those of {has}.")
