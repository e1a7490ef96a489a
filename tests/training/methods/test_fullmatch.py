import math

import pytest
import torch

from tests.helpers.methods import logits_of, make_method
from tests.helpers.scripted import Scripted, faces_with
from training.methods.fullmatch import entropy_meaning_loss, negative_loss
from training.methods.method import (
    Batch,
)
from training.methods.negative_learning import (
    least_rank,
)


@pytest.mark.parametrize(
    ("weak", "strong", "rank"),
    [
        ([[0.6, 0.3, 0.1]], [[0.5, 0.3, 0.2]], 2),  # at the top already; at least 2
        ([[0.6, 0.3, 0.1]], [[0.3, 0.2, 0.5]], 2),
        ([[0.6, 0.3, 0.1]], [[0.1, 0.4, 0.5]], 3),
        ([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], [[0.5, 0.3, 0.2], [0.4, 0.1, 0.5]], 3),
    ],
)
def test_the_least_rank_that_holds_every_label(
    weak: list[list[float]], strong: list[list[float]], rank: int
):
    assert least_rank(torch.tensor(weak), torch.tensor(strong).log()) == rank


def test_fullmatch_by_hand():
    """Two unlabeled images of four classes; tau = 0.8, so classes above 0.64 do not count."""
    method = make_method("fullmatch", 4, threshold=0.8, lambda_u=2.0, lambda_n=3.0, lambda_e=5.0)
    batch = Batch(
        labeled=faces_with([[0.5, 0.2, 0.2, 0.1]]),
        targets=torch.eye(4)[:1],
        weak=(faces_with([[0.85, 0.1, 0.03, 0.02], [0.5, 0.3, 0.15, 0.05]]),),
        strong=faces_with([[0.6, 0.2, 0.1, 0.1], [0.3, 0.4, 0.1, 0.2]]),
    )
    result = method.step(Scripted(4), Scripted(4), batch, 0.0)
    assert result.kept.tolist() == [True, False]
    # The second label, class 0, is second in its strong view: k = 2. Classes 2 and 3 are beyond it
    # in both weak views.
    assert result.complementary.tolist() == [[False, False, True, True]] * 2
    supervised = -math.log(0.5)
    pseudo = -math.log(0.6) / 2
    negative = -(2 * math.log(0.9) + math.log(0.9) + math.log(0.8)) / 2
    # Class 1 alone competes with the kept label: its target is 1 - (0.6 + 0.1 + 0.1) = 0.2 over
    # k - 1 = 1 classes.
    entropy = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8))
    expected = supervised + 2 * pseudo + 3 * negative + 5 * entropy
    assert result.loss.item() == pytest.approx(expected, rel=1e-5)
    assert set(result.gradients) == {"pseudo_label", "complementary", "entropy"}
    assert all(size > 0 for size in result.gradients.values())


def test_what_a_strong_view_is_sure_of_counts_in_no_term_of_fullmatch():
    logits = logits_of([[0.1, 0.2, 0.7]])
    ruled_out = torch.tensor([[False, False, True]])
    assert negative_loss(logits, ruled_out, 0.64).item() == 0
    assert negative_loss(logits, ruled_out, 0.75).item() == pytest.approx(-math.log(0.3), rel=1e-5)
    label, kept = torch.tensor([0]), torch.tensor([True])
    nobody = torch.zeros(1, 3, dtype=torch.bool)
    # Classes 1 and 2 compete, with a target of 0.9 / 2 each; class 2 is above the ceiling.
    expected = -(0.45 * math.log(0.2) + 0.55 * math.log(0.8))
    found = entropy_meaning_loss(logits, label, kept, nobody, 0.64)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert entropy_meaning_loss(logits, label, ~kept, nobody, 0.64).item() == 0
