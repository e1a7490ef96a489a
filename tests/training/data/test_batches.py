import math
from pathlib import Path

import pytest
import torch

from fer_live.errors import InputError
from training.config import TrainConfig, parse_config
from training.data.batches import Batches
from training.data.sources import load_training_data
from training.methods import METHODS

NONE = dict.fromkeys(
    (
        *("flip", "rotate_degrees", "translate", "scale", "shear_degrees", "perspective"),
        *("brightness", "contrast", "gamma", "tone", "equalize", "posterize", "sharpness"),
        *("shadow", "blur", "erase"),
    ),
    0.0,
)
ERASED = {"erase": 1.0, "erase_boxes": 1, "erase_fill": "gray"}


def make(
    folder: Path, method: str, strong: dict[str, float] | None = None, **schedule: object
) -> tuple[TrainConfig, Batches]:
    """Batches whose weak augmentation changes nothing, and whose strong one always does."""
    config = parse_config(
        {
            "run": {"method": method},
            "data": {"source": f"fer2013:{folder}", "labeled_share": 0.5},
            "schedule": {"batch_size": 8, "unlabeled_batch_size": 12, **schedule},
            "weak": NONE,
            "strong": strong or {"brightness": 0.9, **ERASED},
        },
        "here",
    )
    data = load_training_data(config.data, 48, 0)
    objective = METHODS[method](config.options, len(data.labeled.classes))
    return config, Batches(config, data, objective, torch.device("cpu"))


@pytest.mark.parametrize("method", ["supervised", "dta_snl"])
@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_logits_are_adjusted_by_the_share_of_each_class(
    learnable_tree: Path, method: str, balance: float
):
    """Four classes of twelve labeled images, equally often whatever the balance; four without any
    image, which count as half of one in 48."""
    _, batches = make(learnable_tree, method, logit_adjustment=2.0, balance=balance)
    adjustment = batches(0)[0].logit_adjustment
    expected = [2 * math.log(1 / 4), 2 * math.log(0.5 / 48)] * 4
    torch.testing.assert_close(adjustment, torch.tensor(expected))
    assert make(learnable_tree, method)[1](0)[0].logit_adjustment is None


def as_stored(batches: Batches, faces: torch.Tensor) -> list[bool]:
    """Which faces are images of the labeled part as they are."""
    images = batches._images.take(torch.arange(len(batches._images)))
    known = {image.numpy().tobytes() for image in images}
    pixels = ((faces + 1) / 2 * 255).round().to(torch.uint8)
    return [face.numpy().tobytes() in known for face in pixels]


@pytest.mark.parametrize(("share", "n_weak"), [(0.0, 8), (0.25, 6), (0.9, 1)])
def test_a_share_of_the_labeled_images_is_strongly_augmented(
    learnable_tree: Path, share: float, n_weak: int
):
    _, batches = make(learnable_tree, "dta_snl", strong_labeled=share)
    batch, rows = batches(0)
    assert as_stored(batches, batch.labeled) == [True] * n_weak + [False] * (8 - n_weak)
    assert batch.labeled_weakly.tolist() == as_stored(batches, batch.labeled)
    assert [len(part) for part in batch.weak_labeled()] == [n_weak] * 2
    assert len(rows) == len(batch.strong) == 12


def test_thresholds_from_labeled_images_need_weakly_augmented_ones(learnable_tree: Path):
    for method in ("dta_snl", "adacm"):
        with pytest.raises(InputError, match="lower schedule"):
            make(learnable_tree, method, strong_labeled=1.0)
    _, batches = make(learnable_tree, "fixmatch", strong_labeled=1.0)
    assert len(batches(0)[0].weak_labeled()[0]) == 0


def test_supervised_gets_strong_labeled_images_in_place_of_unlabeled_ones(learnable_tree: Path):
    _, batches = make(learnable_tree, "supervised")
    batch, rows = batches(0)
    assert as_stored(batches, batch.labeled) == [True] * 8 + [False] * 12
    assert batch.strong is None and len(rows) == 0
    assert batches.labeled_a_step == 20


def test_views_are_of_the_same_images_row_by_row(learnable_tree: Path):
    _, batches = make(learnable_tree, "adacm", strong=NONE | ERASED)
    batch, rows = batches(3)
    stored = batches._unlabeled.take(rows).float() / 255 * 2 - 1
    assert len(batch.weak) == 2
    for view in batch.weak:
        torch.testing.assert_close(view, stored)
    # A strong view is the same image but for the erased part, and nobody else's.
    same = (batch.strong[:, None] - stored[None]).abs().flatten(2) < 1e-5
    share = same.float().mean(dim=2)
    assert share.argmax(dim=1).tolist() == list(range(len(rows)))
    assert share.diagonal().min() > 0.6
    assert share.diagonal().max() < 1


def test_labels_stay_with_their_images(learnable_tree: Path):
    """The expression goes with the brightness in this tree."""
    _, batches = make(learnable_tree, "dta_snl")
    batch, _ = batches(1)
    brightness = batch.labeled.mean((1, 2, 3))
    for label in range(0, 8, 2):
        of_label = batch.targets.argmax(1) == label
        expected = ((29.5 + 24 * label) / 255) * 2 - 1
        assert ((brightness[of_label] - expected).abs() < 0.05).all()
