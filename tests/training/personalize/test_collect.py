from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import DataError, InputError
from fer_live.model.manifest import CropGeometry
from tests.helpers.retraining import write_crops
from training.personalize.collect import TrackChoice, collect_faces


def test_whose_face_is_asked_where_several_are_there():
    choice = TrackChoice.parse(["largest", "a b.mp4:2"])
    assert (choice.of("x/a b.mp4"), choice.of("c.mp4")) == ("2", "largest")
    with pytest.raises(InputError, match="CLIP:NUMBER"):
        TrackChoice.parse(["me"])


def test_faces_of_a_clip_keep_their_distance_in_time(tmp_path: Path, demo_clip: Path):
    (tmp_path / "demo.mp4").write_bytes(demo_clip.read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    choice = TrackChoice.parse(["largest"])
    faces = collect_faces(tmp_path, 48, CropGeometry(), choice)
    assert set(faces.files) == {"demo.mp4"}
    assert faces.images.shape[1:] == (48, 48)
    assert np.diff(faces.times_s).min() >= 0.19
    assert any("broken.mp4" in line for line in faces.skipped)


def test_small_square_images_are_crops_and_unreadable_ones_are_named(tmp_path: Path):
    folder = write_crops(tmp_path / "crops", 3)
    (folder / "x.png").write_bytes(b"no image")
    faces = collect_faces(folder, 48, CropGeometry(), TrackChoice())
    assert len(faces) == 3
    image = cv2.imread(str(folder / "000.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(faces.images[0], image)
    assert len(faces.skipped) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no clip and no image"):
        collect_faces(empty, 48, CropGeometry(), TrackChoice())
