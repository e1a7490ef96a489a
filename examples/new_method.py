"""A method of one's own, without a change of the project: Mean Teacher.

python examples/new_method.py fit --config CONFIG.toml --out RUN
"""

import torch.nn.functional as F
from pydantic import Field

from training.cli import main
from training.methods import METHODS
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    predict,
    read_together,
    supervised_loss,
)
from training.models.resnet import ExpressionNet
from training.section import Section


class MeanTeacherOptions(Section):
    """The table [options] of Mean Teacher; each field says what it means."""

    lambda_u: float = Field(10.0, ge=0, description="weight of the consistency term")
    rampup: float = Field(1.0, gt=0, description="passes over which it rises from 0")


class MeanTeacher(Method):
    """Mean Teacher: L = CE(f(x), y) + w(t) * MSE(softmax f(strong(u)), softmax t(weak(u))).

    f is the student, t the teacher, x a labeled image with target y, u an unlabeled image; w rises
    to lambda_u in a line. Tarvainen and Valpola, "Mean teachers are better role models" (NeurIPS
    2017), whose ramp is a sigmoid.
    """

    Options = MeanTeacherOptions

    def __init__(self, options: MeanTeacherOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        wanted = predict(teacher, batch.weak[0])
        labeled, strong = read_together(student, batch.labeled, batch.strong)
        consistency = F.mse_loss(strong.logits.softmax(dim=1), wanted)
        weight = self.options.lambda_u * min(1.0, passes / self.options.rampup)
        loss = supervised_loss(labeled.logits, batch) + weight * consistency
        return StepResult(loss, labeled.logits.detach())


METHODS["mean_teacher"] = MeanTeacher

if __name__ == "__main__":
    main()
