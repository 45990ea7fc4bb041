"""GPUs: named (`8xA100-80GB`, `1xRTX3090`), or those of this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ttslib import torch_settings
from ttslib.provenance import hardware

KNOWN = {
    "A100-40GB": (39.4, r"A100(?:-\w+)?[- ]40GB"),
    "A100-80GB": (79.1, r"A100(?:-\w+)?[- ]80GB"),
    "H100-80GB": (79.1, r"\bH100(?! NVL)"),
    "H200-141GB": (139.7, r"\bH200"),
    "L40S-48GB": (44.4, r"\bL40S"),
    "L4-24GB": (22.0, r"\bL4\b"),
    "RTX3090-24GB": (23.6, r"RTX 3090(?! Ti)"),
    "RTX4090-24GB": (23.5, r"RTX 4090(?! D)"),
}
"""Name -> GiB that PyTorch reports (the smallest value seen), and what CUDA calls it, as a regular expression."""


@dataclass(frozen=True)
class Machine:
    """`count` GPUs of one kind, none if it is 0. memory: bytes of each; pattern: what CUDA calls one."""

    count: int
    name: str = ""
    memory: float = 0.0
    pattern: str = ""

    def __str__(self) -> str:
        return f"{self.count}x{self.name}" if self.count else "no GPU"

    def made(self, record_hardware: str) -> bool:
        """Whether a record with this `provenance.hardware` comes from as many such GPUs or, without a GPU, from a
        processor like this machine's."""
        if not self.count:
            return record_hardware == hardware()
        return len(re.findall(self.pattern, record_hardware)) == self.count


NO_GPU = Machine(0)


def parse_gpus(text: str) -> Machine:
    """`8xA100-80GB`, `1xRTX3090` or `none`. Raises ValueError, in one sentence that names the known GPUs, for anything
    else."""
    if text.strip().lower() == "none":
        return NO_GPU
    count, name = re.fullmatch(r"(?:(\d+)x)?(.*)", text.replace(" ", ""), re.IGNORECASE).groups()
    called = [known for known in KNOWN if name.lower() in (known.lower(), known.lower().split("-")[0])]
    if len(called) != 1 or count == "0":
        raise ValueError(f"GPUs {text!r} are not known: write 8xA100-80GB, none, or another of {', '.join(KNOWN)}.")
    memory, pattern = KNOWN[called[0]]
    return Machine(int(count or 1), called[0], memory * 2**30, pattern)


def gpus_visible() -> Machine:
    """As many GPUs as torch sees, each with the memory of the smallest."""
    torch_settings.apply()

    import torch

    if not (count := torch.cuda.device_count()):
        return NO_GPU
    least = min(map(torch.cuda.get_device_properties, range(count)), key=lambda each: each.total_memory)
    return Machine(count, least.name, least.total_memory, re.escape(least.name))
