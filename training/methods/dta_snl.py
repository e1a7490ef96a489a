"""DTA + SNL: dynamic thresholds for pseudo-labels, complementary labels for the rest.

Reconstructed from the abstract of arXiv 2601.05556, "Semi-Supervised Facial Expression Recognition
based on Dynamic Threshold and Negative Learning". Either half can be switched off.
"""

from typing import Literal, NamedTuple

import torch
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
from training.methods.negative_learning import complementary_classes, complementary_loss
from training.methods.pseudo_label import PseudoLabels, pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet
from training.section import Section


class DtaSnlOptions(Section):
    """The table [options] of DTA + SNL; each field says what it means."""

    dta: bool = Field(True, description="dynamic thresholds; false: one fixed threshold")
    snl: bool = Field(True, description="complementary labels for images without a pseudo-label")
    threshold: float = Field(0.95, ge=0, le=1, description="the fixed threshold without dta")
    threshold_source: Literal["labeled", "unlabeled"] = Field(
        "labeled",
        description="whose confidence moves the thresholds: labeled images that the teacher gets "
        "right, or unlabeled images by predicted class",
    )
    beta: float = Field(0.97, gt=0, le=1, description="threshold = beta * mean confidence / ...")
    gamma: float = Field(
        2.718281828, gt=1, description="... (1 + gamma ** -passes): how fast thresholds rise"
    )
    tau_min: float = Field(0.8, ge=0, le=1, description="minimal threshold of a class")
    tau_max: float = Field(
        0.95, ge=0, le=1, description="maximal threshold, and that of a class not seen"
    )
    decay: float = Field(
        0.99, ge=0, lt=1, description="of the confidences' moving average, per step"
    )
    teacher_labels: bool = Field(True, description="pseudo-labels by the teacher, not the student")
    weak_views: int = Field(
        1, ge=1, le=8, description="weak views of an image whose mean probabilities label it"
    )
    soft_labels: bool = Field(
        False, description="learn the whole distribution of a kept image, not its likeliest class"
    )
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    lambda_n: float = Field(1.0, ge=0, description="weight of the complementary term")
    negative_warmup: float = Field(
        1.0, ge=0, description="passes over which lambda_n rises from 0 to its value"
    )
    ceiling: float = Field(0.05, ge=0, le=1, description="a complementary class is below it ...")
    rank: int = Field(3, ge=0, description="... and has at least so many likelier classes")
    both_networks: bool = Field(
        False, description="choose complementary classes only where the student agrees"
    )


class DtaSnl(Method):
    """DTA + SNL: dynamic thresholds for pseudo-labels, complementary labels for the other images.

    L = CE(f(x), y) + lambda_u * mean(1[max p >= tau] * CE(f(strong(u)), argmax p))
    + lambda_n * mean over complementary pairs of -log(1 - softmax(f(strong(u)))_c)
    (reconstructed from the abstract of arXiv 2601.05556).

    f is the student, x a labeled image with target y, u an unlabeled image, and p = softmax(f_bar(
    weak(u))), the mean over `weak_views` views, f_bar the teacher. tau is the dynamic threshold of
    the class (`DynamicThreshold`), a pair is an image and a class that it is not of
    (`complementary_classes`).
    """

    Options = DtaSnlOptions

    def __init__(self, options: DtaSnlOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.n_weak_views = options.weak_views
        fixed = torch.full((n_classes,), options.threshold)
        self.register_buffer("fixed", fixed, persistent=False)
        self.dynamic = DynamicThreshold(
            n_classes,
            beta=options.beta,
            gamma=options.gamma,
            tau_min=options.tau_min,
            tau_max=options.tau_max,
            tau_unseen=options.tau_max,
            decay=options.decay,
        )

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        options = self.options
        labeler = teacher if options.teacher_labels else student
        probs = mean_prediction(labeler, batch.weak)
        self._adjust(teacher, batch, probs)

        labeled, strong = read_together(student, batch.labeled, batch.strong)
        by_student = mean_prediction(student, batch.weak) if options.both_networks else None
        terms = unlabeled_terms(
            strong.logits,
            probs,
            self.thresholds(passes),
            ceiling=options.ceiling,
            rank=options.rank,
            second_probs=by_student,
            soft_labels=options.soft_labels,
        )
        loss = supervised_loss(labeled.logits, batch) + options.lambda_u * terms.pseudo_label
        if options.snl:
            loss = loss + self._warmed(passes) * options.lambda_n * terms.complementary
        chosen = terms.chosen if options.snl else None
        return StepResult(
            loss, labeled.logits.detach(), terms.pseudo.labels, terms.pseudo.kept, chosen
        )

    def thresholds(self, passes: float) -> Tensor:
        tau: Tensor = self.dynamic(passes) if self.options.dta else self.get_buffer("fixed")
        return tau

    def _adjust(self, teacher: ExpressionNet, batch: Batch, unlabeled_probs: Tensor) -> None:
        if not self.options.dta:
            return
        if self.options.threshold_source == "labeled":
            images, classes = batch.weak_labeled()
            self.dynamic.update(predict(teacher, images), classes)
        else:
            self.dynamic.update(unlabeled_probs, unlabeled_probs.argmax(dim=1))

    def _warmed(self, passes: float) -> float:
        """The share of lambda_n that counts after `passes` passes, 0 to 1."""
        warmup = self.options.negative_warmup
        return min(passes / warmup, 1.0) if warmup else 1.0


class UnlabeledTerms(NamedTuple):
    """What U unlabeled images add to the loss, before its weights, and the labels behind it.

    Attributes:
        pseudo_label: Pseudo-label term, a scalar.
        complementary: Complementary term, a scalar.
        pseudo: The pseudo-labels of the images.
        chosen: (U, C) bool, True for "it is not this class".
    """

    pseudo_label: Tensor
    complementary: Tensor
    pseudo: PseudoLabels
    chosen: Tensor


def unlabeled_terms(
    strong_logits: Tensor,
    probs: Tensor,
    thresholds: Tensor,
    *,
    ceiling: float,
    rank: int,
    second_probs: Tensor | None = None,
    soft_labels: bool = False,
) -> UnlabeledTerms:
    """Label unlabeled images by their weak views, and compare their strong views with the labels.

    An image whose confidence reaches the threshold of its class gets a pseudo-label; of the others
    it is said which classes they are not.

    Args:
        strong_logits: (U, C), the student's logits of the strong views.
        probs: (U, C), the probabilities that label the images, by their weak views.
        thresholds: (C,), the confidence 0 to 1 from which a pseudo-label of each class is kept.
        ceiling: Probability 0 to 1 that a complementary class is below.
        rank: How many classes are likelier than a complementary class, at least.
        second_probs: (U, C), probabilities by another network, which must agree on every
            complementary class; None: none must.
        soft_labels: Learn the whole distribution `probs` of a kept image, not its likeliest class.

    Returns:
        Both terms as scalars with gradient, and the labels that they are made from.
    """
    pseudo = pseudo_label(probs, thresholds)
    chosen = complementary_classes(probs, pseudo.kept, ceiling=ceiling, rank=rank)
    if second_probs is not None:
        chosen &= complementary_classes(second_probs, pseudo.kept, ceiling=ceiling, rank=rank)
    labels = probs if soft_labels else pseudo.labels
    return UnlabeledTerms(
        pseudo_label_loss(strong_logits, labels, pseudo.kept),
        complementary_loss(strong_logits, chosen),
        pseudo,
        chosen,
    )
