"""DTA + SNL on one person's faces, held by the model that it starts from.

Ours: there is no data set to keep the rest of the world in mind, and there may be no label at all.
So a frozen copy of the start, the anchor, is distilled into the student (Hinton et al.,
"Distilling the Knowledge in a Neural Network", 2015; as against forgetting in Li & Hoiem, "Learning
without Forgetting", 2016), and its weights may be pulled towards the start's ("L2-SP", Li et al.,
ICML 2018). A person's light, camera and glasses change what comes in, not what an expression is, so
that it may be enough for the first stages to learn (Lee et al., "Surgical Fine-Tuning Improves
Adaptation to Distribution Shifts", ICLR 2023).
"""

import copy

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from fer_live.errors import InputError
from training.methods.dta_snl import unlabeled_terms
from training.methods.dynamic_threshold import DynamicThreshold, check_limits
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    mean_prediction,
    predict,
    read_together,
    supervised_loss,
)
from training.models.resnet import ExpressionNet
from training.section import Section


class PersonalOptions(Section):
    """The table [options] of `personal`; each field says what it means."""

    thresholds: tuple[float, ...] = Field(
        (),
        description="confidence from which each class's pseudo-labels are kept at first, in label "
        "order; empty: those in the start's manifest, or tau_min",
    )
    beta: float = Field(0.97, gt=0, le=1, description="threshold = beta * mean confidence")
    tau_min: float = Field(0.8, ge=0, le=1, description="minimal threshold of a class")
    tau_max: float = Field(0.95, ge=0, le=1, description="maximal threshold of a class")
    decay: float = Field(
        0.9, ge=0, lt=1, description="of the confidences' moving average, per step"
    )
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    lambda_n: float = Field(1.0, ge=0, description="weight of the complementary term")
    ceiling: float = Field(0.05, ge=0, le=1, description="a complementary class is below it ...")
    rank: int = Field(
        3, ge=0, description="... and has at least so many likelier classes; of fewer, all others"
    )
    lambda_a: float = Field(1.0, ge=0, description="weight of the distillation from the start")
    pull: float = Field(
        0.0, ge=0, description="weight of half the squared distance of all weights to the start's"
    )
    learning_stages: int = Field(
        4,
        ge=0,
        le=4,
        description="stages that learn, from the input on, with the stem; 4: all, and what follows",
    )
    freeze_norms: bool = Field(
        True, description="keep the start's batch statistics, moved once by norm_share"
    )
    norm_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the person's faces in the batch statistics before training",
    )
    keep: float = Field(
        0.0, ge=0, lt=1, description="share of the start in the average of weights at the end"
    )

    @model_validator(mode="after")
    def _limits_in_order(self) -> "PersonalOptions":
        check_limits(self.tau_min, self.tau_max)
        return self


class Personal(Method):
    """DTA + SNL on one person's faces, held by the model that it starts from.

    L = CE(f(x), y) + lambda_u * pseudo-label term + lambda_n * complementary term, as in `DtaSnl`,
    + lambda_a * KL(f_0(weak(u)) || f(strong(u))) + pull / 2 * |theta - theta_0|^2
    (ours; the last two terms after Li & Hoiem, 2016, and Li et al., ICML 2018).

    f is the student with weights theta, f_0 the model that it starts from, with weights theta_0.
    Without labeled images the first term is missing and the thresholds stay as they are.
    """

    Options = PersonalOptions
    needs_labels = False
    several_processes = False

    def __init__(self, options: PersonalOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.dynamic = DynamicThreshold(
            n_classes,
            beta=options.beta,
            gamma=torch.e,
            tau_min=options.tau_min,
            tau_max=options.tau_max,
            tau_unseen=options.tau_min,
            decay=options.decay,
        )
        if options.thresholds:
            if len(options.thresholds) != n_classes:
                raise InputError(
                    f"options.thresholds: {len(options.thresholds)} numbers for {n_classes} classes"
                )
            self.dynamic.confidence.copy_(torch.tensor(options.thresholds) / options.beta)
            self.dynamic.seen.fill_(True)
        self._anchor: tuple[ExpressionNet, ...] = ()

    def begin(self, student: ExpressionNet) -> None:
        # In a tuple, because it is no state: a resumed run starts from the same weights.
        self._anchor = (copy.deepcopy(student).eval().requires_grad_(False),)
        student.freeze_norms(self.options.freeze_norms)
        student.freeze_stages_from(self.options.learning_stages)

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        (anchor,), options = self._anchor, self.options
        probs = mean_prediction(teacher, batch.weak)
        if len(batch.labeled):
            images, classes = batch.weak_labeled()
            self.dynamic.update(predict(teacher, images), classes)
        labeled_logits, logits, loss = self._read(student, batch)
        rank = min(options.rank, probs.shape[1] - 1)
        terms = unlabeled_terms(
            logits, probs, self.thresholds(passes), ceiling=options.ceiling, rank=rank
        )
        loss = loss + options.lambda_u * terms.pseudo_label
        loss = loss + options.lambda_n * terms.complementary
        if options.lambda_a:
            anchored = predict(anchor, batch.weak[0])
            divergence = F.kl_div(logits.log_softmax(dim=1), anchored, reduction="batchmean")
            loss = loss + options.lambda_a * divergence
        if options.pull:
            pairs = zip(student.parameters(), anchor.parameters(), strict=True)
            distance = sum(((now - then) ** 2).sum() for now, then in pairs)
            loss = loss + options.pull / 2 * distance
        pseudo = terms.pseudo
        return StepResult(loss, labeled_logits.detach(), pseudo.labels, pseudo.kept, terms.chosen)

    def _read(self, student: ExpressionNet, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, C) and (U, C) of labeled images and strong views, and the supervised term."""
        assert batch.strong is not None
        if len(batch.labeled):
            labeled, strong = read_together(student, batch.labeled, batch.strong)
            return labeled.logits, strong.logits, supervised_loss(labeled.logits, batch)
        logits = student.read(batch.strong).logits
        return logits[:0], logits.float(), logits.sum() * 0

    def thresholds(self, passes: float) -> Tensor:
        tau: Tensor = self.dynamic(torch.inf)  # the start's thresholds have risen already
        return tau
