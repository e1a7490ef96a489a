"""What a run is given: labeled, held-out, unlabeled, withheld and measured images."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fer_live.errors import DataError, InputError
from training.config import DataConfig, TrainConfig, parse_config
from training.data.batches import Batches
from training.data.sources import WITHHELD, TrainingData, draw_list, load_training_data
from training.data.splits import save_list
from training.methods import METHODS


def load(folder: Path, **fields: object) -> TrainingData:
    return load_training_data(DataConfig(source=f"fer2013:{folder}", **fields), 48, 0)


def as_bytes(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_held_out_images_lose_their_label_but_not_their_place(learnable_tree: Path):
    plain = load(learnable_tree, labeled_share=0.5)
    data = load(learnable_tree, labeled_share=0.5, heldout_share=0.25)
    assert (len(plain.labeled), len(plain.heldout), len(plain.unlabeled)) == (48, 0, 48)
    assert (len(data.labeled), len(data.heldout), len(data.unlabeled)) == (36, 12, 60)
    assert np.bincount(data.heldout.labels).tolist()[::2] == [3] * 4
    labeled, held_out = as_bytes(data.labeled.faces.all()), as_bytes(data.heldout.faces.all())
    assert labeled | held_out == as_bytes(plain.labeled.faces.all())
    assert held_out <= as_bytes(data.unlabeled.all())
    assert not labeled & as_bytes(data.unlabeled.all())
    assert data.split == plain.split, "the same images have labels"
    assert (data.hidden_labels[-12:] == -1).all(), "which may be learned in the end"
    assert (data.hidden_labels[:-12] >= 0).all()


def withheld_list(folder: Path, tmp_path: Path) -> Path:
    drawn = draw_list(f"fer2013:{folder}", None, "ferplus-argmax", 0.25, 7)
    save_list(tmp_path / "withheld.json", drawn)
    return tmp_path / "withheld.json"


def test_withheld_images_are_measured_on_and_never_trained_on(learnable_tree: Path, tmp_path: Path):
    path = str(withheld_list(learnable_tree, tmp_path))
    data = load(learnable_tree, labeled_share=0.5, withheld_list=path, unlabeled=())
    withheld = as_bytes(data.evaluations[WITHHELD].images)
    assert len(withheld) == 24
    assert not withheld & (as_bytes(data.labeled.faces.all()) | as_bytes(data.unlabeled.all()))
    assert len(data.labeled) + len(data.unlabeled) == 72
    assert next(iter(data.evaluations)) == "PublicTest ferplus-argmax", "which is logged"
    again = load(learnable_tree, unlabeled=(f"fer2013:{learnable_tree}",), withheld_list=path)
    assert not withheld & as_bytes(again.unlabeled.all()), "nor where another source has them"
    tuning = load(learnable_tree, withheld_list=path, measure_withheld=False)
    assert WITHHELD not in tuning.evaluations and len(tuning.labeled) == 72


def test_other_data_is_measured_too(learnable_tree: Path, tmp_path: Path):
    for label in ("neutral", "surprise"):
        (tmp_path / "press" / label).mkdir(parents=True)
        face = np.full((60, 60), 90, dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / "press" / label / "a.png"), face)
    data = load(learnable_tree, also_evaluate=(f"folder:{tmp_path / 'press'}",))
    press = data.evaluations["folder press"]
    assert press.classes == data.labeled.classes
    assert sorted(press.labels.tolist()) == [0, 2]


OPTIONS = {"threshold_source": "heldout", "tau_min": 0.2}


def config(folder: Path, **data: object) -> TrainConfig:
    return parse_config(
        {
            "run": {"method": "dta_snl"},
            "data": {"source": f"fer2013:{folder}", "labeled_share": 0.5, **data},
            "schedule": {
                "steps": 10,
                "batch_size": 8,
                "unlabeled_batch_size": 12,
                "heldout_batch_size": 6,
                "heldout_until": 0.5,
            },
            "options": OPTIONS,
        },
        "here",
    )


def batches_of(config: TrainConfig) -> Batches:
    data = load_training_data(config.data, 48, 0)
    method = METHODS["dta_snl"](config.options, len(data.labeled.classes))
    return Batches(config, data, method, torch.device("cpu"))


def test_held_out_labels_come_back_when_the_config_says(learnable_tree: Path):
    batches = batches_of(config(learnable_tree, heldout_share=0.25))
    rows = [set(batches._labeled_rows(step).tolist()) for step in range(10)]
    assert max(max(of_step) for of_step in rows) < 36
    late = [batches._all_rows(step).max().item() for step in range(10)]
    assert max(late) >= 36
    for step in range(10):
        batch, _ = batches(step)
        assert (batch.heldout is not None) == (step < 5)
        if batch.heldout is not None:
            assert batch.heldout.images.shape == (6, 1, 48, 48)
            assert batch.heldout.n_images == 12
            # In this tree the brightness tells the expression.
            gray = (batch.heldout.images.mean((1, 2, 3)) + 1) / 2 * 255
            assert ((gray - (29.5 + 24 * batch.heldout.labels)).abs() < 8).all()


def test_thresholds_by_held_out_labels_need_some(learnable_tree: Path):
    with pytest.raises(InputError, match=r"set data\.heldout_share"):
        batches_of(config(learnable_tree))


def test_two_measured_sets_of_one_name_are_refused(learnable_tree: Path, tmp_path: Path):
    sources = []
    for number, place in enumerate(("first", "second")):
        folder = tmp_path / place / "test"
        for label in ("neutral", "surprise"):
            (folder / label).mkdir(parents=True)
            face = np.full((48, 48), 100 + number, np.uint8)
            cv2.imwrite(str(folder / label / "face.png"), face)
        sources.append(f"folder:{folder}")
    with pytest.raises(DataError, match="second set called 'folder test'"):
        load(learnable_tree, also_evaluate=sources)


def test_classes_without_a_labeled_image_are_named(
    learnable_tree: Path, capsys: pytest.CaptureFixture[str]
):
    data = load(learnable_tree, labeled_per_class={"neutral": 4, "surprise": 2})
    assert len(data.labeled) == 6
    told = capsys.readouterr().err
    assert "no image to learn from keeps the label " in told
    assert "neutral" not in told and "surprise" not in told and "," in told
    with pytest.raises(DataError, match="of one class alone"):
        load(learnable_tree, labeled_per_class={"neutral": 4})


def test_no_class_loses_its_last_label_to_the_held_out_ones(learnable_tree: Path):
    per_class = {"neutral": 1, "surprise": 6}
    data = load(learnable_tree, labeled_per_class=per_class, heldout_share=0.5)
    assert len(data.heldout) == 3
    assert len(np.unique(data.labeled.labels)) == 2
