from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.datatypes import FaceDetection
from fer_live.errors import DataError
from fer_live.model.manifest import CropGeometry
from fer_live.personal.collector import _cut, collect_own_faces, files_of_person
from fer_live.personal.crop_search import search_crop
from fer_live.personal.own_faces import (
    CropChange,
    OwnFaces,
    crops_alone,
    cut_again,
    is_within_reach,
    joined,
    no_faces,
)
from fer_live.vision.alignment import LEFT_EYE, MOUTH, RIGHT_EYE, align_face

SIDE = 48


def picture() -> tuple[np.ndarray, FaceDetection]:
    """A smooth picture, and where a face is said to be in it."""
    noise = np.random.default_rng(0).normal(128, 60, (30, 40, 3))
    image = cv2.resize(noise.clip(0, 255).astype(np.uint8), (640, 480))
    keypoints = np.zeros((6, 2), np.float32)
    keypoints[LEFT_EYE], keypoints[RIGHT_EYE], keypoints[MOUTH] = (280, 200), (345, 212), (300, 270)
    return image, FaceDetection(np.array([250, 160, 380, 320], np.float32), keypoints, 0.9)


@pytest.mark.parametrize(
    "change",
    [CropChange(1.15), CropChange(0.87, -6), CropChange(1, 12, 0.06), CropChange(1.3, 4, -0.06)],
)
def test_a_face_cut_again_is_what_the_live_app_cuts_by_that_geometry(change: CropChange):
    image, found = picture()
    crop, patch = _cut(image, found, SIDE, CropGeometry())
    face = OwnFaces(crop[None], patch[None], np.array(["a"]), np.zeros(1))
    live = align_face(image, found, SIDE, change.applied_to(CropGeometry()))
    again = cut_again(face, change)[0]
    assert np.abs(again.astype(int) - live).mean() < 2.5
    assert np.abs(again.astype(int) - crop).mean() > 4 * np.abs(again.astype(int) - live).mean()


def test_the_present_crop_is_left_untouched():
    crops = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE)).astype(np.uint8)
    faces = crops_alone(crops, np.array(["a", "b", "c"]))
    assert cut_again(faces, CropChange()) is crops
    smooth = np.stack([cv2.GaussianBlur(crop, (0, 0), 2) for crop in crops])
    nearly = cut_again(crops_alone(smooth, faces.takes), CropChange(scale=1.0001))
    assert np.abs(nearly.astype(int) - smooth).mean() < 1


def test_near_copies_in_time_are_one_segment():
    faces = no_faces(SIDE)
    times_s = np.array([0.0, 0.25, 0.5, 0.75, 0.0])
    takes = np.array(["a", "a", "a", "a", "b"])
    faces = OwnFaces(np.zeros((5, SIDE, SIDE), np.uint8), np.zeros((5, 1, 1)), takes, times_s)
    assert faces.segments.tolist() == [0, 0, 1, 1, 2]
    assert len(joined([], SIDE)) == 0


def test_a_crop_is_changed_only_where_another_is_clearly_better():
    """The model is surest of a crop whose middle is bright."""
    generator = np.random.default_rng(0)
    crops = generator.integers(100, 140, (20, SIDE, SIDE)).astype(np.uint8)
    crops[:, 24 - 3 : 24 + 3] = 250  # a bright line, which a shift moves away from the middle
    faces = crops_alone(np.roll(crops, 3, axis=1), np.arange(20).astype(str))

    def classify(images: np.ndarray) -> np.ndarray:
        bright = images[:, 22:26].mean(axis=(1, 2)) / 255
        return np.stack([bright, 1 - bright], axis=1).astype(np.float32).clip(0.01, 0.99)

    assert search_crop(faces, classify).shift_y < 0

    def indifferent(images: np.ndarray) -> np.ndarray:
        return np.full((len(images), 2), 0.5, np.float32)

    assert search_crop(faces, indifferent) == CropChange()
    assert search_crop(faces.where(np.arange(20) < 3), classify) == CropChange(), "too few"


def test_calibrated_again_and_again_the_crop_does_not_walk_away():
    crop, larger = CropGeometry(), CropChange(1.3, 6.0, 0.06)
    assert is_within_reach(crop) and is_within_reach(larger.applied_to(crop))
    twice = larger.applied_to(larger.applied_to(crop))
    assert not is_within_reach(twice)
    for change in (CropChange(1.6), CropChange(0.6), CropChange(1, 24), CropChange(1, 0, -0.18)):
        assert not is_within_reach(change.applied_to(crop))


def test_what_cannot_be_used_is_named_and_the_rest_is(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "crop.png"), np.zeros((48, 48), np.uint8))
    (tmp_path / "text.jpg").write_text("no picture")
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((100, 200), np.uint8))
    found = collect_own_faces(files_of_person(tmp_path), SIDE, CropGeometry())
    assert len(found) == 1
    assert [line.partition(": ")[2][:12] for line in found.skipped] == [
        "not an image",
        "no face in i",
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no clip and no image"):
        files_of_person(tmp_path / "empty")
