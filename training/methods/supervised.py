"""Supervised training: cross-entropy against the class or the raters' distribution."""

import torch.nn.functional as F
from torch import Tensor, nn


def supervised(student: nn.Module, faces: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """L = mean over the batch of -sum_c targets_c log softmax(student(faces))_c.

    `faces` (B, 1, S, S) weakly augmented, in [-1, 1]; `targets` (B, C) distributions. Returns the
    loss and the student's logits (B, C).
    """
    logits = student(faces).float()
    return {"loss": F.cross_entropy(logits, targets), "logits": logits.detach()}
