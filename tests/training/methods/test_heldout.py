"""Thresholds and ruled-out classes from held-out labeled images, on numbers worked out by hand."""

import pytest
import torch
from torch import Tensor

from training.methods.heldout import HeldoutPrecision
from training.methods.method import Heldout

KEEP_NONE = torch.ones(3) * 2


def seen(
    confidences: list[float], predicted: list[int], labels: list[int], *, n_images: int = 0
) -> HeldoutPrecision:
    """What is known after one step on images read so, of three classes."""
    rule = HeldoutPrecision(3, decay=0.9)
    told = told_by(labels, n_images or len(labels))
    rule.update(probabilities(confidences, predicted), told, KEEP_NONE)
    return rule


def probabilities(confidences: list[float], predicted: list[int]) -> Tensor:
    """Each image's likeliest class has its confidence, the two others share the rest."""
    probs = ((1 - torch.tensor(confidences)) / 2)[:, None].repeat(1, 3)
    return probs.scatter(1, torch.tensor(predicted)[:, None], torch.tensor(confidences)[:, None])


def told_by(labels: list[int], n_images: int) -> Heldout:
    return Heldout(torch.zeros(len(labels), 1, 8, 8), torch.tensor(labels), n_images)


def test_before_any_image_nothing_is_sure():
    rule = HeldoutPrecision(3, decay=0.9)
    assert rule.thresholds(0.9, prior=10).tolist() == [1.0] * 3
    assert rule.ceiling(0.5).item() == 0


def test_a_threshold_is_the_smallest_confidence_that_is_right_often_enough():
    """Class 0 is right on all of 40 images from 0.6 on, class 1 on 20 of 40 from 0.6 and on 20 of
    20 from 0.8 on. The prior weighs next to nothing here."""
    rule = seen(
        [0.605] * 40 + [0.805] * 20 + [0.605] * 20,
        [0] * 40 + [1] * 40,
        [0] * 40 + [1] * 20 + [2] * 20,
    )
    tau = rule.thresholds(0.9, prior=0.001)
    assert tau[0].item() == pytest.approx(0.0)  # from 0 on all that were read as 0 are right
    assert tau[1].item() == pytest.approx(0.61)  # what lies in the bin of 0.60 is not right
    # Class 2 was never read: it follows all together, (60 + 1) / (80 + 2) from 0 to 0.60, and
    # (20 + 1) / (20 + 2) from 0.61 on.
    assert tau[2].item() == pytest.approx(0.61)


def test_a_rare_class_follows_the_others_until_it_has_images_of_its_own():
    """Class 1 was read twice, wrongly once. With a prior of 10 images at a precision of
    (91 + 1) / (92 + 2) = 0.979 that makes (1 + 9.79) / 12 = 0.899, and with one of 1 0.66."""
    rule = seen([0.7] * 92, [0] * 90 + [1] * 2, [0] * 90 + [1, 0])
    assert rule.thresholds(0.89, prior=10)[1].item() == 0.0
    assert rule.thresholds(0.90, prior=10)[1].item() > 0.7
    assert rule.thresholds(0.89, prior=1)[1].item() > 0.7


def test_views_count_as_the_images_that_they_are_of():
    """80 views of 8 images are the evidence of 8: the prior keeps its weight."""
    labels, predicted = [1] * 40 + [0] * 40, [1] * 80
    few, many = (seen([0.9] * 80, predicted, labels, n_images=n) for n in (8, 80))
    assert few._weight().item() == pytest.approx(0.1)
    assert many._weight().item() == 1
    # Class 0 was not read, so it is as good as all together: (4 + 1) / (8 + 2) and (41 / 82).
    assert few.thresholds(0.49, prior=1e6)[0].item() == many.thresholds(0.49, prior=1e6)[0].item()


def test_old_images_fade():
    rule = seen([0.9] * 50, [0] * 50, [1] * 50)
    assert rule.thresholds(0.8, prior=1)[0].item() > 0.9
    good = probabilities([0.9] * 50, [0] * 50)
    for _ in range(30):
        rule.update(good, told_by([0] * 50, 50), KEEP_NONE)
    assert rule.thresholds(0.8, prior=1)[0].item() < 0.9


def test_the_ceiling_leaves_the_true_class_in_as_often_as_asked():
    """Of 99 images the true class has 0.001 in 4 and 0.05 in 95. With a coverage of 0.95 four may
    be missed ((99 + 1) * 0.05 - 1), so the ceiling lies between; with 0.97 only two."""
    probs = torch.tensor([[0.7, 0.299, 0.001]] * 4 + [[0.7, 0.25, 0.05]] * 95)
    rule = HeldoutPrecision(3, decay=0.9)
    rule.update(probs, told_by([2] * 99, 99), KEEP_NONE)
    assert 0.001 < rule.ceiling(0.95).item() < 0.05
    assert rule.ceiling(0.97).item() < 0.0011
    assert rule.ceiling(0.0).item() > 0.05


def test_only_images_without_a_pseudo_label_say_what_may_be_ruled_out():
    rule = HeldoutPrecision(3, decay=0.9)
    probs = torch.tensor([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2]])
    rule.update(probs, told_by([0, 1], 2), torch.full((3,), 0.8))
    assert rule.truth.sum().item() == 1
    assert rule.read.sum().item() == 2
    assert rule.right.sum().item() == 1


def test_counts_fade_by_the_decay_each_step():
    """Four images, then four more: 4 * 0.9 + 4."""
    rule = HeldoutPrecision(3, decay=0.9)
    for _ in range(2):
        rule.update(probabilities([0.605] * 4, [1] * 4), told_by([1, 1, 1, 0], 4), KEEP_NONE)
    assert rule.read[1, 60].item() == pytest.approx(7.6)
    assert rule.right[1, 60].item() == pytest.approx(5.7)
    assert rule.truth.sum().item() == pytest.approx(7.6)


@pytest.mark.parametrize(
    ("probability", "edge"), [(0.5, 10**-0.4), (1e-3, 10**-3.1), (1e-30, 10**-7), (0.0105, 0.01)]
)
def test_the_ceiling_is_the_lower_edge_of_the_bin_of_a_tenth_of_a_decade(
    probability: float, edge: float
):
    """With a coverage of 0.5 all 99 images but half of them keep their class."""
    probs = torch.tensor([[1 - probability, probability, 0.0]] * 99)
    rule = HeldoutPrecision(3, decay=0.9)
    rule.update(probs, told_by([1] * 99, 99), KEEP_NONE)
    found = rule.ceiling(0.5).item()
    assert found <= max(probability, 1e-7) < found * 10**0.1 * (1 + 1e-5) or found == 0
    assert found == pytest.approx(edge if edge > 1e-7 else 0.0, rel=1e-4)
