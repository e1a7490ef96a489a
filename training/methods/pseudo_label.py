"""Pseudo-labels: the class that is predicted with confidence is taken for the truth."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class PseudoLabels(NamedTuple):
    """`labels` (U,) int64, their `confidence` (U,), and `kept` (U,) bool."""

    labels: Tensor
    confidence: Tensor
    kept: Tensor


def pseudo_label(probs: Tensor, thresholds: Tensor) -> PseudoLabels:
    """The argmax of `probs` (U, C), kept where it reaches its class's threshold (C,)."""
    confidence, labels = probs.max(dim=1)
    return PseudoLabels(labels, confidence, confidence >= thresholds[labels])


def pseudo_label_loss(strong_logits: Tensor, labels: Tensor, kept: Tensor) -> Tensor:
    """Cross-entropy of the strong view against the kept labels, averaged over *all* U images.

    `labels` are classes (U,), or distributions (U, C).

    So few kept images make a small term (Sohn et al., "FixMatch", 2020, eq. 4).
    """
    return (F.cross_entropy(strong_logits, labels, reduction="none") * kept).mean()
