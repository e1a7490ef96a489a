"""Ada-CM (Li et al., CVPR 2022): adaptive confidence margins, and contrast for the rest."""

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from training.methods.dynamic_threshold import DynamicThreshold
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    mean_prediction,
    predict,
    read_together,
    supervised_loss,
)
from training.methods.pseudo_label import pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet
from training.section import Section


class AdaCMOptions(Section):
    """The table [options] of Ada-CM; each field says what it means."""

    beta: float = Field(0.97, gt=0, le=1, description="factor of the labeled images' confidence")
    tau_min: float = Field(0.8, ge=0, le=1, description="minimal margin of a class")
    decay: float = Field(
        0.99, ge=0, lt=1, description="of the confidences' moving average, per step"
    )
    lambda_x: float = Field(0.5, ge=0, description="weight of the supervised term")
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    lambda_c: float = Field(0.1, ge=0, description="weight of the contrastive term")
    temperature: float = Field(0.07, gt=0, description="temperature of the contrastive term")


class AdaCM(Method):
    """Ada-CM: adaptive confidence margins, and a contrastive term for the images below them.

    L = lambda_x * CE(f(x), y) + lambda_u * mean(1[max p >= T] * CE(f(strong(u)), argmax p))
    + lambda_c * NT-Xent(both weak views of the images below their margin)
    (Li et al., "Towards Semi-Supervised Deep Facial Expression Recognition with An Adaptive
    Confidence Margin", CVPR 2022).

    f is the student, x a labeled image with target y, u an unlabeled image, and p the mean of the
    student's probabilities on two weak views of u. The margins T are those of `DynamicThreshold`,
    from the teacher's confidence in labeled images, taken every step (as in the journal version)
    instead of once an epoch.
    """

    Options = AdaCMOptions
    n_weak_views = 2
    needs_weak_labeled = True
    several_processes = False  # the rejected images of all processes belong in one contrast

    def __init__(self, options: AdaCMOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.margin = DynamicThreshold(
            n_classes,
            beta=options.beta,
            gamma=torch.e,
            tau_min=options.tau_min,
            tau_max=1.0,
            tau_unseen=options.tau_min,
            decay=options.decay,
        )

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        images, classes = batch.weak_labeled()
        self.margin.update(predict(teacher, images), classes)
        first, second = batch.weak
        probs = mean_prediction(student, batch.weak)
        pseudo = pseudo_label(probs, self.thresholds(passes))

        n, rejected = len(batch.strong), ~pseudo.kept
        views = torch.cat([batch.strong, first[rejected], second[rejected]])
        labeled, unlabeled = read_together(student, batch.labeled, views)
        supervised = supervised_loss(labeled.logits, batch)
        unsupervised = pseudo_label_loss(unlabeled.logits[:n], pseudo.labels, pseudo.kept)
        first_view, second_view = unlabeled.embedding[n:].chunk(2)
        contrast = nt_xent(first_view, second_view, self.options.temperature)
        loss = (
            self.options.lambda_x * supervised
            + self.options.lambda_u * unsupervised
            + self.options.lambda_c * contrast
        )
        return StepResult(loss, labeled.logits.detach(), pseudo.labels, pseudo.kept)

    def thresholds(self, passes: float) -> Tensor:
        tau: Tensor = self.margin(passes)
        return tau


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Compute the contrastive loss of SimCLR (Chen et al., ICML 2020, eq. 1).

    The positive of a view is the other view of its image. Every other view is a negative; only the
    images of this process count.

    Args:
        first: (N, D), embeddings of one view of N images.
        second: (N, D), embeddings of another view of the same images.
        temperature: Divisor of the cosine similarities, above 0.

    Returns:
        The mean over all views, a scalar; 0 where there is no image.
    """
    n = len(first)
    if n == 0:
        return first.sum()
    views = F.normalize(torch.cat([first, second]).float(), dim=1)
    own = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    similarity = (views @ views.T / temperature).masked_fill(own, -torch.inf)
    positive = torch.arange(2 * n, device=views.device).roll(n)
    return F.cross_entropy(similarity, positive)
