import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.datatypes import FaceDetection
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import LEFT_EYE, MOUTH, RIGHT_EYE, align_face, face_transform

CROP = CropGeometry()
SIDE = 48


def face_at(center_x: float, center_y: float, size: float, roll: float) -> np.ndarray:
    """Key points of a frontal face whose crop would have `size` pixels, rolled by `roll` rad."""
    half_eyes, half_height = CROP.eye_distance / 2, CROP.eye_mouth_distance / 2
    upright = np.zeros((6, 2))
    upright[LEFT_EYE] = -half_eyes, -half_height
    upright[RIGHT_EYE] = half_eyes, -half_height
    upright[MOUTH] = 0, half_height
    rotation = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return (upright @ rotation.T * size + (center_x, center_y)).astype(np.float32)


@given(
    st.floats(-500, 2500),
    st.floats(-500, 2500),
    st.floats(12, 2000),
    st.floats(-np.pi, np.pi),
)
def test_eyes_and_mouth_fall_where_the_geometry_says(x: float, y: float, size: float, roll: float):
    keypoints = face_at(x, y, size, roll)
    transform = face_transform(keypoints, SIDE, CROP)
    fallen = (keypoints @ transform[:, :2].T + transform[:, 2]) / SIDE
    eyes_y = CROP.center_y - CROP.eye_mouth_distance / 2
    expected = {
        LEFT_EYE: (CROP.center_x - CROP.eye_distance / 2, eyes_y),
        RIGHT_EYE: (CROP.center_x + CROP.eye_distance / 2, eyes_y),
        MOUTH: (CROP.center_x, CROP.center_y + CROP.eye_mouth_distance / 2),
    }
    for row, place in expected.items():
        np.testing.assert_allclose(fallen[row], place, atol=0.03)


def test_a_turned_head_keeps_its_size():
    frontal, turned = face_at(0, 0, 100, 0), face_at(0, 0, 100, 0)
    turned[[LEFT_EYE, RIGHT_EYE], 0] *= 0.5
    scales = [np.hypot(*face_transform(k, SIDE, CROP)[0, :2]) for k in (frontal, turned)]
    assert scales[0] == pytest.approx(scales[1], rel=1e-4)


def test_all_keypoints_in_one_place_still_give_a_finite_transform():
    assert np.isfinite(face_transform(np.full((6, 2), 7, np.float32), SIDE, CROP)).all()


def test_an_image_in_training_framing_comes_out_as_it_went_in():
    """The identity: a 48-pixel face placed as FER2013's are is cut without a shift."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[10:20, 5:30] = 200
    keypoints = face_at(CROP.center_x * SIDE, CROP.center_y * SIDE, SIDE, 0)
    detection = FaceDetection(np.array([0, 0, 48, 48], np.float32), keypoints, 1.0)
    crop = align_face(image, detection, SIDE, CROP)
    assert np.abs(crop.astype(int) - image[:, :, 0]).max() <= 2


@pytest.mark.parametrize("size", [48, 96, 300, 900])
def test_a_large_face_is_averaged_down_not_sampled(size: int):
    """Fine noise must become flat gray in a strongly shrunk crop, or the crop aliases."""
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    detection = FaceDetection(
        np.array([0, 0, 1000, 1000], np.float32), face_at(500, 500, size, 0.2), 1.0
    )
    crop = align_face(noise, detection, SIDE, CROP)
    assert crop.shape == (SIDE, SIDE)
    shrink = size / SIDE
    assert crop.std() < 60 / max(shrink * 0.55, 1)


@given(st.floats(-30, 30), st.floats(-np.pi, np.pi))
def test_a_crop_of_ones_own_may_be_turned(degrees: float, roll: float):
    crop = CropGeometry(roll_degrees=degrees)
    keypoints = face_at(300, 200, 100, roll)
    transform = face_transform(keypoints, SIDE, crop)
    left, right = keypoints[[LEFT_EYE, RIGHT_EYE]] @ transform[:, :2].T
    fallen = np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0]))
    assert fallen == pytest.approx(degrees, abs=0.01)


def test_gray_is_made_of_blue_green_and_red_in_that_order():
    """By ITU-R BT.601: 0.114, 0.587 and 0.299."""
    detection = FaceDetection(np.array([0, 0, 96, 96], np.float32), face_at(48, 48, 60, 0.3), 1.0)
    for channel, gray in ((0, 23), (1, 117), (2, 60)):
        image = np.zeros((96, 96, 3), np.uint8)
        image[..., channel] = 200
        crop = align_face(image, detection, SIDE, CROP)
        assert crop.dtype == np.uint8
        assert np.unique(crop).tolist() == [gray]


@pytest.mark.parametrize("size", [30, 48, 60, 100, 200, 500])
@pytest.mark.parametrize("roll", [0.0, 0.5, -2.0])
def test_a_slope_of_gray_is_cut_out_where_it_is(size: float, roll: float):
    """At any size and turn a pixel of the crop has the gray of its own place in the frame.

    Along both axes of the frame gray rises by 1.6 in a pixel of the crop.
    """
    rise = 1.6 * SIDE / size
    y, x = np.indices((1000, 1000)) + 0.5
    slope = np.clip(np.round(128 + rise * (x - 520 + y - 480)), 0, 255).astype(np.uint8)
    keypoints = face_at(520, 480, size, roll)
    detection = FaceDetection(np.array([0, 0, 1000, 1000], np.float32), keypoints, 1.0)
    crop = align_face(np.repeat(slope[..., None], 3, axis=2), detection, SIDE, CROP)
    to_crop = face_transform(keypoints, SIDE, CROP)
    rows, columns = np.indices((SIDE, SIDE)) + 0.5
    places = np.stack([columns, rows], axis=-1) - to_crop[:, 2]
    places = places @ np.linalg.inv(to_crop[:, :2]).T
    error = crop - (128 + rise * (places.sum(axis=-1) - 1000))
    assert np.abs(error).max() < 2
    assert abs(float(error.mean())) < 0.3


def test_beyond_the_frame_its_last_pixels_are_repeated():
    image = np.full((100, 100, 3), 90, np.uint8)
    detection = FaceDetection(np.array([0, 0, 50, 50], np.float32), face_at(0, 0, 60, 0), 1.0)
    assert np.unique(align_face(image, detection, SIDE, CROP)).tolist() == [90]
