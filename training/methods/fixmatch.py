"""FixMatch (Sohn et al., NeurIPS 2020): pseudo-labels above one fixed threshold."""

import torch
from pydantic import Field
from torch import Tensor

from training.methods.method import (
    Batch,
    Method,
    StepResult,
    gradient_size,
    predict,
    read_together,
    supervised_loss,
)
from training.methods.pseudo_label import pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet
from training.section import Section


class FixMatchOptions(Section):
    """The table [options] of FixMatch; each field says what it means."""

    threshold: float = Field(0.95, ge=0, le=1, description="confidence from which a label is kept")
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    teacher_labels: bool = Field(
        True, description="pseudo-labels by the EMA teacher; false: by the student in eval mode"
    )


class FixMatch(Method):
    """FixMatch: L = CE(f(x), y) + lambda_u * mean(1[max p >= tau] * CE(f(strong(u)), argmax p)).

    f is the student, x a labeled image with target y, u an unlabeled image, and p = softmax of
    weak(u) by the teacher, or by the student (`teacher_labels = false`). Sohn et al., "FixMatch"
    (NeurIPS 2020), eq. 3 and 4. tau is the same for all classes.
    """

    Options = FixMatchOptions

    def __init__(self, options: FixMatchOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        self.register_buffer("tau", torch.full((n_classes,), options.threshold), persistent=False)

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        labeler = teacher if self.options.teacher_labels else student
        pseudo = pseudo_label(predict(labeler, batch.weak[0]), self.thresholds(passes))

        labeled, strong = read_together(student, batch.labeled, batch.strong)
        supervised = supervised_loss(labeled.logits, batch)
        unsupervised = pseudo_label_loss(strong.logits, pseudo.labels, pseudo.kept)
        weighted = self.options.lambda_u * unsupervised
        return StepResult(
            supervised + weighted,
            labeled.logits.detach(),
            pseudo.labels,
            pseudo.kept,
            gradients={"pseudo_label": gradient_size(weighted, strong.logits)},
        )

    def thresholds(self, passes: float) -> Tensor:
        tau: Tensor = self.get_buffer("tau")
        return tau
