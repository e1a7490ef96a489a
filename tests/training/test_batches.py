from pathlib import Path

import pytest
import torch

from training.config import TrainConfig, parse_config
from training.data.batches import Batches
from training.data.sources import load_training_data
from training.methods import METHODS

NONE = {"flip": 0.0, "rotate_degrees": 0.0, "translate": 0.0, "scale": 0.0}


def make(folder: Path, method: str, **schedule: object) -> tuple[TrainConfig, Batches]:
    """Batches whose weak augmentation changes nothing, and whose strong one always does."""
    config = parse_config(
        {
            "run": {"method": method},
            "data": {"source": f"fer2013:{folder}", "labeled_share": 0.5},
            "schedule": {"batch_size": 8, "unlabeled_batch_size": 12, **schedule},
            "weak": NONE,
        },
        "here",
    )
    data = load_training_data(config.data, 48, 0)
    objective = METHODS[method](config.options, len(data.labeled.classes))
    return config, Batches(config, data, objective, torch.device("cpu"))


def as_stored(batches: Batches, faces: torch.Tensor) -> list[bool]:
    """Which faces are images of the labeled part as they are."""
    known = {image.numpy().tobytes() for image in batches._images}
    pixels = ((faces + 1) / 2 * 255).round().to(torch.uint8)
    return [face.numpy().tobytes() in known for face in pixels]


@pytest.mark.parametrize(("share", "n_weak"), [(0.0, 8), (0.25, 6), (1.0, 0)])
def test_a_share_of_the_labeled_images_is_strongly_augmented(
    learnable_tree: Path, share: float, n_weak: int
):
    _, batches = make(learnable_tree, "dta_snl", strong_labeled=share)
    batch, rows = batches(0)
    assert as_stored(batches, batch.labeled) == [True] * n_weak + [False] * (8 - n_weak)
    assert batch.labeled_weakly.tolist() == as_stored(batches, batch.labeled)
    assert [len(part) for part in batch.weak_labeled()] == [n_weak] * 2
    assert len(rows) == len(batch.strong) == 12


def test_supervised_gets_strong_labeled_images_in_place_of_unlabeled_ones(learnable_tree: Path):
    _, batches = make(learnable_tree, "supervised")
    batch, rows = batches(0)
    assert as_stored(batches, batch.labeled) == [True] * 8 + [False] * 12
    assert batch.strong is None and len(rows) == 0
    assert batches.labeled_a_step == 20


def test_views_are_of_the_same_images_row_by_row(learnable_tree: Path):
    _, batches = make(learnable_tree, "adacm")
    batch, rows = batches(3)
    stored = batches._unlabeled[rows].float() / 255 * 2 - 1
    assert len(batch.weak) == 2
    for view in batch.weak:
        torch.testing.assert_close(view, stored)
    assert not torch.allclose(batch.strong, stored, atol=0.1)
    # The strong view is still of the same image: brighter images stay brighter.
    order = torch.corrcoef(torch.stack([batch.strong.mean((1, 2, 3)), stored.mean((1, 2, 3))]))
    assert order[0, 1] > 0.5


def test_labels_stay_with_their_images(learnable_tree: Path):
    """The expression goes with the brightness in this tree."""
    _, batches = make(learnable_tree, "dta_snl")
    batch, _ = batches(1)
    brightness = batch.labeled.mean((1, 2, 3))
    for label in range(0, 8, 2):
        of_label = batch.targets.argmax(1) == label
        expected = ((29.5 + 24 * label) / 255) * 2 - 1
        assert ((brightness[of_label] - expected).abs() < 0.05).all()
