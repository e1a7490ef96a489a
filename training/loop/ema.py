"""The teacher: an exponential moving average (EMA) of the student."""

import copy

import torch
from torch import nn

from training.models.resnet import ExpressionNet


class EmaTeacher:
    """Follows a student after every optimizer step: theta_bar <- m * theta_bar + (1 - m) * theta.

    With `ramp`, m = (1 + step) / (10 + step) where that is smaller than `decay`, or random initial
    weights would linger; without it, weights that are trained already are kept. Floating-point
    buffers (batch-norm statistics) are averaged too; integer buffers (their counters) are copied.
    The teacher takes no gradient and is always in eval mode.
    """

    def __init__(self, student: ExpressionNet, decay: float, *, ramp: bool = True) -> None:
        self.decay = decay
        self.ramp = ramp
        self.module = copy.deepcopy(student).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, student: nn.Module, step: int) -> None:
        """Move towards `student`, after optimizer step number `step` (from 0)."""
        momentum = min(self.decay, (1 + step) / (10 + step)) if self.ramp else self.decay
        averages: list[torch.Tensor] = []
        targets: list[torch.Tensor] = []
        source = student.state_dict()
        for name, average in self.module.state_dict().items():
            if average.is_floating_point():
                averages.append(average)
                targets.append(source[name])
            else:
                average.copy_(source[name])
        torch._foreach_lerp_(averages, targets, 1 - momentum)
