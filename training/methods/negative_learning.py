"""Selective negative learning (SNL): "it is not this class", from images without a pseudo-label.

Reconstructed from the abstract of arXiv 2601.05556. Complementary labels go back to Ishida et al.,
"Learning from Complementary Labels" (2017), and Kim et al., "NLNL" (2019).
"""

import torch
from torch import Tensor

from training.distributed import share_of_mean


def complementary_classes(probs: Tensor, kept: Tensor, *, ceiling: float, rank: int) -> Tensor:
    """Which classes an image certainly is not: (U, C) bool, all False for kept images.

    A class is chosen where its probability is below `ceiling` *and* at least `rank` classes are
    more likely, so that the classes which are really confused are left alone.
    """
    more_likely = probs.argsort(dim=1, descending=True).argsort(dim=1)
    return ~kept[:, None] & (probs < ceiling) & (more_likely >= rank)


def complementary_loss(strong_logits: Tensor, chosen: Tensor) -> Tensor:
    """Mean of -log(1 - q_c) over the chosen (image, class) pairs, q by the strong view.

    0 where no pair is chosen. `strong_logits` and `chosen` are (U, C).
    """
    return share_of_mean(-log_not(strong_logits), chosen.to(strong_logits.dtype))


def log_not(logits: Tensor) -> Tensor:
    """log(1 - softmax(logits)) (N, C), exact where the probability is nearly 1.

    That is logsumexp of the other logits - logsumexp of all; with an epsilon inside the logarithm,
    as in published codes, it would depend on the epsilon alone there.
    """
    n_classes = logits.shape[1]
    own = torch.eye(n_classes, dtype=torch.bool, device=logits.device)
    others = logits[:, None, :].expand(-1, n_classes, -1).masked_fill(own, -torch.inf)
    return others.logsumexp(dim=2) - logits.logsumexp(dim=1, keepdim=True)
