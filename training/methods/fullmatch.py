"""FullMatch (Chen et al., CVPR 2023): FixMatch that learns from every unlabeled image."""

import torch
from pydantic import Field
from torch import Tensor

from training.distributed import share_of_mean
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    gradient_size,
    predict,
    read_together,
    supervised_loss,
)
from training.methods.negative_learning import complementary_classes, least_rank, log_not
from training.methods.pseudo_label import pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet
from training.section import Section


class FullMatchOptions(Section):
    """The table [options] of FullMatch; each field says what it means."""

    threshold: float = Field(0.95, ge=0, le=1, description="confidence from which a label is kept")
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    lambda_n: float = Field(1.0, ge=0, description="weight of adaptive negative learning")
    lambda_e: float = Field(1.0, ge=0, description="weight of the entropy meaning loss")
    teacher_labels: bool = Field(
        True, description="pseudo-labels by the EMA teacher; false: by the student in eval mode"
    )


class FullMatch(Method):
    """FullMatch: FixMatch, negative labels for every unlabeled image, and an entropy term.

    L = CE(f(x), y) + lambda_u * mean(1[max p >= tau] * CE(q, argmax p)) + lambda_n * negative
    + lambda_e * entropy (Chen et al., "Boosting Semi-Supervised Learning by Exploiting All
    Unlabeled Data", CVPR 2023, and its published code).

    f is the student, x a labeled image with target y, u an unlabeled image, p = softmax of weak(u)
    by the teacher, or by the student (`teacher_labels = false`), and q = softmax of f(strong(u)).
    k is the least one for which every argmax p is among the k likeliest of q (`least_rank`).
    """

    Options = FullMatchOptions

    def __init__(self, options: FullMatchOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.register_buffer("tau", torch.full((n_classes,), options.threshold), persistent=False)

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        options = self.options
        labeler = teacher if options.teacher_labels else student
        probs = predict(labeler, batch.weak[0])
        pseudo = pseudo_label(probs, self.thresholds(passes))

        labeled, strong = read_together(student, batch.labeled, batch.strong)
        rank = least_rank(probs, strong.logits)
        of_no_image = torch.zeros_like(pseudo.kept)
        ruled_out = complementary_classes(probs, of_no_image, ceiling=torch.inf, rank=rank)
        weighted = {
            "pseudo_label": options.lambda_u
            * pseudo_label_loss(strong.logits, pseudo.labels, pseudo.kept),
            "complementary": options.lambda_n
            * negative_loss(strong.logits, ruled_out, options.threshold**2),
            "entropy": options.lambda_e
            * entropy_meaning_loss(
                strong.logits, pseudo.labels, pseudo.kept, ruled_out, options.threshold**2
            ),
        }
        return StepResult(
            supervised_loss(labeled.logits, batch) + sum(weighted.values()),
            labeled.logits.detach(),
            pseudo.labels,
            pseudo.kept,
            ruled_out,
            {name: gradient_size(term, strong.logits) for name, term in weighted.items()},
        )

    def thresholds(self, passes: float) -> Tensor:
        return self.get_buffer("tau")


def negative_loss(strong_logits: Tensor, ruled_out: Tensor, ceiling: float) -> Tensor:
    """Compute adaptive negative learning: sum of -log(1 - q_c) over the classes ruled out.

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        ruled_out: (U, C) bool, the classes beyond the k likeliest of the weak view.
        ceiling: Probability 0 to 1; a class that the strong view gives more does not count.

    Returns:
        The mean over all U images, a scalar.
    """
    counts = ruled_out & (strong_logits.softmax(dim=1) <= ceiling)
    return -(log_not(strong_logits) * counts).sum(dim=1).mean()


def entropy_meaning_loss(
    strong_logits: Tensor, labels: Tensor, kept: Tensor, ruled_out: Tensor, ceiling: float
) -> Tensor:
    """Compute the entropy meaning loss: classes that compete with a kept label share evenly.

    The competing classes are the k - 1 likeliest of the weak view beside the label; what label and
    ruled-out classes leave of q is the target of each, divided by k - 1, of a binary cross-entropy.

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        labels: (U,) int64, the pseudo-labels.
        kept: (U,) bool, which of them count.
        ruled_out: (U, C) bool, the same number of classes of every image.
        ceiling: Probability 0 to 1; a class that the strong view gives more does not count.

    Returns:
        The mean over the competing classes of the kept images, a scalar; 0 where there are none.
    """
    log_probs = strong_logits.log_softmax(dim=1)
    probs = log_probs.exp()
    label = torch.zeros_like(ruled_out).scatter(1, labels[:, None], True)
    competing = ~ruled_out & ~label
    n_competing = competing.sum(dim=1, keepdim=True).clamp_min(1)
    target = (probs * competing).sum(dim=1, keepdim=True) / n_competing
    counts = competing & kept[:, None] & (probs <= ceiling)
    entropy = -(target * log_probs + (1 - target) * log_not(strong_logits))
    return share_of_mean(entropy, counts.to(entropy.dtype))
