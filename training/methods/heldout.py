"""What held-out labeled images tell: from which confidence predictions are right often enough.

A held-out image is treated as an unlabeled one in everything: its label carries no gradient. So the
precision measured on it is that of the pseudo-labels, which it is not on labeled images, because
the network has memorized them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import sum_over_processes
from training.methods.method import Heldout

_CONFIDENCE_BINS = 100
_LOG_BINS = 70
_LOWEST_EXPONENT = -7.0
"""Probabilities of the true class below 10 to the power of this count as this."""


class HeldoutPrecision(nn.Module):
    """Thresholds and ruled-out classes from held-out labeled images, followed as training goes.

    Reconstructed from the abstract of arXiv 2601.05556, which says that thresholds move and differ;
    the rule is ours. Each step adds some held-out images to histograms, in which older ones fade.
    However many views were seen, they never count as more images than are held out.

    Args:
        n_classes: The number C of classes.
        decay: Decay of the histograms per step, from 0 to below 1.

    Attributes:
        right: (C, bins), images read as each class and rightly so, by confidence.
        read: (C, bins), all images read as each class, by confidence.
        truth: (bins,), images without a pseudo-label, by the logarithm of the probability of their
            true class.
        n_images: How many images are held out, a scalar.
    """

    right: Tensor
    read: Tensor
    truth: Tensor
    n_images: Tensor

    def __init__(self, n_classes: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("right", torch.zeros(n_classes, _CONFIDENCE_BINS))
        self.register_buffer("read", torch.zeros(n_classes, _CONFIDENCE_BINS))
        self.register_buffer("truth", torch.zeros(_LOG_BINS))
        self.register_buffer("n_images", torch.zeros(()))

    @torch.no_grad()
    def update(self, probs: Tensor, heldout: Heldout, thresholds: Tensor) -> None:
        """Add the predictions for some held-out images.

        Args:
            probs: (H, C), probabilities of the images.
            heldout: The images, with their labels.
            thresholds: (C,), the confidence from which a pseudo-label of each class is kept now.
        """
        confidence, predicted = probs.max(dim=1)
        bins = (confidence * _CONFIDENCE_BINS).long().clamp_max(_CONFIDENCE_BINS - 1)
        place = F.one_hot(predicted * _CONFIDENCE_BINS + bins, self.read.numel()).to(self.read)
        is_right = (predicted == heldout.labels).to(place)[:, None]
        true_probs = probs.gather(1, heldout.labels[:, None]).squeeze(1)
        exponent = true_probs.clamp_min(10**_LOWEST_EXPONENT).log10()
        log_bins = ((1 - exponent / _LOWEST_EXPONENT) * _LOG_BINS).long().clamp(0, _LOG_BINS - 1)
        rejected = (confidence < thresholds[predicted]).to(place)[:, None]
        truth = F.one_hot(log_bins, _LOG_BINS) * rejected
        for counts, added in (
            (self.read, place),
            (self.right, place * is_right),
            (self.truth, truth),
        ):
            total = sum_over_processes(added.sum(dim=0))
            counts.mul_(self.decay).add_(total.view_as(counts))
        self.n_images.fill_(heldout.n_images)

    def thresholds(self, precision: float, prior: float) -> Tensor:
        """Find the smallest confidence from which each class is right often enough.

        The precision of class c from confidence t on is (right_c(t) + prior * P(t)) /
        (read_c(t) + prior): the mean of a Beta distribution whose prior is P(t), that of all
        classes together, with the weight of `prior` images. So a rare class follows the others
        until it has images of its own.

        Args:
            precision: The share of right predictions that is asked for, 0 to 1.
            prior: How many images the precision of all classes weighs in that of each.

        Returns:
            (C,), confidences 0 to 1; 1 where no confidence is enough.
        """
        weight = self._weight()
        right, read = (
            (counts * weight).flip(1).cumsum(dim=1).flip(1) for counts in (self.right, self.read)
        )
        # One image more of each kind, so that the last few images promise nothing.
        pooled = (right.sum(dim=0) + 1) / (read.sum(dim=0) + 2)
        enough = (right + prior * pooled) / (read + prior) >= precision
        edges = torch.arange(_CONFIDENCE_BINS, device=enough.device) / _CONFIDENCE_BINS
        return torch.where(enough, edges, 1.0).amin(dim=1)

    def ceiling(self, coverage: float) -> Tensor:
        """Find the probability below which a class may be ruled out.

        Of the held-out images without a pseudo-label, at most 1 - coverage have a true class less
        likely than that: the threshold of a split-conformal prediction set (Sadinle et al., "Least
        Ambiguous Set-Valued Classifiers", 2019).

        Args:
            coverage: Share of the images whose true class must not be ruled out, 0 to 1.

        Returns:
            A scalar, 0 where there are too few images to rule anything out.
        """
        counts = self.truth * self._weight()
        allowed = (counts.sum() + 1) * (1 - coverage) - 1
        n_bins = (counts.cumsum(dim=0) <= allowed).sum()
        exponent = _LOWEST_EXPONENT * (1 - n_bins / _LOG_BINS)
        return torch.where(n_bins > 0, 10**exponent, 0.0)

    def _weight(self) -> Tensor:
        """How much a view counts, so that all together count as the images that there are."""
        return (self.n_images / self.read.sum().clamp_min(1e-9)).clamp_max(1.0)
