"""Builds the optimizers: SGD, AdamW, or Muon for the convolutions beside AdamW for the rest."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from training.config import ScheduleConfig
from training.models.local_attention import SpatialAttention

_ATTENTION_RATE = 0.1
"""Share of the learning rate for spatial attention, which otherwise runs to its end and stays."""


class KernelMuon(torch.optim.Muon):
    """Muon (Jordan et al., 2024) over convolution kernels (O, I, h, w).

    torch's own takes only matrices. Each kernel is one here, (O, h * w * I), that shares its
    memory. So kernels must lie in `channels_last`, and gradients are handed over at every step.

    Args:
        kernels: The weights of convolutions.
        every: The kernels move at every so many steps, by the mean gradient of these and as far as
            in all of them, because the orthogonal step is a tenth of the work or more.
        options: Those of `torch.optim.Muon`.
    """

    def __init__(self, kernels: Iterable[Tensor], *, every: int = 1, **options: Any) -> None:
        self._kernels = list(kernels)
        self._every = every
        super().__init__(
            [nn.Parameter(_as_matrix(kernel.data)) for kernel in self._kernels], **options
        )

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        matrices = [matrix for group in self.param_groups for matrix in group["params"]]
        for matrix, kernel in zip(matrices, self._kernels, strict=True):
            matrix.grad = None if kernel.grad is None else _as_matrix(kernel.grad)
        if self._every == 1:
            return super().step(closure)  # type: ignore[no-untyped-call]
        if not self._gather(matrices):
            return None
        for group in self.param_groups:
            group["lr"] *= self._every
        return super().step(closure)  # type: ignore[no-untyped-call]

    def _gather(self, matrices: list[nn.Parameter]) -> bool:
        """Add the gradients to those of the steps before; whether it is time to move.

        Then `grad` of each matrix is the mean. What is gathered is state, so a resumed run has it.
        """
        is_time = False
        for matrix in matrices:
            if matrix.grad is None:
                continue
            state = self.state[matrix]
            if "gathered" not in state:
                state["gathered"] = torch.zeros_like(matrix)
                state["n_gathered"] = torch.zeros(())
            state["gathered"].add_(matrix.grad, alpha=1 / self._every)
            state["n_gathered"] += 1
            is_time = int(state["n_gathered"]) == self._every
            if is_time:
                matrix.grad = state["gathered"].clone()
                state["gathered"].zero_()
                state["n_gathered"].zero_()
        return is_time


def build_optimizers(student: nn.Module, schedule: ScheduleConfig) -> list[Optimizer]:
    """Build the optimizers that together move every parameter of `student` once per step.

    Biases and norms are not decayed, as in He et al., "Bag of Tricks" (2018). Muon's steps are
    scaled to the size of AdamW's (Liu et al., "Muon is Scalable for LLM Training", 2025), so that
    one learning rate suits both. A group's `rate` is its share of the learning rate: spatial
    attention learns at a tenth of it, and not by Muon, whose steps are full however small the
    gradient is.
    """
    attention = [m for m in student.modules() if isinstance(m, SpatialAttention)]
    slow = [p for module in attention for p in module.parameters()]
    taken = set(map(id, slow))
    kernels: list[Tensor] = []
    if schedule.optimizer == "muon":
        # A grouped convolution's filters belong to several inputs: no matrix of one map.
        kernels = [
            m.weight
            for m in student.modules()
            if isinstance(m, nn.Conv2d) and m.groups == 1 and id(m.weight) not in taken
        ]
    taken |= set(map(id, kernels))
    others = [p for p in student.parameters() if id(p) not in taken]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if slow:
        groups.append({"params": slow, "weight_decay": 0.0, "rate": _ATTENTION_RATE})
    rate, momentum = schedule.learning_rate, schedule.momentum
    if schedule.optimizer == "sgd":
        return [SGD(groups, lr=rate, momentum=momentum, nesterov=momentum > 0)]
    # Not fused: that kernel mixes up channels_last weights with the moments of a resumed run.
    optimizers: list[Optimizer] = [AdamW(groups, lr=rate)]
    if kernels:
        decay = schedule.weight_decay
        optimizers.append(
            KernelMuon(
                kernels,
                every=schedule.muon_every,
                lr=rate,
                weight_decay=decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return optimizers


def _as_matrix(kernel: Tensor) -> Tensor:
    """View a kernel (O, I, h, w) in channels_last as (O, h * w * I), or raise where it is not."""
    return kernel.permute(0, 2, 3, 1).view(len(kernel), -1)
