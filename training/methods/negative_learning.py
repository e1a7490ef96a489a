"""Selective negative learning (SNL): "it is not this class", from images without a pseudo-label.

Reconstructed from the abstract of arXiv 2601.05556. Complementary labels go back to Ishida et al.,
"Learning from Complementary Labels" (2017), and Kim et al., "NLNL" (2019).
"""

import torch
from torch import Tensor

from training.distributed import max_over_processes, share_of_mean


def complementary_classes(
    probs: Tensor, kept: Tensor, *, ceiling: float | Tensor, rank: int
) -> Tensor:
    """Choose the classes that an image certainly is not of.

    A class is chosen where its probability is below `ceiling` *and* at least `rank` classes are
    more likely, so that the classes which are really confused are left alone. The rule is ours: the
    abstract of arXiv 2601.05556 only says that complementary labels are selected.

    Args:
        probs: (U, C), probabilities of U images.
        kept: (U,) bool, the images that have a pseudo-label and need no complementary one.
        ceiling: Probability 0 to 1 that a chosen class is below.
        rank: How many classes are more likely than a chosen one, at least.

    Returns:
        (U, C) bool, True for "the image is not of this class"; all False for kept images.
    """
    more_likely = probs.argsort(dim=1, descending=True).argsort(dim=1)
    return ~kept[:, None] & (probs < ceiling) & (more_likely >= rank)


def complementary_loss(strong_logits: Tensor, chosen: Tensor) -> Tensor:
    """Compute the complementary term: the mean of -log(1 - q_c) over the chosen pairs.

    q = softmax of the strong view, a pair is an image and a class that it is not of (Kim et al.,
    "NLNL: Negative Learning for Noisy Labels", ICCV 2019, eq. 2).

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        chosen: (U, C) bool, the pairs.

    Returns:
        The term, a scalar; 0 where no pair is chosen.
    """
    return share_of_mean(-log_not(strong_logits), chosen.to(strong_logits.dtype))


def joint_complementary_loss(strong_logits: Tensor, chosen: Tensor) -> Tensor:
    """Compute the joint complementary term: -log of the probability left for the other classes.

    Each image has one term, -log sum_{c not chosen} q_c with q = softmax of the strong view. Its
    gradient is the whole probability of the chosen classes at once, where the mean over pairs
    (`complementary_loss`) divides it by their number. The term is ours; with one class left it is
    the cross-entropy of a pseudo-label.

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        chosen: (U, C) bool, the classes that each image is not of; never all of an image.

    Returns:
        The mean over *all* U images, a scalar; 0 where nothing is chosen.
    """
    left = strong_logits.masked_fill(chosen, -torch.inf).logsumexp(dim=1)
    return (strong_logits.logsumexp(dim=1) - left).mean()


def least_rank(probs: Tensor, strong_logits: Tensor) -> int:
    """Find the least k so that every image's label is among the k likeliest of its strong view.

    FullMatch's choice of the classes that may be ruled out (Chen et al., CVPR 2023): those beyond
    the k likeliest of the weak view.

    Args:
        probs: (U, C), probabilities of the weak views, whose likeliest class is the label.
        strong_logits: (U, C), the student's logits of the strong views.

    Returns:
        k, from 2 to C.
    """
    labels = probs.argmax(dim=1, keepdim=True)
    ahead = (strong_logits > strong_logits.gather(1, labels)).sum(dim=1)
    worst = max_over_processes(ahead.amax() if len(ahead) else ahead.new_zeros(()))
    return min(max(int(worst) + 1, 2), probs.shape[1])


def log_not(logits: Tensor) -> Tensor:
    """Compute log(1 - softmax(logits)), exactly even where the probability is nearly 1.

    It is the logsumexp of the other logits minus that of all. With an epsilon inside the logarithm,
    as in published codes, it would depend on nothing but the epsilon there.

    Args:
        logits: (N, C).

    Returns:
        (N, C), each at most 0.
    """
    n_classes = logits.shape[1]
    own = torch.eye(n_classes, dtype=torch.bool, device=logits.device)
    others = logits[:, None, :].expand(-1, n_classes, -1).masked_fill(own, -torch.inf)
    return others.logsumexp(dim=2) - logits.logsumexp(dim=1, keepdim=True)
