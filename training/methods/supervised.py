"""Supervised training: cross-entropy against the class or the raters' distribution."""

from training.methods.method import (
    Batch,
    Method,
    StepResult,
    landmarks_loss,
    supervised_loss,
)
from training.models.resnet import ExpressionNet


class Supervised(Method):
    """Supervised training: L = mean over the batch of -sum_c y_c log softmax(f(x))_c.

    f is the student, x a labeled image, y its target: the class, or the distribution of the raters'
    votes (Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
    Crowd-Sourced Label Distribution", ICMI 2016). Where a config has unlabeled images, this
    objective gets strongly augmented *labeled* images in their place, so that a step costs and sees
    as much as a step of its rivals.
    """

    uses_unlabeled = False
    learns_landmarks = True

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        output = student.read(batch.labeled)
        logits = output.logits.float()
        loss = supervised_loss(logits, batch)
        if batch.landmarks is not None:
            term = landmarks_loss(output.auxiliary, batch.landmarks.labeled)
            loss = loss + batch.landmarks.weight * term
        return StepResult(loss, logits.detach())
