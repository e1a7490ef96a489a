"""Dynamic threshold adjustment (DTA): one confidence threshold per class, moving with training.

Reconstructed from the abstract of arXiv 2601.05556; the rule is that of Ada-CM (Li et al., CVPR
2022), made iterative. Hard and rare classes get a lower bar than easy ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import sum_over_processes


def check_limits(tau_min: float, tau_max: float) -> None:
    """Raise `ValueError` where the lower limit of thresholds is above the upper one."""
    if tau_min > tau_max:
        raise ValueError(f"tau_min {tau_min:g} is above tau_max {tau_max:g}")


class DynamicThreshold(nn.Module):
    """One threshold per class: tau_c = clip(beta * r_c / (1 + gamma ** -passes), tau_min, tau_max).

    r_c is the mean confidence in images of class c that are predicted right, an exponential moving
    average over the steps in which c occurs. The rule is that of Ada-CM (Li et al., CVPR 2022),
    taken every step.

    Args:
        n_classes: The number C of classes.
        beta: Factor of the mean confidence, above 0, at most 1.
        gamma: Base of the rise with the passes, above 1; the larger, the faster.
        tau_min: Lower limit of a threshold, 0 to 1.
        tau_max: Upper limit of a threshold, 0 to 1.
        tau_unseen: Threshold of a class that was never predicted right so far, 0 to 1.
        decay: Decay of the moving average per step, from 0 to below 1.

    Attributes:
        confidence: (C,), the moving average r_c; 0 for a class that was not seen yet.
        seen: (C,) bool, which classes have an average.
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
        """Move the averages by the confidence in images whose label is predicted right.

        Args:
            probs: (N, C), probabilities of N images.
            labels: (N,) int64, the classes of these images.
        """
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
        """Compute the threshold of each class.

        Args:
            passes: How many passes over the images the run is old, 0 or more; infinity: the
                thresholds have risen completely.

        Returns:
            (C,), confidences from `tau_min` to `tau_max`, or `tau_unseen`.
        """
        tau = self.beta * self.confidence / (1 + self.gamma**-passes)
        return torch.where(self.seen, tau.clamp(self.tau_min, self.tau_max), self.tau_unseen)
