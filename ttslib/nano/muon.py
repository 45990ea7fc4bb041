"""Muon in float32, for CPUs on which the bf16 of `torch.optim.Muon` is slow (`optimise.fast_bf16`)."""

import torch

COEFFICIENTS, ITERATIONS = (3.4445, -4.7750, 2.0315), 5  # of the quintic Newton-Schulz iteration, as torch.optim.Muon


class Float32Muon(torch.optim.Optimizer):
    """`torch.optim.Muon` (momentum 0.95 with Nesterov) but for the precision that updates are made orthogonal in.

    `adjust_lr_fn` must be "match_rms_adamw": the update of a [rows, columns] matrix is scaled by
    0.2 sqrt(max(rows, columns)) (arXiv 2502.16982, section 2.2).
    """

    def __init__(self, params, lr: float, weight_decay: float, adjust_lr_fn: str):
        if adjust_lr_fn != "match_rms_adamw":
            raise ValueError(f"Float32Muon knows no adjust_lr_fn {adjust_lr_fn!r}: give match_rms_adamw.")
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": 0.95})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                average = self.state[matrix].setdefault("momentum_buffer", torch.zeros_like(matrix))
                average.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(average, group["momentum"]))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix with all singular values near 1 (0.5 to 1.5), by Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide
