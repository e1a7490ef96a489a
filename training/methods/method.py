"""The interface of a method, an objective of student, teacher and batch, and what methods share."""

from dataclasses import dataclass, field
from math import gcd
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import share_of_mean
from training.models.resnet import ExpressionNet, NetworkOutput
from training.section import Section


@dataclass(frozen=True, slots=True, eq=False)
class Heldout:
    """Some labeled images that carry no gradient: they tell how often predictions are right.

    Attributes:
        images: (H, 1, S, S) in [-1, 1], weakly augmented, as unlabeled images are when they are
            labeled.
        labels: (H,) int64, their classes.
        n_images: How many images are held out in all.
        answers: (H, C), the probabilities that teachers gave the images, NaN where they gave none;
            None without stored answers.
    """

    images: Tensor
    labels: Tensor
    n_images: int
    answers: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What was measured in the faces of a batch beside their expression, at most once each.

    Attributes:
        labeled: (B, L), the L measures of the labeled images, each of mean 0 and deviation 1 over
            the data; NaN where a face was not measured.
        unlabeled: (U, L), those of the unlabeled images; None without unlabeled images.
        weight: Of their term in the loss.
    """

    labeled: Tensor
    unlabeled: Tensor | None
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The augmented images of one step: B labeled ones, and views of U unlabeled ones.

    Pixels are in [-1, 1], S is the side of an image, C the number of classes. Row by row, all views
    are of the same unlabeled images.

    Attributes:
        labeled: (B, 1, S, S), the labeled images.
        targets: (B, C), their distributions over the classes, which sum to 1.
        weak: As many weakly augmented views as the method asks for, each (U, 1, S, S).
        strong: (U, 1, S, S), the strongly augmented view; None without unlabeled images.
        labeled_weakly: (B,) bool, which labeled images are weakly augmented, the others strongly;
            None: all are.
        logit_adjustment: (C,), added to the logits of the labeled images in the loss; None: nothing
            is added.
        heldout: Labeled images that carry no gradient; None where there are none.
        class_shares: (C,), the share of each class among the labeled images; None: not known.
        landmarks: What was measured in the faces; None: nothing.
        answers: (U, C), the probabilities that teachers gave the unlabeled images; None: none.
    """

    labeled: Tensor
    targets: Tensor
    weak: tuple[Tensor, ...] = ()
    strong: Tensor | None = None
    labeled_weakly: Tensor | None = None
    logit_adjustment: Tensor | None = None
    heldout: Heldout | None = None
    class_shares: Tensor | None = None
    landmarks: Landmarks | None = None
    answers: Tensor | None = None

    def weak_labeled(self) -> tuple[Tensor, Tensor]:
        """Select the labeled images that are augmented as unlabeled ones are when they are labeled.

        Returns:
            The weakly augmented labeled images (b, 1, S, S), and their classes (b,) int64.
        """
        classes = self.targets.argmax(dim=1)
        if self.labeled_weakly is None:
            return self.labeled, classes
        return self.labeled[self.labeled_weakly], classes[self.labeled_weakly]


@dataclass(frozen=True, slots=True, eq=False)
class StepResult:
    """The loss of one step, and what the log tells of the step.

    What a method does not have is None.

    Attributes:
        loss: The scalar to descend, with gradient.
        labeled_logits: (B, C), the student's logits of the labeled images, without gradient.
        pseudo_labels: (U,) int64, the likeliest class of each unlabeled image.
        kept: (U,) bool, which pseudo-labels are learned.
        complementary: (U, C) bool, True for "the image is not of this class".
        gradients: The size of the gradient of each unlabeled term, by the term's name: the norm
            over the logits (U, C) of the strong views, weighted as in the loss.
    """

    loss: Tensor
    labeled_logits: Tensor
    pseudo_labels: Tensor | None = None
    kept: Tensor | None = None
    complementary: Tensor | None = None
    gradients: dict[str, Tensor] = field(default_factory=dict)


class Method(nn.Module):
    """An objective: a function of student, teacher and batch to the loss of one step.

    The training loop knows nothing else of a method. What a method carries from step to step is a
    buffer, and so it is saved in checkpoints and restored from them.

    Args:
        options: The table [options] of a config, an instance of the class's `Options`.
        n_classes: The number C of classes.

    Attributes:
        Options: The class of [options] for this method.
        uses_unlabeled: Whether a step needs unlabeled images.
        needs_labels: Whether a step needs labeled images.
        n_weak_views: How many weak views of each unlabeled image a step needs.
        needs_heldout: Whether a step needs labeled images that carry no gradient.
        needs_weak_labeled: Whether it learns from weakly augmented labeled images what to keep.
        needs_answers: Whether a step needs the teachers' stored answers to unlabeled images.
        learns_landmarks: Whether the loss has a term for what was measured in the faces.
        several_processes: Whether several processes descend the loss that one process would have on
            the whole batch.
    """

    Options: ClassVar[type[Section]] = Section
    uses_unlabeled: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    n_weak_views: int = 1
    needs_heldout: bool = False
    needs_weak_labeled: bool = False
    needs_answers: bool = False
    learns_landmarks: ClassVar[bool] = False
    several_processes: ClassVar[bool] = True

    def __init__(self, options: Any, n_classes: int) -> None:
        super().__init__()

    def begin(self, student: ExpressionNet) -> None:
        """Prepare the student for the run, or remember its weights.

        Is called once before the first step, and again before a run is resumed.

        Args:
            student: The network to train, with the weights that it starts from.
        """
        return

    def step(
        self, student: ExpressionNet, teacher: ExpressionNet, batch: Batch, passes: float
    ) -> StepResult:
        """Compute the objective on one batch.

        Args:
            student: The network that learns, in training mode.
            teacher: The moving average of the student, in eval mode; it gets no gradient.
            batch: The images of the step.
            passes: How many passes over the images the run is old, a fraction.

        Returns:
            The loss to descend, and what the log tells of the step.
        """
        raise NotImplementedError

    def thresholds(self, passes: float) -> Tensor | None:
        """Tell from which confidence a pseudo-label of each class is kept.

        Args:
            passes: How many passes over the images the run is old, a fraction.

        Returns:
            (C,), confidences 0 to 1; None for a method without pseudo-labels.
        """
        return None


def supervised_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Compute the cross-entropy of labeled images with their targets.

    With a logit adjustment, tau * log(class share), it is that of logits + adjustment (Menon et
    al., "Long-Tail Learning via Logit Adjustment", ICLR 2021, eq. 10). For tau 1 the logits
    themselves then answer as if all classes were equally frequent.

    Args:
        logits: (B, C), the student's logits of the labeled images.
        batch: The targets of these images, and the logit adjustment.

    Returns:
        The mean over the images, a scalar.
    """
    if batch.logit_adjustment is not None:
        logits = logits + batch.logit_adjustment
    return F.cross_entropy(logits, batch.targets)


def landmarks_loss(predicted: Tensor | None, measured: Tensor | None) -> Tensor | float:
    """Compare the network's auxiliary outputs with what was measured in the faces.

    Args:
        predicted: (N, L), the auxiliary outputs; None where the network has none.
        measured: (N, L), the measures, NaN where a face was not measured; None: none was.

    Returns:
        The mean of the smooth L1 distance over the measured faces, a scalar, with gradient; 0.0
        where there is nothing to compare.
    """
    if predicted is None or measured is None:
        return 0.0
    known = measured.isfinite()
    distance = F.smooth_l1_loss(
        predicted, measured.where(known, predicted.detach()), reduction="none"
    )
    return share_of_mean(distance, known.to(distance))


def gradient_size(term: Tensor, logits: Tensor) -> Tensor:
    """Measure how strongly a term of the loss pulls at the logits that it is made from.

    Args:
        term: A scalar with gradient.
        logits: (U, C), the logits; the network below them is not gone through.

    Returns:
        The norm of the gradient, a scalar without gradient; 0 for a term that is constant.
    """
    if not term.requires_grad:
        return term.new_zeros(())
    (gradient,) = torch.autograd.grad(term, logits, retain_graph=True)
    size: Tensor = gradient.norm()
    return size


def predict(network: ExpressionNet, faces: Tensor) -> Tensor:
    """Compute a network's probabilities in eval mode, without gradient.

    The network is left in the mode that it was in.

    Args:
        network: Any network, student or teacher.
        faces: (N, 1, S, S) in [-1, 1]; none is allowed, because of several processes one may have
            no weakly augmented image in its part of a batch.

    Returns:
        (N, C) float32, softmax of the logits.
    """
    if not len(faces):
        return torch.zeros(0, network.classifier.out_features, device=faces.device)
    was_training = network.training
    network.eval()
    with torch.no_grad():
        probs: Tensor = network(faces).float().softmax(dim=1)
    network.train(was_training)
    return probs


def mean_prediction(network: ExpressionNet, views: tuple[Tensor, ...]) -> Tensor:
    """Average the predictions of a network over several views of the same images.

    Args:
        network: Any network, student or teacher.
        views: One or more views, each (N, 1, S, S) in [-1, 1].

    Returns:
        (N, C) float32, the mean of the probabilities, without gradient.
    """
    probs = predict(network, torch.cat(views))
    return probs.reshape(len(views), -1, probs.shape[1]).mean(dim=0)


def read_together(
    student: ExpressionNet, labeled: Tensor, unlabeled: Tensor
) -> tuple[NetworkOutput, NetworkOutput]:
    """Run the student once over labeled and unlabeled images, which then share batch statistics.

    The images go in groups of B / g labeled and U / g unlabeled ones, g = gcd(B, U), so that their
    order is the same however many processes share the batch.

    Args:
        student: The network that learns.
        labeled: (B, 1, S, S) in [-1, 1].
        unlabeled: (U, 1, S, S) in [-1, 1].

    Returns:
        The logits, embeddings and auxiliary outputs, float32, of the labeled and of the unlabeled
        images.
    """
    groups = gcd(len(labeled), len(unlabeled))
    sizes = [len(labeled) // groups, len(unlabeled) // groups]
    parts = [images.reshape(groups, -1, *images.shape[1:]) for images in (labeled, unlabeled)]
    output = student.read(torch.cat(parts, dim=1).flatten(0, 1))

    def split(values: Tensor) -> list[Tensor]:
        both = values.float().reshape(groups, -1, values.shape[1]).split_with_sizes(sizes, dim=1)
        return [part.flatten(0, 1) for part in both]

    logits, embeddings = split(output.logits), split(output.embedding)
    auxiliary: list[Tensor] | list[None] = [None, None]
    if output.auxiliary is not None:
        auxiliary = split(output.auxiliary)
    first, second = (
        NetworkOutput(logits[part], embeddings[part], None, auxiliary=auxiliary[part])
        for part in (0, 1)
    )
    return first, second
