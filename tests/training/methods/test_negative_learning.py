import math

import pytest
import torch

from tests.helpers.methods import logits_of
from training.methods.method import (
    gradient_size,
)
from training.methods.negative_learning import (
    complementary_classes,
    complementary_loss,
    joint_complementary_loss,
    log_not,
)


def test_complementary_term_is_zero_where_every_image_is_kept():
    probs = torch.softmax(torch.randn(6, 8) * 4, dim=1)
    chosen = complementary_classes(probs, torch.ones(6, dtype=torch.bool), ceiling=1.0, rank=0)
    assert not chosen.any()
    logits = torch.randn(6, 8, requires_grad=True)
    loss = complementary_loss(logits, chosen)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None and logits.grad.abs().sum() == 0


def test_the_likeliest_classes_are_left_alone():
    probs = torch.tensor([[0.04, 0.5, 0.03, 0.02, 0.41]])
    rejected = torch.tensor([False])
    by_rank = {
        rank: complementary_classes(probs, rejected, ceiling=0.05, rank=rank)
        .nonzero()[:, 1]
        .tolist()
        for rank in (0, 3, 4, 5)
    }
    assert by_rank == {0: [0, 2, 3], 3: [2, 3], 4: [3], 5: []}


@pytest.mark.parametrize("size", [50.0, -50.0])
def test_log_not_is_finite_and_right_at_large_logits(size: float):
    logits = torch.zeros(1, 4)
    logits[0, 1] = size
    exact = logits.double()
    others = torch.stack([exact.exp().sum() - exact[0, c].exp() for c in range(4)])
    if size > 0:  # 1 - p of the large one is 3 / (3 + e^50)
        others[1] = 3.0
    expected = (others.log() - exact.exp().sum().log())[None]
    torch.testing.assert_close(log_not(logits).double(), expected, rtol=1e-5, atol=1e-6)
    logits.requires_grad_()
    loss = complementary_loss(logits, torch.tensor([[True, True, False, False]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


def test_log_not_of_a_large_probability_depends_on_no_epsilon():
    """Published codes give -23.0, -16.1 or -11.5 here, by their epsilon."""
    logits = torch.tensor([[18.2, 0.0]])
    assert log_not(logits)[0, 0].item() == pytest.approx(-18.2, rel=1e-6)


def test_a_joint_complementary_term_by_hand():
    """q = (0.5, 0.3, 0.15, 0.05): what classes 2 and 3 leave is 0.8. The other image has none, and
    counts in the mean."""
    logits = logits_of([[0.5, 0.3, 0.15, 0.05], [0.25, 0.25, 0.25, 0.25]])
    chosen = torch.tensor([[False, False, True, True], [False] * 4])
    loss = joint_complementary_loss(logits, chosen)
    assert loss.item() == pytest.approx(-math.log(0.8) / 2)
    loss.backward()
    # d/dz_c of -log(sum over S of q) is q_c, and q_c - q_c / 0.8 for c in S; halved by the mean.
    expected = [0.5 - 0.5 / 0.8, 0.3 - 0.3 / 0.8, 0.15, 0.05]
    torch.testing.assert_close(logits.grad[0], torch.tensor(expected) / 2)
    assert logits.grad[1].abs().max() == 0


def test_the_joint_term_pulls_where_the_mean_over_pairs_hardly_does():
    """Six classes of 0.02: one by one each counts a sixth of 0.02, together they count 0.12."""
    logits = logits_of([[0.6, 0.28, *[0.02] * 6]])
    chosen = torch.tensor([[False, False, *[True] * 6]])
    pairs, joint = (
        gradient_size(loss(logits, chosen), logits).item()
        for loss in (complementary_loss, joint_complementary_loss)
    )
    assert joint > 5 * pairs


def test_a_joint_term_without_any_choice_is_zero():
    logits = torch.randn(5, 4, requires_grad=True)
    loss = joint_complementary_loss(logits, torch.zeros(5, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_a_class_at_the_ceiling_itself_is_not_ruled_out():
    probs, rejected = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([False])
    at, above = (
        complementary_classes(probs, rejected, ceiling=ceiling, rank=1) for ceiling in (0.25, 0.26)
    )
    assert not at.any()
    assert above.tolist() == [[False, True, True]]
