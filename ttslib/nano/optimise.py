"""What all training of the nano zoo shares: the device, optimizers, learning rates, one descent step."""

import math

import torch

from ttslib.nano.muon import Float32Muon


def default_device() -> str:
    """"cuda" where torch sees a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def fast_bf16(device: torch.device | str) -> bool:
    """Whether a device multiplies matrices of bf16 itself. For a CPU without AVX-512 they take ten times as long as
    those of float32."""
    return torch.device(device).type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def autocast(device: torch.device | str):
    """bf16 autocast on a device; float32 where `fast_bf16` says no."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=fast_bf16(device))


def optimizers(model, learning_rate: float):
    """Muon for the hidden matrices, AdamW for embeddings, norms and biases."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "head" not in name]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon if fast_bf16(matrices[0].device) else Float32Muon
    return [
        muon(matrices, lr=learning_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=learning_rate, weight_decay=0.0, betas=(0.9, 0.95)),
    ]


def cosine(done: float) -> float:
    """Learning-rate factor after a share `done` of the budget: short warm-up, then cosine to 5 %."""
    return min(done / 0.03, 1.0) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def faded(done: float) -> float:
    """Learning-rate factor after a share `done` of the budget: short warm-up, constant to the half, down in a line."""
    return min((done + 0.001) / 0.02, 1.0, 2.05 - 2 * min(done, 1.0))


def rate(opts, value: float) -> None:
    """Sets the learning rate of all optimizers."""
    for opt in opts:
        for group in opt.param_groups:
            group["lr"] = value


def descend(loss: torch.Tensor, opts) -> None:
    """One step of all optimizers, gradients clipped together."""
    loss.backward()
    parameters = [p for opt in opts for group in opt.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for opt in opts:
        opt.step()
        opt.zero_grad(set_to_none=True)
