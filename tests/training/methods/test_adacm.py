import math

import pytest
import torch

from tests.helpers.methods import make_method
from tests.helpers.scripted import Scripted, faces_with
from training.methods.adacm import nt_xent
from training.methods.method import (
    Batch,
)


def test_adacm_by_hand():
    """Two classes; T = beta * r / (1 + e^-passes), and p is the mean over two weak views."""
    method = make_method("adacm", 2, beta=0.9, tau_min=0.1, lambda_c=0.5, temperature=0.5)
    first = faces_with([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    second = faces_with([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]])
    strong = faces_with([[0.5, 0.5], [0.5, 0.5], [0.25, 0.75]])
    labeled = faces_with([[0.8, 0.2], [0.4, 0.6]])
    batch = Batch(labeled, torch.eye(2), (first, second), strong)
    result = method.step(Scripted(2), Scripted(2), batch, 1.0)
    rise = 1 + math.exp(-1)
    torch.testing.assert_close(
        method.thresholds(1.0), torch.tensor([0.9 * 0.8 / rise, 0.9 * 0.6 / rise])
    )
    # T = (0.526, 0.395); p = (0.8, 0.2), (0.4, 0.6), (0.4, 0.6): all are kept, nothing to contrast.
    assert result.kept.tolist() == [True] * 3
    assert result.pseudo_labels.tolist() == [0, 1, 1]
    supervised = -(math.log(0.8) + math.log(0.6)) / 2
    pseudo = -(math.log(0.5) + math.log(0.5) + math.log(0.75)) / 3
    assert result.loss.item() == pytest.approx(0.5 * supervised + pseudo, rel=1e-5)
    later = method.step(Scripted(2), Scripted(2), batch, 50.0)
    # T = (0.72, 0.54): still kept. A minimal margin of 0.7 rejects the last two; their views are
    # contrasted.
    assert later.kept.tolist() == [True] * 3
    strict = make_method("adacm", 2, beta=0.9, tau_min=0.7, lambda_c=0.5, temperature=0.5)
    rejected = strict.step(Scripted(2), Scripted(2), batch, 1.0)
    assert rejected.kept.tolist() == [True, False, False]
    contrast = nt_xent(first[1:, 0, 0], second[1:, 0, 0], 0.5).item()
    expected = 0.5 * supervised - math.log(0.5) / 3 + 0.5 * contrast
    assert rejected.loss.item() == pytest.approx(expected, rel=1e-5)


def test_adacm_margins_move_at_their_decay_and_have_no_upper_limit_but_one():
    method = make_method("adacm", 2, beta=1.0, tau_min=0.25, decay=0.75)
    assert method.thresholds(5.0).tolist() == [0.25, 0.25], "not seen yet"
    for confidence in (0.9, 0.7):
        probs = torch.tensor([[confidence, 1 - confidence]])
        method.margin.update(probs, torch.tensor([0]))
    mean = 0.75 * 0.9 + 0.25 * 0.7
    assert method.thresholds(1.0)[0].item() == pytest.approx(mean / (1 + math.exp(-1)))
    assert method.thresholds(50.0)[0].item() == pytest.approx(mean)


def test_adacm_contrasts_only_what_is_below_its_margin():
    method = make_method("adacm", 3)
    method.margin.update(torch.eye(3) * 0.85 + 0.05, torch.arange(3))
    student, teacher = Scripted(3), Scripted(3)
    sure, unsure = [0.98, 0.01, 0.01], [0.4, 0.3, 0.3]
    weak = faces_with([sure, unsure])
    batch = Batch(faces_with([sure]), torch.eye(3)[:1], (weak, weak), weak)
    result = method.step(student, teacher, batch, 5.0)
    assert result.kept is not None and result.kept.tolist() == [True, False]
    # One rejected image: its two views are each other's only neighbours, which costs nothing.
    expected = -0.5 * math.log(0.98) - math.log(0.98) / 2
    assert result.loss.item() == pytest.approx(expected, abs=1e-5)


def test_nt_xent_by_hand():
    first, second = torch.eye(2), torch.eye(2)
    # Each view: similarity 1 to its twin, 0 to the two others.
    expected = -math.log(math.exp(2.0) / (math.exp(2.0) + 2))
    assert nt_xent(first, second, temperature=0.5).item() == pytest.approx(expected, rel=1e-5)
    assert nt_xent(first[:0], second[:0], 0.5).item() == 0
