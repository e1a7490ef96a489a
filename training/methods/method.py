"""What every method is: an objective of student, teacher and batch, with the state it keeps."""

from dataclasses import dataclass
from math import gcd
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.resnet import ExpressionNet, NetworkOutput
from training.section import Section


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's images, augmented, (B or U, 1, S, S) in [-1, 1], and the labeled ones' `targets`
    (B, C), distributions that sum to 1. `weak` and `strong` are views of the same U unlabeled
    images, row by row: as many weak ones as the method asks for, and one strong. `labeled_weakly`
    (B,) bool says which labeled images are weakly augmented, the others strongly; None: all.
    `logit_adjustment` (C,) is added to the labeled images' logits in the loss; None: nothing."""

    labeled: Tensor
    targets: Tensor
    weak: tuple[Tensor, ...] = ()
    strong: Tensor | None = None
    labeled_weakly: Tensor | None = None
    logit_adjustment: Tensor | None = None

    def weak_labeled(self) -> tuple[Tensor, Tensor]:
        """The weakly augmented labeled images and their classes, seen as unlabeled ones are when
        they get their pseudo-labels."""
        classes = self.targets.argmax(dim=1)
        if self.labeled_weakly is None:
            return self.labeled, classes
        return self.labeled[self.labeled_weakly], classes[self.labeled_weakly]


@dataclass(frozen=True, slots=True, eq=False)
class StepResult:
    """The `loss` to descend, and what the log tells of a step.

    `labeled_logits` (B, C); `pseudo_labels` (U,) with `kept` (U,) bool; `complementary` (U, C)
    bool, True for "it is not this class". None for what a method does not have.
    """

    loss: Tensor
    labeled_logits: Tensor
    pseudo_labels: Tensor | None = None
    kept: Tensor | None = None
    complementary: Tensor | None = None


class Method(nn.Module):
    """An objective. What it carries from step to step is a buffer, and so is saved and restored."""

    Options: ClassVar[type[Section]] = Section
    """The table [options] of a config for this method."""

    uses_unlabeled: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    n_weak_views: int = 1
    several_processes: ClassVar[bool] = True
    """Whether several processes descend the loss that one would have on the whole batch."""

    def __init__(self, options: Any, n_classes: int) -> None:
        super().__init__()

    def begin(self, student: ExpressionNet) -> None:
        """The student has the weights that it starts from; also before a run is resumed."""
        return

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        """The objective on one batch, `passes` passes over the images into the run."""
        raise NotImplementedError

    def thresholds(self, passes: float) -> Tensor | None:
        """The confidence (C,) from which a pseudo-label of each class is kept; None without any."""
        return None


def supervised_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the labeled images' logits (B, C) with their targets.

    With a logit adjustment, tau * log(class share), it is that of logits + adjustment (Menon et
    al., "Long-Tail Learning via Logit Adjustment", ICLR 2021, eq. 10): for tau 1 the logits
    themselves then answer as if all classes were equally frequent.
    """
    if batch.logit_adjustment is not None:
        logits = logits + batch.logit_adjustment
    return F.cross_entropy(logits, batch.targets)


def predict(network: ExpressionNet, faces: Tensor) -> Tensor:
    """softmax probabilities (N, C) of `network` in eval mode, without gradient."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        probs: Tensor = network(faces).float().softmax(dim=1)
    network.train(was_training)
    return probs


def mean_prediction(network: ExpressionNet, views: tuple[Tensor, ...]) -> Tensor:
    """The mean (N, C) of `predict` over several views (N, 1, S, S) of the same N images."""
    probs = predict(network, torch.cat(views))
    return probs.reshape(len(views), -1, probs.shape[1]).mean(dim=0)


def read_together(
    student: ExpressionNet, labeled: Tensor, unlabeled: Tensor
) -> tuple[NetworkOutput, NetworkOutput]:
    """One forward pass over labeled (B, ...) and unlabeled (U, ...) images.

    One pass, so that both share their batch statistics; in groups of B / g labeled and U / g
    unlabeled images, g = gcd(B, U), so that the order is the same however many processes share it.
    """
    groups = gcd(len(labeled), len(unlabeled))
    sizes = [len(labeled) // groups, len(unlabeled) // groups]
    parts = [images.reshape(groups, -1, *images.shape[1:]) for images in (labeled, unlabeled)]
    output = student.read(torch.cat(parts, dim=1).flatten(0, 1))

    def split(values: Tensor) -> list[Tensor]:
        both = values.float().reshape(groups, -1, values.shape[1]).split_with_sizes(sizes, dim=1)
        return [part.flatten(0, 1) for part in both]

    logits, embeddings = split(output.logits), split(output.embedding)
    return NetworkOutput(logits[0], embeddings[0], None), NetworkOutput(
        logits[1], embeddings[1], None
    )
