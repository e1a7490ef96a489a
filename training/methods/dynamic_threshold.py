"""Dynamic threshold adjustment (DTA): a confidence threshold a class, which moves with training.

Reconstructed from the abstract of arXiv 2601.05556; the rule is that of Ada-CM (Li et al., CVPR
2022), made iterative. Hard and rare classes get a lower bar than easy ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import sum_over_processes


class DynamicThreshold(nn.Module):
    """tau_c = clip(beta * r_c / (1 + gamma ** -passes), tau_min, tau_max).

    r_c is the mean confidence of the images that `update` says are of class c, an exponential
    moving average over the steps in which c occurs. A class not seen yet has `tau_unseen`.
    """

    confidence: Tensor
    seen: Tensor

    def __init__(
        self,
        n_classes: int,
        *,
        beta: float,
        gamma: float,
        tau_min: float,
        tau_max: float,
        tau_unseen: float,
        decay: float,
    ) -> None:
        super().__init__()
        self.beta, self.gamma, self.decay = beta, gamma, decay
        self.tau_min, self.tau_max, self.tau_unseen = tau_min, tau_max, tau_unseen
        self.register_buffer("confidence", torch.zeros(n_classes))
        self.register_buffer("seen", torch.zeros(n_classes, dtype=torch.bool))

    @torch.no_grad()
    def update(self, probs: Tensor, labels: Tensor) -> None:
        """Take in `probs` (N, C) of images of classes `labels` (N,), where their argmax agrees."""
        confidence, predicted = probs.max(dim=1)
        right = F.one_hot(labels, len(self.confidence)) * (predicted == labels)[:, None]
        sums = sum_over_processes(torch.stack([right.sum(0), (right * confidence[:, None]).sum(0)]))
        counts, totals = sums
        present = counts > 0
        means = totals / counts.clamp_min(1)
        averaged = torch.lerp(means, self.confidence, self.decay)
        averaged = torch.where(self.seen, averaged, means)
        self.confidence.copy_(torch.where(present, averaged, self.confidence))
        self.seen |= present

    def forward(self, passes: float) -> Tensor:
        """The thresholds (C,) after `passes` passes over the images."""
        tau = self.beta * self.confidence / (1 + self.gamma**-passes)
        return torch.where(self.seen, tau.clamp(self.tau_min, self.tau_max), self.tau_unseen)
