"""FreeMatch (Wang et al., ICLR 2023): self-adaptive thresholds, and a fairness term."""

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from training.distributed import mean_over_processes, n_processes, sum_over_processes
from training.methods.method import (
    Batch,
    Method,
    StepResult,
    predict,
    read_together,
    supervised_loss,
)
from training.methods.pseudo_label import PseudoLabels, pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet
from training.section import Section


class FreeMatchOptions(Section):
    """The table [options] of FreeMatch; each field says what it means."""

    decay: float = Field(0.999, ge=0, lt=1, description="of the moving averages, per step")
    lambda_u: float = Field(1.0, ge=0, description="weight of the pseudo-label term")
    lambda_f: float = Field(0.01, ge=0, description="weight of the fairness term")
    teacher_labels: bool = Field(
        True, description="pseudo-labels by the EMA teacher; false: by the student in eval mode"
    )


class FreeMatch(Method):
    """FreeMatch: pseudo-labels above self-adaptive thresholds, and a fairness term.

    L = CE(f(x), y) + lambda_u * mean(1[max p >= T] * CE(f(strong(u)), argmax p))
    - lambda_f * H(SumNorm(p~ / h~), SumNorm(q_ / h_)), with T_c = tau * p~_c / max p~
    (Wang et al., "FreeMatch", ICLR 2023, eq. 5 to 12).

    f is the student, x a labeled image with target y, u an unlabeled image, and p = softmax of
    weak(u) by the teacher, or by the student (`teacher_labels = false`). tau, p~ and h~ are moving
    averages that start at 1 / C: of max p, of p, and of the histogram of argmax p over the
    unlabeled images. q_ and h_ are the mean and the histogram of the strong views that were kept.

    Attributes:
        tau: The global threshold, a scalar, 0 to 1.
        mean_probs: (C,), p~.
        histogram: (C,), h~.
    """

    Options = FreeMatchOptions
    tau: Tensor
    mean_probs: Tensor
    histogram: Tensor

    def __init__(self, options: FreeMatchOptions, n_classes: int) -> None:
        super().__init__(options, n_classes)
        self.options = options
        uniform = torch.full((n_classes,), 1 / n_classes)
        self.register_buffer("tau", uniform[0].clone())
        self.register_buffer("mean_probs", uniform.clone())
        self.register_buffer("histogram", uniform.clone())

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        assert batch.strong is not None
        labeler = teacher if self.options.teacher_labels else student
        probs = predict(labeler, batch.weak[0])
        self._update(probs)
        pseudo = pseudo_label(probs, self.thresholds(passes))

        labeled, strong = read_together(student, batch.labeled, batch.strong)
        supervised = supervised_loss(labeled.logits, batch)
        unsupervised = pseudo_label_loss(strong.logits, pseudo.labels, pseudo.kept)
        loss = supervised + self.options.lambda_u * unsupervised
        loss = loss + self.options.lambda_f * self._unfairness(strong.logits, pseudo)
        return StepResult(loss, labeled.logits.detach(), pseudo.labels, pseudo.kept)

    def thresholds(self, passes: float) -> Tensor:
        return self.tau * self.mean_probs / self.mean_probs.max()

    def _update(self, probs: Tensor) -> None:
        keep = self.options.decay
        self.tau.lerp_(_global_mean(probs.amax(dim=1)), 1 - keep)
        self.mean_probs.lerp_(_global_mean(probs), 1 - keep)
        counts = F.one_hot(probs.argmax(dim=1), probs.shape[1]).float()
        self.histogram.lerp_(_global_mean(counts), 1 - keep)

    def _unfairness(self, strong_logits: Tensor, pseudo: PseudoLabels) -> Tensor:
        """Compute the negated fairness term: the cross-entropy of both normalised distributions.

        It is 0 where no image is kept.
        """
        n_kept = sum_over_processes(pseudo.kept.sum())
        if not n_kept:
            return strong_logits.new_zeros(())
        share = pseudo.kept[:, None] * n_processes() / n_kept
        strong_probs = strong_logits.softmax(dim=1)
        counts = F.one_hot(strong_probs.argmax(dim=1), strong_probs.shape[1])
        expected = _sum_norm(self.mean_probs, self.histogram)
        seen = _sum_norm(
            mean_over_processes((strong_probs * share).sum(dim=0)),
            mean_over_processes((counts * share).sum(dim=0)),
        )
        return (expected * seen.clamp_min(1e-12).log()).sum()


def _global_mean(values: Tensor) -> Tensor:
    return sum_over_processes(values.mean(dim=0)) / n_processes()


def _sum_norm(probs: Tensor, histogram: Tensor) -> Tensor:
    """probs / histogram, where the histogram is not empty, scaled to sum 1."""
    ratio = torch.where(histogram > 0, probs / histogram.clamp_min(1e-12), 0.0)
    return ratio / ratio.sum()
