from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from training.data.fer2013 import Fer2013
from training.data.labeled_images import LabeledImages
from training.data.splits import (
    draw_heldout,
    draw_per_class,
    draw_share,
    load_list,
    save_list,
    to_list,
)


def images(counts: dict[str, int], *, copies: int = 1) -> LabeledImages:
    """So many different images of each class, each `copies` times."""
    labels = np.repeat([EXPRESSIONS.index(name) for name in counts], list(counts.values()))
    faces = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
    labels, faces = np.tile(labels, copies), np.tile(faces, (copies, 1, 1))
    ids = np.array([f"row {index}" for index in range(len(labels))])
    return LabeledImages("made up", EXPRESSIONS, faces, labels, ids)


def test_a_share_is_drawn_of_each_class():
    data = images({"neutral": 200, "happiness": 100, "contempt": 3})
    drawn = draw_share(data, 0.1, seed=1)
    assert np.bincount(data.labels[drawn]).tolist() == [20, 10, 0, 0, 0, 0, 0, 1]


def test_held_out_images_are_a_share_and_leave_rare_classes_their_labels():
    data = images({"neutral": 200, "happiness": 100, "contempt": 3})
    held_out = draw_heldout(data, 0.1, 0, seed=1)
    assert np.bincount(data.labels[held_out]).tolist() == [20, 10]
    limited = draw_heldout(data, 0.1, 15, seed=1)
    assert np.bincount(data.labels[limited]).tolist() == [10, 5]
    assert not draw_heldout(data, 0.0, 0, seed=1).any()


def test_the_seed_fixes_the_list():
    data = images({"neutral": 200, "happiness": 100})
    a, b, c = (draw_share(data, 0.1, seed) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_equal_images_stay_on_one_side():
    data = images({"neutral": 50, "happiness": 50}, copies=3)
    drawn = draw_share(data, 0.2, seed=0)
    inside = {image.tobytes() for image in data.images[drawn]}
    outside = {image.tobytes() for image in data.images[~drawn]}
    assert inside and outside and not inside & outside


def test_equal_images_with_two_labels_stay_together():
    data = images({"neutral": 20, "anger": 20})
    faces = data.images.copy()
    faces[20:] = faces[:20]  # every image occurs as neutral and as anger
    data = LabeledImages("made up", EXPRESSIONS, faces, data.labels, data.ids)
    drawn = draw_share(data, 0.5, seed=0)
    assert np.array_equal(drawn[:20], drawn[20:])
    assert drawn.any() and not drawn.all()


def test_numbers_of_each_class():
    data = images({"neutral": 20, "fear": 5})
    drawn = draw_per_class(data, {"neutral": 3, "fear": 5}, seed=0)
    assert to_list(data, drawn, 0).per_class["neutral"] == 3
    assert to_list(data, drawn, 0).per_class["fear"] == 5


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"fear": 6}, "asks for 6 images of fear, there are 5"),
        ({"anger": 1}, "asks for 1 images of anger, there are 0"),
        ({"boredom": 1}, "names 'boredom'; the classes are neutral"),
    ],
)
def test_a_budget_that_cannot_be_met_is_refused(asked: dict[str, int], says: str):
    with pytest.raises(DataError, match=says):
        draw_per_class(images({"neutral": 20, "fear": 5}), asked, seed=0)


def test_a_list_can_be_saved_and_used_again(tmp_path: Path):
    data = images({"neutral": 20, "fear": 5})
    drawn = draw_share(data, 0.4, seed=3)
    save_list(tmp_path / "split.json", to_list(data, drawn, 3))
    assert np.array_equal(load_list(tmp_path / "split.json", data), drawn)


def test_a_list_of_other_data_is_refused(tmp_path: Path):
    data = images({"neutral": 20, "fear": 5})
    save_list(tmp_path / "split.json", to_list(data, np.ones(25, dtype=np.bool_), 0))
    fewer = data.where(np.arange(25) < 10)
    with pytest.raises(DataError, match="names 25 images of made up, of which 10 are in"):
        load_list(tmp_path / "split.json", fewer)
    assert load_list(tmp_path / "split.json", fewer, partly=True).all()
    with pytest.raises(DataError, match="of which 0 are in"):
        load_list(tmp_path / "split.json", data.where(np.arange(25) < 0), partly=True)


@pytest.mark.parametrize("text", ["", "{}", '{"ids": 3}', "[1]"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match="not a split list"):
        load_list(tmp_path / "split.json", images({"neutral": 2}))
    with pytest.raises(DataError, match="cannot be read"):
        load_list(tmp_path / "absent.json", images({"neutral": 2}))


def test_the_committed_tuning_third_belongs_to_the_data(real_faces: Fer2013):
    data = real_faces.select("PublicTest", "ferplus-argmax")
    path = Path("training/splits/fer2013_publictest_tuning.json")
    tuning = load_list(path, data)
    assert (tuning.sum(), (~tuning).sum()) == (1161, 2318)
    assert np.array_equal(draw_share(data, 1 / 3, seed=0), tuning), "drawn as the docs say"
    used, kept_back = (
        {image.tobytes() for image in data.images[part]} for part in (tuning, ~tuning)
    )
    assert not used & kept_back


def test_a_list_of_another_kind_of_data_set_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = images({"neutral": 20, "fear": 5})
    ours, renamed = replace(data, name="folder a"), replace(data, name="folder b")
    save_list(tmp_path / "a.json", to_list(ours, np.arange(25) < 5, 0))
    with pytest.raises(DataError, match="of folder a, not of raf-db train"):
        load_list(tmp_path / "a.json", replace(data, name="raf-db train"), partly=True)
    assert load_list(tmp_path / "a.json", renamed).sum() == 5
    assert "drawn from folder a, taken for folder b by the names" in capsys.readouterr().err
    assert load_list(tmp_path / "a.json", ours.where(np.arange(25) < 20)).sum() == 5
    assert "drawn from 25 images, and folder a has 20 now" in capsys.readouterr().err


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path):
    data = images({"neutral": 20, "fear": 5})
    save_list(tmp_path / "a.json", to_list(data, np.arange(25) < 5, 0))
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(text, encoding="utf-8-sig")
    assert load_list(tmp_path / "a.json", data).sum() == 5
