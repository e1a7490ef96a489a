"""DTA + SNL: dynamic thresholds for pseudo-labels, complementary labels for the rest.

Reconstructed from the abstract of arXiv 2601.05556, "Semi-Supervised Facial Expression Recognition
based on Dynamic Threshold and Negative Learning". Either half can be switched off.
"""

from typing import Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from training.distributed import n_processes, sum_over_processes
from training.methods.dynamic_threshold import DynamicThreshold, check_limits
from training.methods.heldout import HeldoutPrecision
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    gradient_size,
    landmarks_loss,
    mean_prediction,
    predict,
    read_together,
    supervised_loss,
)
from training.methods.negative_learning import (
    complementary_classes,
    complementary_loss,
    joint_complementary_loss,
    least_rank,
)
from training.methods.pseudo_label import PseudoLabels, pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet, NetworkOutput
from training.section import Section


class DtaSnlOptions(Section):
    """The table [options] of DTA + SNL; each field says what it means."""

    dta: bool = Field(True, description="dynamic thresholds; false: one fixed threshold")
    snl: bool = Field(True, description="complementary labels for images without a pseudo-label")
    threshold: float = Field(0.95, ge=0, le=1, description="the fixed threshold without dta")
    threshold_source: Literal["labeled", "unlabeled", "heldout"] = Field(
        "labeled",
        description="what moves the thresholds: the confidence in labeled images that the teacher "
        "gets right, that in unlabeled images by predicted class, or how often it is right on "
        "labeled images without gradient (data.heldout_share)",
    )
    precision: float = Field(
        0.9,
        ge=0,
        le=1,
        description="heldout: share of right predictions from a class's threshold on",
    )
    prior_images: float = Field(
        10.0,
        gt=0,
        description="heldout: how many images the precision of all classes weighs in each class's",
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
    stored_answers: bool = Field(
        False,
        description="pseudo-labels by annotations.answers instead of a network, which spares its "
        "forward passes",
    )
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
    rank: int = Field(
        3, ge=1, description="... and has at least so many likelier classes; of fewer, all others"
    )
    ruled_out: Literal["fixed", "heldout", "batch"] = Field(
        "fixed",
        description="what chooses complementary classes: ceiling and rank; a ceiling by coverage "
        "on labeled images without gradient, and rank; or the least rank that suits the batch, as "
        "in FullMatch",
    )
    coverage: float = Field(
        0.95,
        ge=0,
        le=1,
        description="heldout: share of images without a pseudo-label whose class is not ruled out",
    )
    negative_form: Literal["pairs", "joint"] = Field(
        "pairs",
        description="pairs: mean of -log(1 - q) over pairs of image and class; joint: -log of the "
        "probability left for the classes not ruled out, averaged over all unlabeled images",
    )
    debias: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how far pseudo-labels and loss are pulled to the class shares of the labeled "
        "images, whatever those of the unlabeled ones are; 1: wholly",
    )
    debias_decay: float = Field(
        0.99, ge=0, lt=1, description="of the unlabeled images' mean probabilities, per step"
    )
    both_networks: bool = Field(
        False, description="choose complementary classes only where the student agrees"
    )

    @model_validator(mode="after")
    def _limits_in_order(self) -> "DtaSnlOptions":
        check_limits(self.tau_min, self.tau_max)
        return self


class DtaSnl(Method):
    """DTA + SNL: dynamic thresholds for pseudo-labels, complementary labels for the other images.

    L = CE(f(x), y) + lambda_u * mean(1[max p >= tau] * CE(f(strong(u)), argmax p))
    + lambda_n * complementary term (reconstructed from the abstract of arXiv 2601.05556).

    f is the student, x a labeled image with target y, u an unlabeled image, and p = softmax(f_bar(
    weak(u))), the mean over `weak_views` views, f_bar the teacher. tau is the dynamic threshold of
    the class: `DynamicThreshold`, or `HeldoutPrecision`, which also chooses the classes that an
    image is not of. The complementary term is `complementary_loss` or `joint_complementary_loss`.

    With `debias` = t, r_c is the mean of p_c over the unlabeled images divided by the share of c
    among the labeled ones; p is divided by r^t, and t * log r is added to the logits of strong(u)
    in the loss (Wang et al., "Debiased Learning from Naturally Imbalanced Pseudo-Labels", CVPR
    2022, whose r has equal shares below the line). So the answers are pulled to the labeled
    images' shares, whatever the unlabeled images' own are.

    With `stored_answers`, p are probabilities that other, larger teachers gave u before the run.

    Attributes:
        mean_probs: (C,), moving average of p over the unlabeled images; all 0 before the first.
    """

    Options = DtaSnlOptions
    learns_landmarks = True
    mean_probs: Tensor

    def __init__(self, options: DtaSnlOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.rank = min(options.rank, n_classes - 1)
        self.needs_answers = options.stored_answers
        reads_weak_views = options.both_networks or not options.stored_answers
        self.n_weak_views = options.weak_views if reads_weak_views else 0
        by_heldout = options.dta and options.threshold_source == "heldout"
        self.needs_weak_labeled = options.dta and options.threshold_source == "labeled"
        self.needs_heldout = by_heldout or (options.snl and options.ruled_out == "heldout")
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
        self.heldout = HeldoutPrecision(n_classes, options.decay)
        self.register_buffer("mean_probs", torch.zeros(n_classes))

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        options = self.options
        labeler = teacher if options.teacher_labels else student
        if options.stored_answers:
            assert batch.answers is not None
            probs = batch.answers
        else:
            probs = mean_prediction(labeler, batch.weak)
        shift = None
        if options.debias and batch.class_shares is not None:
            shift = self._prior_shift(probs, batch.class_shares)
        probs = _debiased(probs, shift)
        self._adjust(teacher, labeler, batch, probs, passes, shift)

        labeled, strong = read_together(student, batch.labeled, batch.strong)
        by_student = mean_prediction(student, batch.weak) if options.both_networks else None
        logits = strong.logits if shift is None else strong.logits + shift
        if by_student is not None:
            by_student = _debiased(by_student, shift)
        ceiling, rank = self._rule(probs, logits)
        terms = unlabeled_terms(
            logits,
            probs,
            self.thresholds(passes),
            ceiling=ceiling,
            rank=rank,
            second_probs=by_student,
            soft_labels=options.soft_labels,
            joint=options.negative_form == "joint",
        )
        loss = supervised_loss(labeled.logits, batch) + _landmarks_term(labeled, strong, batch)
        weighted = {"pseudo_label": options.lambda_u * terms.pseudo_label}
        if options.snl:
            weighted["complementary"] = (
                self._warmed(passes) * options.lambda_n * terms.complementary
            )
        for term in weighted.values():
            loss = loss + term
        return StepResult(
            loss,
            labeled.logits.detach(),
            terms.pseudo.labels,
            terms.pseudo.kept,
            terms.chosen if options.snl else None,
            {name: gradient_size(term, strong.logits) for name, term in weighted.items()},
        )

    def thresholds(self, passes: float) -> Tensor:
        options = self.options
        if not options.dta:
            return self.get_buffer("fixed")
        if options.threshold_source == "heldout":
            tau = self.heldout.thresholds(options.precision, options.prior_images)
            return tau.clamp(options.tau_min, options.tau_max)
        dynamic: Tensor = self.dynamic(passes)
        return dynamic

    def _adjust(
        self,
        teacher: ExpressionNet,
        labeler: ExpressionNet,
        batch: Batch,
        unlabeled_probs: Tensor,
        passes: float,
        shift: Tensor | None,
    ) -> None:
        """Move what the thresholds and the ruled-out classes follow.

        Labeled images are read with the `shift` of `debias` too, because the thresholds judge
        probabilities that have it.
        """
        if self.needs_heldout and batch.heldout is not None:
            told = batch.heldout.answers if self.options.stored_answers else None
            told = predict(labeler, batch.heldout.images) if told is None else told
            self.heldout.update(_debiased(told, shift), batch.heldout, self.thresholds(passes))
        if not self.options.dta:
            return
        if self.options.threshold_source == "labeled":
            images, classes = batch.weak_labeled()
            self.dynamic.update(_debiased(predict(teacher, images), shift), classes)
        elif self.options.threshold_source == "unlabeled":
            self.dynamic.update(unlabeled_probs, unlabeled_probs.argmax(dim=1))

    def _prior_shift(self, probs: Tensor, class_shares: Tensor) -> Tensor:
        """Compute t * log r (C,) of `debias`, after moving the mean probabilities."""
        mean = sum_over_processes(probs.mean(dim=0)) / n_processes()
        decay = self.options.debias_decay if self.mean_probs.any() else 0.0
        self.mean_probs.lerp_(mean, 1 - decay)
        ratio = self.mean_probs.clamp_min(1e-6) / class_shares.to(mean).clamp_min(1e-6)
        return self.options.debias * ratio.log()

    def _rule(self, probs: Tensor, strong_logits: Tensor) -> tuple[float | Tensor, int]:
        """Return the ceiling and the rank of complementary classes for this step."""
        options = self.options
        if options.ruled_out == "heldout":
            return self.heldout.ceiling(options.coverage), self.rank
        if options.ruled_out == "batch":
            return torch.inf, least_rank(probs, strong_logits)
        return options.ceiling, self.rank

    def _warmed(self, passes: float) -> float:
        """The share of lambda_n that counts after `passes` passes, 0 to 1."""
        warmup = self.options.negative_warmup
        return min(passes / warmup, 1.0) if warmup else 1.0


def _landmarks_term(labeled: NetworkOutput, strong: NetworkOutput, batch: Batch) -> Tensor | float:
    """The weighted term of what was measured in all images of the batch; 0.0 without measures."""
    landmarks = batch.landmarks
    if landmarks is None or labeled.auxiliary is None or strong.auxiliary is None:
        return 0.0
    assert landmarks.unlabeled is not None
    predicted = torch.cat([labeled.auxiliary, strong.auxiliary])
    measured = torch.cat([landmarks.labeled, landmarks.unlabeled])
    return landmarks.weight * landmarks_loss(predicted, measured)


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


def _debiased(probs: Tensor, shift: Tensor | None) -> Tensor:
    """Take the shift (C,) of `debias` from the log of probabilities (N, C); None: as they are."""
    return probs if shift is None else (probs.log() - shift).softmax(dim=1)


def unlabeled_terms(
    strong_logits: Tensor,
    probs: Tensor,
    thresholds: Tensor,
    *,
    ceiling: float | Tensor,
    rank: int,
    second_probs: Tensor | None = None,
    soft_labels: bool = False,
    joint: bool = False,
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
        joint: One complementary term per image, not one per pair of image and class.

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
        (joint_complementary_loss if joint else complementary_loss)(strong_logits, chosen),
        pseudo,
        chosen,
    )
