"""Builds the optimizers: SGD, AdamW, or Muon for the convolutions beside AdamW for the rest."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from training.config import ScheduleConfig


class KernelMuon(torch.optim.Muon):
    """Muon (Jordan et al., 2024) over convolution kernels (O, I, h, w).

    torch's own takes only matrices. Each kernel is one here, (O, h * w * I), that shares its
    memory. So kernels must lie in `channels_last`, and gradients are handed over at every step.
    """

    def __init__(self, kernels: Iterable[Tensor], **options: Any) -> None:
        self._kernels = list(kernels)
        super().__init__(
            [nn.Parameter(_as_matrix(kernel.data)) for kernel in self._kernels], **options
        )

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        matrices = [matrix for group in self.param_groups for matrix in group["params"]]
        for matrix, kernel in zip(matrices, self._kernels, strict=True):
            matrix.grad = None if kernel.grad is None else _as_matrix(kernel.grad)
        return super().step(closure)  # type: ignore[no-untyped-call]


def build_optimizers(student: nn.Module, schedule: ScheduleConfig) -> list[Optimizer]:
    """Build the optimizers that together move every parameter of `student` once per step.

    Biases and norms are not decayed, as in He et al., "Bag of Tricks" (2018). Muon's steps are
    scaled to the size of AdamW's (Liu et al., "Muon is Scalable for LLM Training", 2025), so that
    one learning rate suits both.
    """
    kernels: list[Tensor] = []
    if schedule.optimizer == "muon":
        # A grouped convolution's filters belong to several inputs: no matrix of one map.
        kernels = [
            m.weight for m in student.modules() if isinstance(m, nn.Conv2d) and m.groups == 1
        ]
    taken = set(map(id, kernels))
    others = [p for p in student.parameters() if id(p) not in taken]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate, momentum = schedule.learning_rate, schedule.momentum
    if schedule.optimizer == "sgd":
        return [SGD(groups, lr=rate, momentum=momentum, nesterov=momentum > 0)]
    optimizers: list[Optimizer] = [AdamW(groups, lr=rate)]
    if kernels:
        decay = schedule.weight_decay
        muon = KernelMuon(kernels, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        optimizers.append(muon)
    return optimizers


def _as_matrix(kernel: Tensor) -> Tensor:
    """View a kernel (O, I, h, w) in channels_last as (O, h * w * I), or raise where it is not."""
    return kernel.permute(0, 2, 3, 1).view(len(kernel), -1)
