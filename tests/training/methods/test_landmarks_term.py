"""The term for what was measured in the faces, in the methods that learn it, by hand."""

import math

import pytest
import torch

from tests.helpers.scripted import Scripted, faces_with
from training.methods import METHODS
from training.methods.method import Batch, Landmarks, landmarks_loss

NAN = float("nan")
EVEN = [0.5, 0.5]


def test_the_distance_is_half_the_square_of_a_small_error_and_half_less_than_a_large_one():
    predicted = torch.tensor([[0.0, 3.0]])
    assert landmarks_loss(predicted[:, :1], torch.tensor([[0.4]])).item() == pytest.approx(0.08)
    assert landmarks_loss(predicted[:, 1:], torch.tensor([[1.0]])).item() == pytest.approx(1.5)


def test_a_face_that_was_not_measured_counts_neither_in_the_sum_nor_in_the_mean():
    predicted = torch.tensor([[0.0, 0.0], [9.0, 9.0]], requires_grad=True)
    loss = landmarks_loss(predicted, torch.tensor([[0.4, 0.2], [NAN, NAN]]))
    assert loss.item() == pytest.approx((0.08 + 0.02) / 2)
    loss.backward()
    torch.testing.assert_close(predicted.grad, torch.tensor([[-0.2, -0.1], [0.0, 0.0]]))


def test_without_outputs_or_measures_there_is_no_term():
    values = torch.zeros(1, 2)
    assert landmarks_loss(None, values) == 0.0
    assert landmarks_loss(values, None) == 0.0


def test_supervised_training_adds_the_weighted_term():
    faces = faces_with([EVEN, EVEN], measures=[[0.4], [3.0]])
    measured = Landmarks(torch.tensor([[0.0], [1.0]]), None, weight=2.0)
    batch = Batch(faces, torch.eye(2), landmarks=measured)
    method = METHODS["supervised"](METHODS["supervised"].Options(), 2)
    result = method.step(Scripted(2, n_measures=1), Scripted(2), batch, 0.0)
    assert result.loss.item() == pytest.approx(math.log(2) + 2 * (0.08 + 1.5) / 2)
    result = method.step(Scripted(2), Scripted(2), batch, 0.0)
    assert result.loss.item() == pytest.approx(math.log(2)), "no outputs, no term"


def dta_snl_loss(student: Scripted, measured: Landmarks | None) -> float:
    """Of one labeled and two unlabeled images, of which none is kept or ruled out."""
    method = METHODS["dta_snl"]
    options = method.Options.model_validate({"snl": False, "dta": False, "threshold": 1.0})
    labeled = faces_with([EVEN], measures=[[0.4]])
    strong = faces_with([EVEN, EVEN], measures=[[3.0], [0.2]])
    batch = Batch(labeled, torch.eye(2)[:1], (strong,), strong, landmarks=measured)
    return method(options, 2).step(student, Scripted(2), batch, 0.0).loss.item()


def test_dta_snl_adds_the_weighted_term_of_labeled_and_unlabeled_images():
    """Errors of 0.4 and 2; the third face was not measured."""
    measured = Landmarks(torch.tensor([[0.0]]), torch.tensor([[1.0], [NAN]]), weight=2.0)
    with_term = dta_snl_loss(Scripted(2, n_measures=1), measured)
    assert with_term == pytest.approx(math.log(2) + 2 * (0.08 + 1.5) / 2)


def test_dta_snl_adds_nothing_without_measures_or_outputs():
    measured = Landmarks(torch.tensor([[0.0]]), torch.tensor([[1.0], [NAN]]), weight=2.0)
    assert dta_snl_loss(Scripted(2, n_measures=1), None) == pytest.approx(math.log(2))
    assert dta_snl_loss(Scripted(2), measured) == pytest.approx(math.log(2))


def test_only_supervised_training_and_dta_snl_learn_landmarks():
    assert {name for name, method in METHODS.items() if method.learns_landmarks} == {
        "supervised",
        "dta_snl",
    }
