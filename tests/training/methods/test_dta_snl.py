import math

import pytest
import torch
import torch.nn.functional as F

from tests.helpers.methods import make_method, random_batch
from tests.helpers.scripted import Scripted, faces_with
from training.methods.dta_snl import DtaSnl, DtaSnlOptions
from training.methods.method import (
    Batch,
    Heldout,
    predict,
    read_together,
)
from training.models.resnet import ExpressionNet


def test_dta_and_snl_by_hand():
    """Two labeled and three unlabeled images of three classes, every number worked out below."""
    method = DtaSnl(
        DtaSnlOptions(
            beta=1.0,
            gamma=4.0,
            tau_min=0.3,
            tau_max=0.9,
            ceiling=0.2,
            rank=1,
            lambda_u=2.0,
            lambda_n=3.0,
            negative_warmup=2.0,
        ),
        n_classes=3,
    )
    student, teacher = Scripted(3), Scripted(3)
    batch = Batch(
        labeled=faces_with([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]),
        targets=torch.eye(3)[:2],
        weak=(faces_with([[0.7, 0.2, 0.1], [0.1, 0.35, 0.55], [0.15, 0.45, 0.4]]),),
        strong=faces_with([[0.6, 0.3, 0.1], [0.2, 0.4, 0.4], [0.25, 0.5, 0.25]]),
    )
    # The teacher is right on both labeled images: r = (0.8, 0.5), class 2 is not seen yet. After
    # one pass, tau = r / (1 + 1/4) = (0.64, 0.4), and tau_max = 0.9 for class 2.
    result = method.step(student, teacher, batch, passes=1.0)
    torch.testing.assert_close(method.thresholds(1.0), torch.tensor([0.64, 0.4, 0.9]))
    # 0.7 >= 0.64 kept; 0.55 < 0.9 not; 0.45 >= 0.4 kept.
    assert result.pseudo_labels is not None and result.kept is not None
    assert result.pseudo_labels.tolist() == [0, 2, 1]
    assert result.kept.tolist() == [True, False, True]
    # Of the rejected image only class 0 is below 0.2 (and has a likelier one).
    assert result.complementary is not None
    assert result.complementary.tolist() == [[False] * 3, [True, False, False], [False] * 3]
    supervised = -(math.log(0.8) + math.log(0.5)) / 2
    pseudo = -(math.log(0.6) + math.log(0.5)) / 3
    complementary = -math.log(1 - 0.2)
    # lambda_n is warmed up to half: 1 of 2 passes.
    expected = supervised + 2.0 * pseudo + 1.5 * complementary
    assert result.loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("soft", [False, True])
def test_soft_labels_are_an_option_of_dta_snl(soft: bool):
    torch.manual_seed(0)
    network = ExpressionNet(3, width=4, dropout=0.0)
    batch = Batch(
        labeled=torch.randn(4, 1, 48, 48),
        targets=torch.eye(3)[[0, 1, 2, 0]],
        weak=(torch.randn(4, 1, 48, 48),),
        strong=torch.randn(4, 1, 48, 48),
    )
    options = DtaSnlOptions(dta=False, threshold=0.0, snl=False, soft_labels=soft)
    probs = predict(network, batch.weak[0])  # first, for a step moves the norms' statistics
    loss = DtaSnl(options, 3).step(network, network, batch, 0.0).loss.item()
    labels = probs if soft else probs.argmax(dim=1)
    labeled, strong = read_together(network, batch.labeled, batch.strong)
    expected = F.cross_entropy(labeled.logits, batch.targets)
    expected = expected + F.cross_entropy(strong.logits, labels)
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_an_image_is_labeled_by_the_mean_of_its_weak_views():
    """(0.6, 0.4) and (0.2, 0.8) make (0.4, 0.6): the second view decides, with 0.6."""
    views = (faces_with([[0.6, 0.4]]), faces_with([[0.2, 0.8]]))
    batch = Batch(faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), views, views[0])
    for threshold, kept in ((0.59, True), (0.61, False)):
        method = make_method("dta_snl", 2, weak_views=2, dta=False, threshold=threshold)
        assert method.n_weak_views == 2
        result = method.step(Scripted(2), Scripted(2), batch, 1.0)
        assert result.pseudo_labels.tolist() == [1]
        assert result.kept.tolist() == [kept]


def test_held_out_labels_set_thresholds_and_carry_no_gradient():
    """Two classes; the teacher is right on held-out images read as 0, and wrong on those as 1."""
    method = make_method(
        "dta_snl",
        2,
        threshold_source="heldout",
        ruled_out="heldout",
        negative_form="joint",
        tau_min=0.0,
        tau_max=0.99,
        precision=0.8,
        prior_images=1.0,
    )
    assert method.needs_heldout
    heldout = Heldout(
        faces_with([[0.7, 0.3]] * 20 + [[0.3, 0.7]] * 20), torch.zeros(40, dtype=torch.long), 40
    )
    view = faces_with([[0.7, 0.3], [0.3, 0.7]])
    batch = Batch(
        faces_with([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]]), (view,), view, heldout=heldout
    )
    student = Scripted(2)
    result = method.step(student, Scripted(2), batch, 0.0)
    assert result.kept.tolist() == [True, False]
    assert method.thresholds(0.0)[0] < 0.7 < method.thresholds(0.0)[1]
    after = method.thresholds(0.0).clone()
    without = Batch(batch.labeled, batch.targets, batch.weak, batch.strong)
    again = method.step(student, Scripted(2), without, 0.0)
    assert torch.equal(method.thresholds(0.0), after), "they stay when no image tells any more"
    assert again.loss.item() == pytest.approx(result.loss.item())


def test_debiasing_takes_the_prior_of_the_unlabeled_images_out():
    """Three of four unlabeled images are of class 0 by the teacher, half of the labeled ones are:
    r = (mean p) / (1/2), worked out below."""
    method = make_method(
        "dta_snl", 2, dta=False, threshold=0.0, snl=False, soft_labels=True, debias=1.0
    )
    probs = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.3, 0.7]]
    batch = Batch(
        faces_with([[0.5, 0.5]]),
        torch.tensor([[1.0, 0.0]]),
        (faces_with(probs),),
        faces_with(probs),
        class_shares=torch.tensor([0.5, 0.5]),
    )
    loss = method.step(Scripted(2), Scripted(2), batch, 0.0).loss.item()
    ratio = (0.75 / 0.5, 0.25 / 0.5)
    expected = -math.log(0.5)
    for p in probs:
        labels = [p[c] / ratio[c] for c in (0, 1)]
        answers = [p[c] * ratio[c] for c in (0, 1)]
        expected -= sum(
            label / sum(labels) * math.log(answer / sum(answers))
            for label, answer in zip(labels, answers, strict=True)
        ) / len(probs)
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dta", [True, False])
@pytest.mark.parametrize("snl", [True, False])
def test_either_half_can_be_switched_off(dta: bool, snl: bool):
    torch.manual_seed(0)
    method = make_method("dta_snl", dta=dta, snl=snl, threshold=0.9)
    result = method.step(ExpressionNet(4, width=8), ExpressionNet(4, width=8), random_batch(), 1.0)
    assert (result.complementary is not None) == snl
    fixed = torch.full((4,), 0.9)
    assert torch.equal(method.thresholds(1.0), fixed) != dta


def test_with_both_halves_off_it_is_fixmatch():
    torch.manual_seed(0)
    student, teacher = ExpressionNet(4, width=8, dropout=0), ExpressionNet(4, width=8).eval()
    batch = random_batch()
    ours = make_method("dta_snl", dta=False, snl=False, threshold=0.3).step(
        student, teacher, batch, 1.0
    )
    theirs = make_method("fixmatch", threshold=0.3).step(student, teacher, batch, 1.0)
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-6)
    assert torch.equal(ours.kept, theirs.kept) and ours.kept.any()
