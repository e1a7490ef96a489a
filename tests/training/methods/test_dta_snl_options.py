"""What each option of DTA + SNL does to a step, by hand."""

import math

import pytest
import torch
from torch import Tensor

from tests.helpers.scripted import Scripted, faces_with
from training.methods.dta_snl import DtaSnl, DtaSnlOptions
from training.methods.method import Batch, Heldout, StepResult

EVEN = [0.5, 0.5]
NEVER = {"dta": False, "threshold": 1.0}
"""No pseudo-label is kept."""


def made(n_classes: int, **options: object) -> DtaSnl:
    return DtaSnl(DtaSnlOptions.model_validate(options), n_classes)


def batch_of(
    weak: list[list[float]],
    strong: list[list[float]] | None = None,
    *,
    labeled: list[list[float]] | None = None,
    heldout: Heldout | None = None,
    class_shares: Tensor | None = None,
    answers: Tensor | None = None,
) -> Batch:
    """Labeled images are all of class 0; if none is given there is one, with even answers."""
    n_classes = len(weak[0])
    labeled = labeled or [[1 / n_classes] * n_classes]
    return Batch(
        faces_with(labeled),
        torch.eye(n_classes)[[0] * len(labeled)],
        (faces_with(weak),),
        faces_with(strong or weak),
        heldout=heldout,
        class_shares=class_shares,
        answers=answers,
    )


def stepped(method: DtaSnl, batch: Batch, passes: float = 1.0) -> StepResult:
    n_classes = batch.targets.shape[1]
    return method.step(Scripted(n_classes), Scripted(n_classes), batch, passes)


def test_thresholds_follow_the_confidence_in_labeled_images():
    method = made(2, beta=1.0, tau_min=0.0, tau_max=0.99)
    stepped(method, batch_of([[0.9, 0.1]], labeled=[[0.7, 0.3]]))
    assert method.dynamic.confidence.tolist() == pytest.approx([0.7, 0.0])


def test_thresholds_follow_the_confidence_in_unlabeled_images_where_asked():
    method = made(2, beta=1.0, tau_min=0.0, tau_max=0.99, threshold_source="unlabeled")
    stepped(method, batch_of([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], labeled=[[0.7, 0.3]]))
    assert method.dynamic.confidence.tolist() == pytest.approx([0.75, 0.8])


def test_fixed_thresholds_learn_nothing():
    method = made(2, dta=False)
    stepped(method, batch_of([[0.9, 0.1]], labeled=[[0.7, 0.3]]))
    assert not method.dynamic.seen.any()


def test_thresholds_keep_their_limits_and_move_at_their_decay():
    method = made(3, beta=0.9, gamma=3.0, tau_min=0.36, tau_max=0.7, decay=0.75)
    torch.testing.assert_close(method.thresholds(1.0), torch.full((3,), 0.7), msg="not seen yet")
    method.dynamic.update(torch.eye(3) * 0.9 + 1 / 30, torch.arange(3))
    method.dynamic.update(torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([0]))
    first = 0.75 * (0.9 + 1 / 30) + 0.25 * 0.5
    assert method.thresholds(1.0)[0].item() == pytest.approx(0.9 * first / (1 + 1 / 3))
    assert method.thresholds(0.0)[0].item() == pytest.approx(0.9 * first / 2)
    assert method.thresholds(50.0)[1].item() == pytest.approx(0.7)
    for _ in range(20):
        method.dynamic.update(torch.tensor([[0.4, 0.3, 0.3]]), torch.tensor([0]))
    assert method.thresholds(0.0)[0].item() == pytest.approx(0.36)


def test_thresholds_from_held_out_images_keep_their_limits():
    """Class 0 is always right, from the least confidence on, and class 1 never is."""
    method = made(2, threshold_source="heldout", tau_min=0.3, tau_max=0.7, prior_images=0.01)
    told = Heldout(faces_with([[0.9, 0.1]] * 50 + [[0.1, 0.9]] * 50), torch.tensor([0] * 100), 100)
    stepped(method, batch_of([EVEN], heldout=told))
    assert method.thresholds(1.0).tolist() == pytest.approx([0.3, 0.7])


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({}, False),
        ({"threshold_source": "heldout"}, True),
        ({"threshold_source": "heldout", "dta": False}, False),
        ({"ruled_out": "heldout"}, True),
        ({"ruled_out": "heldout", "snl": False}, False),
    ],
)
def test_held_out_images_are_asked_for_where_something_follows_them(
    options: dict[str, object], needs: bool
):
    assert made(2, **options).needs_heldout == needs


@pytest.mark.parametrize(
    ("options", "n_views"),
    [
        ({}, 1),
        ({"weak_views": 3}, 3),
        ({"stored_answers": True}, 0),
        ({"stored_answers": True, "both_networks": True, "weak_views": 2}, 2),
    ],
)
def test_weak_views_are_asked_for_where_a_network_reads_them(
    options: dict[str, object], n_views: int
):
    method = made(2, **options)
    assert method.n_weak_views == n_views
    assert method.needs_answers == ("stored_answers" in options)


def test_stored_answers_label_the_images_in_place_of_a_network():
    method = made(2, stored_answers=True, dta=False, threshold=0.8)
    answers = torch.tensor([[0.1, 0.9], [0.6, 0.4]])
    result = stepped(method, batch_of([[0.9, 0.1], [0.9, 0.1]], answers=answers))
    assert result.pseudo_labels is not None and result.kept is not None
    assert result.pseudo_labels.tolist() == [1, 0]
    assert result.kept.tolist() == [True, False]


@pytest.mark.parametrize(("has_answers", "read_as"), [(True, [0, 4]), (False, [4, 0])])
def test_held_out_images_are_read_by_their_stored_answers_where_they_have_any(
    has_answers: bool, read_as: list[int]
):
    method = made(2, stored_answers=True, threshold_source="heldout")
    told = Heldout(
        faces_with([[0.9, 0.1]] * 4),
        torch.tensor([0] * 4),
        4,
        torch.tensor([[0.2, 0.8]] * 4) if has_answers else None,
    )
    stepped(method, batch_of([EVEN], heldout=told, answers=torch.tensor([EVEN])))
    assert method.heldout.read.sum(dim=1).tolist() == read_as


@pytest.mark.parametrize(
    ("warmup", "passes", "share"),
    [(2.0, 0.0, 0.0), (2.0, 0.5, 0.25), (2.0, 2.0, 1.0), (2.0, 9.0, 1.0), (0.0, 0.0, 1.0)],
)
def test_the_complementary_term_rises_over_its_warm_up(warmup: float, passes: float, share: float):
    """Class 1, of 0.2, is ruled out: -log 0.8, times lambda_n = 3."""
    method = made(2, **NEVER, ceiling=0.3, rank=1, lambda_n=3.0, negative_warmup=warmup)
    loss = stepped(method, batch_of([[0.8, 0.2]]), passes).loss.item()
    assert loss == pytest.approx(math.log(2) - 3 * share * math.log(0.8), rel=1e-5)


@pytest.mark.parametrize(
    ("form", "term"),
    [("pairs", -(math.log(0.8) + math.log(0.9)) / 2), ("joint", -math.log(0.7))],
)
def test_the_form_of_the_complementary_term_is_as_asked(form: str, term: float):
    """Classes 1 and 2, of 0.2 and 0.1, are ruled out: one by one, or as 0.3 together."""
    method = made(3, **NEVER, ceiling=0.3, rank=1, negative_form=form)
    loss = stepped(method, batch_of([[0.7, 0.2, 0.1]])).loss.item()
    assert loss == pytest.approx(math.log(3) + term, rel=1e-5)


def test_the_student_must_agree_on_what_is_ruled_out_where_both_are_asked():
    """The student's answers are the teacher's turned round; only class 1 is low in both."""
    student = Scripted(3)
    student.scale.data.fill_(-1.0)
    batch = batch_of([[0.9, 0.06, 0.04]])
    for both, ruled_out in ((False, [False, True, True]), (True, [False, True, False])):
        method = made(3, **NEVER, ceiling=0.5, rank=1, both_networks=both)
        result = method.step(student, Scripted(3), batch, 1.0)
        assert result.complementary is not None
        assert result.complementary.tolist() == [ruled_out]


def test_the_batch_decides_how_many_classes_are_left_where_asked():
    """The label is third in its strong view, so that three classes stay, whatever the ceiling."""
    method = made(4, **NEVER, ruled_out="batch", ceiling=0.0)
    result = stepped(method, batch_of([[0.4, 0.3, 0.2, 0.1]], [[0.2, 0.4, 0.3, 0.1]]))
    assert result.complementary is not None
    assert result.complementary.tolist() == [[False, False, False, True]]


def test_debiasing_by_half_takes_the_root_of_the_ratio():
    """r = (0.8 / 0.5, 0.2 / 0.5): p / sqrt(r) labels, and log(r) / 2 is added to the logits."""
    method = made(2, dta=False, threshold=0.0, snl=False, soft_labels=True, debias=0.5)
    batch = batch_of([[0.8, 0.2]], class_shares=torch.tensor(EVEN))
    loss = stepped(method, batch).loss.item()
    roots = math.sqrt(1.6), math.sqrt(0.4)
    labels, answers = [0.8 / roots[0], 0.2 / roots[1]], [0.8 * roots[0], 0.2 * roots[1]]
    term = -sum(
        label / sum(labels) * math.log(answer / sum(answers))
        for label, answer in zip(labels, answers, strict=True)
    )
    assert loss == pytest.approx(math.log(2) + term, rel=1e-5)


def test_the_mean_of_all_answers_starts_at_the_first_batch_and_moves_at_its_decay():
    method = made(2, debias=1.0, debias_decay=0.75)
    for probs, mean in (([0.8, 0.2], [0.8, 0.2]), ([0.4, 0.6], [0.7, 0.3])):
        stepped(method, batch_of([probs], class_shares=torch.tensor(EVEN)))
        assert method.mean_probs.tolist() == pytest.approx(mean)


def test_a_class_that_occurs_nowhere_spoils_no_debiased_loss():
    method = made(2, debias=1.0)
    batch = batch_of([[0.8, 0.2]], class_shares=torch.tensor([1.0, 0.0]))
    assert stepped(method, batch).loss.isfinite()
