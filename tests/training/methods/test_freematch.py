import math

import pytest
import torch

from tests.helpers.methods import make_method
from tests.helpers.scripted import Scripted, faces_with
from training.methods.method import (
    Batch,
)


def test_freematch_thresholds_by_hand():
    method = make_method("freematch", 2, decay=0.5, lambda_f=0.0)
    student, teacher = Scripted(2), Scripted(2)
    batch = Batch(
        labeled=faces_with([[0.5, 0.5]]),
        targets=torch.tensor([[1.0, 0.0]]),
        weak=(faces_with([[0.9, 0.1], [0.7, 0.3]]),),
        strong=faces_with([[0.5, 0.5], [0.5, 0.5]]),
    )
    result = method.step(student, teacher, batch, 0.0)
    # tau = (0.5 + 0.8) / 2 = 0.65; p~ = (0.5 + 0.8, 0.5 + 0.2) / 2 = (0.65, 0.35).
    torch.testing.assert_close(method.thresholds(0.0), torch.tensor([0.65, 0.65 * 0.35 / 0.65]))
    assert result.kept is not None and result.kept.tolist() == [True, True]


def test_freematch_fairness_by_hand():
    method = make_method("freematch", 2, lambda_u=0.0, lambda_f=0.5, decay=0.5)
    batch = Batch(
        labeled=faces_with([[0.5, 0.5]]),
        targets=torch.tensor([[1.0, 0.0]]),
        weak=(faces_with([[0.9, 0.1], [0.2, 0.8]]),),
        strong=faces_with([[0.9, 0.1], [0.2, 0.8]]),
    )
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    # Mean probabilities (0.55, 0.45); moved half way from (0.5, 0.5): (0.525, 0.475). Histograms
    # are even, and both images are kept (tau = 0.675, times 0.475 / 0.525 for the second class).
    fairness = 0.525 * math.log(0.55) + 0.475 * math.log(0.45)
    assert loss == pytest.approx(math.log(2) + 0.5 * fairness, rel=1e-4)


def test_freematch_is_fair_to_nobody_where_no_image_is_kept():
    """Even answers of 1/2 stay below a threshold that has risen to 3/4."""
    method = make_method("freematch", 2, lambda_f=0.5, decay=0.999)
    method.tau.fill_(0.75)
    faces = faces_with([[0.5, 0.5]])
    batch = Batch(faces, torch.tensor([[1.0, 0.0]]), (faces,), faces)
    result = method.step(Scripted(2), Scripted(2), batch, 0.0)
    assert not result.kept.any()
    assert result.loss.item() == pytest.approx(math.log(2))


def test_freematch_leaves_out_a_class_that_no_kept_image_is_of():
    """Kept are two images of class 0, of 0.9 and 0.8: SumNorm(q_ / h_) = (1, 0), and log 0 counts
    as log 1e-12."""
    method = make_method("freematch", 2, lambda_u=0.0, lambda_f=0.5, decay=0.0)
    faces = faces_with([[0.9, 0.1], [0.8, 0.2]])
    batch = Batch(faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), (faces,), faces)
    method.histogram.fill_(0.5)
    method._update = lambda probs: None
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    # The averages stay where they were: (0.5, 0.5) for probabilities and histogram.
    assert loss == pytest.approx(math.log(2) + 0.5 * 0.5 * math.log(1e-12), rel=1e-5)
