"""The GPUs to plan for: named (`4xA100-80GB`), or those of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """One GPU. memory: bytes as CUDA reports them; bandwidth: bytes/s; flops: dense bf16 FLOP/s."""

    name: str
    memory: float
    bandwidth: float
    flops: float


KNOWN = {
    gpu.name: gpu
    for gpu in (
        # Bandwidth and dense bf16 from NVIDIA's data sheets, half of the value given "with sparsity" where only that is
        # printed. Memory is what PyTorch reports as total capacity, the smallest value seen, since the name's GB are
        # sometimes 10^9 and sometimes 2^30 bytes.
        Gpu("A100-40GB", 39.4 * GIB, 1555e9, 312e12),  # A100 data sheet, SXM
        Gpu("A100-80GB", 79.1 * GIB, 2039e9, 312e12),  # A100 data sheet, SXM (PCIe: 1935 GB/s)
        Gpu("H100-80GB", 79.1 * GIB, 3350e9, 989e12),  # H100 data sheet, SXM (1979 with sparsity)
        Gpu("H200-141GB", 139.7 * GIB, 4800e9, 989e12),  # H200 data sheet, SXM (1979 with sparsity)
        Gpu("L40S-48GB", 44.4 * GIB, 864e9, 362e12),  # L40S data sheet (733 with sparsity)
        Gpu("RTX4090-24GB", 23.5 * GIB, 1008e9, 165e12),  # Ada whitepaper: bf16 with float32 accumulation
    )
}
OWN = "COUNTxNAME-MEMGB:GB_PER_S:TFLOPS"


@dataclass(frozen=True)
class Machine:
    """`count` GPUs of one kind; no GPU if count is 0."""

    count: int
    gpu: Gpu | None

    def __str__(self) -> str:
        return f"{self.count}x{self.gpu.name}" if self.gpu else "no GPU"


NO_GPU = Machine(0, None)


def parse_gpus(text: str) -> Machine:
    """`4xA100-80GB`, `A100-80GB`, `2xB200-180GB:8000:2250` (GB/s and dense bf16 TFLOP/s of a GPU not known), or `none`.

    Raises ValueError, listing what is known, for anything else.
    """
    text = text.strip()
    if text.lower() in ("none", "0", "cpu"):
        return NO_GPU
    found = re.fullmatch(r"(?:(\d+)\s*x\s*)?([\w ]+?)-(\d+)\s*GB(?::([\d.]+):([\d.]+))?", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"GPUS={text} is not understood: write COUNTxNAME-MEMGB ({_known()}), {OWN}, or none.")
    count, name, size, bandwidth, flops = found.groups()
    if count and not int(count):
        return NO_GPU
    if bandwidth:
        gpu = Gpu(f"{name}-{size}GB", float(size) * 1e9, _positive(bandwidth) * 1e9, _positive(flops) * 1e12)
    else:
        gpu = next((each for each in KNOWN.values() if _plain(each.name) == _plain(f"{name}-{size}GB")), None)
    if gpu is None or not gpu.memory:
        raise ValueError(f"GPU {name}-{size}GB is not known: give one of {_known()}, or its numbers as {OWN}.")
    return Machine(int(count or 1), gpu)


def gpus_present() -> Machine:
    """The GPUs of this machine by `nvidia-smi`, of which CUDA_VISIBLE_DEVICES counts; NO_GPU if there are none.

    Raises ValueError for GPUs that are not known or not all the same: then they have to be named.
    """
    ask = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return NO_GPU
    return from_smi(said, os.environ.get("CUDA_VISIBLE_DEVICES"))


def from_smi(said: str, visible: str | None = None) -> Machine:
    """The machine whose `nvidia-smi` prints lines "name, MiB"; `visible` is CUDA_VISIBLE_DEVICES."""
    lines = [line.rsplit(",", 1) for line in said.strip().splitlines() if "," in line]
    if visible is not None:
        chosen = [part.strip() for part in visible.split(",") if part.strip()]
        numbers = [int(part) for part in chosen if part.isdigit()]
        lines = [lines[i] for i in numbers if i < len(lines)] if len(numbers) == len(chosen) else lines[: len(chosen)]
    if not lines:
        return NO_GPU
    kinds = {_recognise(name.strip(), float(mib)) for name, mib in lines}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.name for kind in kinds))
        raise ValueError(f"This machine has different GPUs ({names}): name some to plan for, GPUS=COUNTxNAME-MEMGB.")
    return Machine(len(lines), kinds.pop())


def _recognise(name: str, mib: float) -> Gpu:
    for gpu in KNOWN.values():
        model = gpu.name.rsplit("-", 1)[0]
        # 5 %: between 39.4 and 79.1 GiB there is no doubt, and a slice of a GPU (MIG) is not taken for the whole.
        if re.search(rf"{model}(?!\w)", name.replace("RTX ", "RTX")) and abs(mib * 2**20 / gpu.memory - 1) < 0.05:
            return gpu
    raise ValueError(
        f"The GPU {name!r} with {mib:,.0f} MiB is not known ({_known()}): give its numbers as GPUS={OWN}."
    )


def _known() -> str:
    return ", ".join(KNOWN)


def _plain(name: str) -> str:
    return name.replace(" ", "").lower()


def _positive(number: str) -> float:
    if not (value := float(number)) > 0:
        raise ValueError(f"Bandwidth and FLOP/s of a GPU are above 0; got {number}.")
    return value
