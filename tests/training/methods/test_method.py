"""What methods share: predictions, one forward pass for all images, and which images tell."""

import pytest
import torch
from torch import Tensor

from tests.helpers.scripted import Scripted, faces_with
from training.methods.method import Batch, mean_prediction, predict, read_together, supervised_loss
from training.models.resnet import NetworkOutput


class HalfPrecision(Scripted):
    """A network under mixed precision: what it answers is float16."""

    def forward(self, faces: Tensor) -> Tensor:
        return super().forward(faces).half()

    def read(self, faces: Tensor) -> NetworkOutput:
        output = super().read(faces)
        measures = None if output.auxiliary is None else output.auxiliary.half()
        return NetworkOutput(output.logits.half(), output.embedding.half(), None, None, measures)


def test_predictions_are_float32_under_mixed_precision():
    probs = predict(HalfPrecision(3), faces_with([[0.7, 0.2, 0.1]]))
    assert probs.dtype == torch.float32
    torch.testing.assert_close(probs, torch.tensor([[0.7, 0.2, 0.1]]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("training", [True, False])
def test_a_network_is_read_in_eval_mode_and_left_in_its_own(training: bool):
    modes = []
    network = Scripted(2).train(training)
    network.register_forward_hook(lambda *_: modes.append(network.training))
    predict(network, faces_with([[0.5, 0.5]]))
    assert modes == [False]
    assert network.training == training


def test_several_views_are_averaged_image_by_image():
    views = (faces_with([[0.6, 0.4], [0.9, 0.1]]), faces_with([[0.2, 0.8], [0.7, 0.3]]))
    expected = torch.tensor([[0.4, 0.6], [0.8, 0.2]])
    torch.testing.assert_close(mean_prediction(Scripted(2), views), expected)


def test_one_forward_pass_gives_everything_of_every_image_in_its_place_as_float32():
    labeled = faces_with([[0.5, 0.5], [0.25, 0.75]], measures=[[1.0], [2.0]])
    unlabeled = faces_with(
        [[0.1 * k, 1 - 0.1 * k] for k in (1, 2, 3, 4)], [[k] for k in (3, 4, 5, 6)]
    )
    both = read_together(HalfPrecision(2, n_measures=1), labeled, unlabeled)
    for output, images, measures in zip(
        both, (labeled, unlabeled), ([1, 2], [3, 4, 5, 6]), strict=True
    ):
        assert output.auxiliary is not None
        for values in (output.logits, output.embedding, output.auxiliary):
            assert values.dtype == torch.float32
        assert output.auxiliary[:, 0].tolist() == measures
        rows = images[:, 0, 0]
        torch.testing.assert_close(output.embedding, rows, atol=1e-3, rtol=0)
        torch.testing.assert_close(output.logits, rows[:, :2], atol=1e-3, rtol=0)


def test_labeled_and_unlabeled_images_go_in_turns_so_that_processes_can_share_them():
    """Two labeled and four unlabeled ones make two groups of one and two."""
    seen: list[float] = []

    class Watched(Scripted):
        def read(self, faces: Tensor) -> NetworkOutput:
            seen.extend(faces[:, 0, 1, 0].tolist())
            return super().read(faces)

    labeled = faces_with([[0.5, 0.5]] * 2, [[1], [2]])
    read_together(Watched(2), labeled, faces_with([[0.5, 0.5]] * 4, [[10], [11], [12], [13]]))
    assert seen == [1, 10, 11, 2, 12, 13]


def test_without_auxiliary_outputs_none_are_made_up():
    faces = faces_with([[0.5, 0.5]])
    assert [output.auxiliary for output in read_together(Scripted(2), faces, faces)] == [None] * 2


@pytest.mark.parametrize(
    ("weakly", "rows"), [(None, [0, 1, 2]), ([True, False, True], [0, 2]), ([False] * 3, [])]
)
def test_the_weakly_augmented_labeled_images_come_with_their_classes(
    weakly: list[bool] | None, rows: list[int]
):
    labeled = torch.arange(3.0).reshape(3, 1, 1, 1)
    which = None if weakly is None else torch.tensor(weakly)
    images, classes = Batch(labeled, torch.eye(3)[[2, 0, 1]], labeled_weakly=which).weak_labeled()
    assert images.flatten().tolist() == rows
    assert classes.tolist() == [[2, 0, 1][row] for row in rows]


def test_a_target_may_be_the_distribution_of_the_raters():
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
    loss = supervised_loss(logits, Batch(logits, torch.tensor([[0.5, 0.5, 0.0]])))
    assert loss.item() == pytest.approx(1.5 * torch.tensor(2.0).log().item())
