import math

import pytest
import torch

from tests.helpers.methods import make_method, random_batch
from tests.helpers.scripted import Scripted, faces_with
from training.methods import METHODS
from training.methods.method import (
    Batch,
    predict,
    read_together,
)
from training.methods.pseudo_label import pseudo_label, pseudo_label_loss
from training.models.resnet import ExpressionNet

SEMI_SUPERVISED = [name for name, method in METHODS.items() if method.uses_unlabeled]


@pytest.mark.parametrize("name", ["dta_snl", "adacm"])
def test_thresholds_are_learnt_from_weak_views(name: str):
    """For weak views are what they judge; a strong one makes the teacher unsure."""
    method = make_method(name, 3)
    state = method.dynamic if name == "dta_snl" else method.margin
    faces = faces_with([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2]])
    weak = (faces,) * method.n_weak_views
    for weakly, seen in (([True, False], 0.8), ([False, True], 0.5)):
        state.seen.zero_()
        batch = Batch(faces, torch.eye(3)[[0, 0]], weak, faces, torch.tensor(weakly))
        method.step(Scripted(3), Scripted(3), batch, 1.0)
        assert state.confidence[0].item() == pytest.approx(seen)
    state.seen.zero_()
    none = Batch(faces, torch.eye(3)[[0, 0]], weak, faces, torch.zeros(2, dtype=torch.bool))
    result = method.step(Scripted(3), Scripted(3), none, 1.0)
    assert result.loss.isfinite() and not state.seen.any()


def test_a_network_predicts_no_image_at_all():
    assert predict(ExpressionNet(4, width=8), torch.rand(0, 1, 48, 48)).shape == (0, 4)


@pytest.mark.parametrize("name", SEMI_SUPERVISED)
def test_no_gradient_reaches_the_teacher(name: str):
    torch.manual_seed(0)
    student, teacher = ExpressionNet(4, width=8).train(), ExpressionNet(4, width=8).eval()
    before = [p.clone() for p in teacher.state_dict().values()]
    method = make_method(name)
    method.begin(student)
    result = method.step(student, teacher, random_batch(n_weak=method.n_weak_views), 1.0)
    result.loss.backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in student.parameters())
    assert all(map(torch.equal, before, teacher.state_dict().values()))
    assert student.training and not teacher.training


@pytest.mark.parametrize("name", SEMI_SUPERVISED)
def test_the_objective_falls_on_one_batch(name: str):
    """Descending on one batch lowers its loss: gradient and loss belong together."""
    torch.manual_seed(0)
    student = ExpressionNet(4, width=8, dropout=0.0).train()
    teacher = ExpressionNet(4, width=8).eval()
    method = make_method(name)
    method.begin(student)
    batch = random_batch(n_weak=method.n_weak_views)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.02)
    losses = []
    for _ in range(8):
        loss = method.step(student, teacher, batch, 1.0).loss
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_the_kept_mask_is_monotone_in_confidence():
    thresholds = torch.tensor([0.5, 0.7, 0.9])
    confidence = torch.linspace(0.34, 0.99, 50)
    for label in range(3):
        probs = ((1 - confidence) / 2)[:, None].repeat(1, 3)
        probs[:, label] = confidence
        kept = pseudo_label(probs, thresholds).kept
        assert kept.tolist() == sorted(kept.tolist()), "once kept, kept for all that are surer"
        assert torch.equal(kept, confidence >= thresholds[label])


def test_few_kept_images_make_a_small_term():
    logits = torch.zeros(10, 4)
    labels = torch.zeros(10, dtype=torch.long)
    one = pseudo_label_loss(logits, labels, torch.arange(10) < 1)
    five = pseudo_label_loss(logits, labels, torch.arange(10) < 5)
    assert one.item() == pytest.approx(math.log(4) / 10)
    assert five.item() == pytest.approx(5 * one.item())


def test_soft_labels_are_learnt_whole():
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]])
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]]))
    loss = pseudo_label_loss(logits, probs, torch.tensor([True, False]))
    by_hand = -(0.7 * math.log(0.5) + 0.2 * math.log(0.25) + 0.1 * math.log(0.25)) / 2
    assert loss.item() == pytest.approx(by_hand)


@pytest.mark.parametrize("name", METHODS)
def test_logit_adjustment_is_part_of_the_labeled_loss_alone(name: str):
    """By hand: logits (0, 0) + (log 4, 0) answer 0.8 and 0.2, so class 1 costs log 5 instead of
    log 2."""
    views = faces_with([[0.5, 0.5]])
    sides = [
        Batch(
            faces_with([[0.5, 0.5]]),
            torch.tensor([[0.0, 1.0]]),
            (views, views),
            views,
            logit_adjustment=adjustment,
        )
        for adjustment in (None, torch.tensor([math.log(4), 0.0]))
    ]
    losses = []
    for batch in sides:
        method = make_method(name, 2, **({"lambda_x": 1.0} if name == "adacm" else {}))
        student = Scripted(2)
        method.begin(student)
        losses.append(method.step(student, Scripted(2), batch, 1.0).loss.item())
    assert losses[1] - losses[0] == pytest.approx(math.log(5) - math.log(2), abs=1e-5)


def test_one_forward_pass_keeps_every_image_in_its_place():
    student = Scripted(3)
    labeled = faces_with([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]])
    unlabeled = faces_with([[0.1 * k, 0.5, 0.5 - 0.1 * k] for k in (1, 2, 3, 4)])
    for n in (1, 3, 4):
        first, second = read_together(student, labeled, unlabeled[:n])
        torch.testing.assert_close(first.logits, student(labeled))
        torch.testing.assert_close(second.logits, student(unlabeled[:n]))


def test_predicting_leaves_the_network_as_it_was():
    student = ExpressionNet(4, width=8).train()
    before = {name: value.clone() for name, value in student.state_dict().items()}
    probs = predict(student, torch.rand(5, 1, 48, 48))
    assert student.training and not probs.requires_grad
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(5))
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())
