"""Pseudo-labels: the class that is predicted with confidence is taken for the truth."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class PseudoLabels(NamedTuple):
    """The pseudo-labels of U unlabeled images.

    Attributes:
        labels: (U,) int64, the likeliest class of each image.
        confidence: (U,), the probability of that class, 0 to 1.
        kept: (U,) bool, whether the confidence reaches the threshold of that class.
    """

    labels: Tensor
    confidence: Tensor
    kept: Tensor


def pseudo_label(probs: Tensor, thresholds: Tensor) -> PseudoLabels:
    """Take the likeliest class of each image, and keep it where its confidence is high enough.

    Sohn et al., "FixMatch" (NeurIPS 2020), eq. 4, with a threshold of its own for each class.

    Args:
        probs: (U, C), probabilities of U images.
        thresholds: (C,), the confidence 0 to 1 from which a label of each class is kept.

    Returns:
        The label of each image, its confidence, and whether it is kept.
    """
    confidence, labels = probs.max(dim=1)
    return PseudoLabels(labels, confidence, confidence >= thresholds[labels])


def pseudo_label_loss(strong_logits: Tensor, labels: Tensor, kept: Tensor) -> Tensor:
    """Compute the cross-entropy of strong views with the labels that are kept.

    It is averaged over *all* U images, so that few kept images make a small term (Sohn et al.,
    "FixMatch", NeurIPS 2020, eq. 4).

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        labels: (U,) int64, classes, or (U, C), distributions.
        kept: (U,) bool, which labels count.

    Returns:
        The term, a scalar; 0 where no label is kept.
    """
    return (F.cross_entropy(strong_logits, labels, reduction="none") * kept).mean()
