"""478 points, blendshapes and head pose of one face at a time."""

import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fer_live.datatypes import BLENDSHAPES, FaceLandmarks
from fer_live.vision.detector import FaceDetector
from fer_live.vision.landmarker import FaceLandmarker, _cut_out_rgb, _landmarks, _square

HALF = np.array([0.5, 0.5, 0], np.float32)
"""A pixel's middle."""
EYES = (33, 133, 362, 263)
"""Corners, from the image's left to its right."""


@pytest.fixture(scope="module")
def landmarker():
    with FaceLandmarker() as opened:
        yield opened


@pytest.fixture(scope="module")
def box(demo_frames: list[np.ndarray]) -> np.ndarray:
    with FaceDetector("short") as detector:
        return detector.detect(demo_frames[20], 0.0)[0].box_xyxy


def measured(
    landmarker: FaceLandmarker, image: np.ndarray, box: np.ndarray | None = None
) -> FaceLandmarks:
    found = landmarker.measure(image, box)
    assert found is not None
    return found


def apart(one: FaceLandmarks, other: FaceLandmarks) -> float:
    """The mean distance of two faces' points, in distances of the eyes' outer corners."""
    distances = np.linalg.norm(one.points_xyz[:, :2] - other.points_xyz[:, :2], axis=1)
    return float(distances.mean() / np.linalg.norm(one.points_xyz[33] - one.points_xyz[263]))


def test_a_picture_without_a_face_gives_none(landmarker: FaceLandmarker):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    assert landmarker.measure(noise) is None
    assert landmarker.measure(noise, np.array([20, 20, 120, 120], np.float32)) is None


def test_a_face_is_measured_where_the_detector_saw_it(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray
):
    face = measured(landmarker, demo_frames[20], box)
    assert face.points_xyz.shape == (478, 3)
    assert face.points_xyz.dtype == face.blendshapes.dtype == face.head_pose.dtype == np.float32
    assert face.blendshapes.shape == (len(BLENDSHAPES),) == (51,)
    assert face.blendshapes.min() >= 0 and face.blendshapes.max() <= 1
    eyes = face.points_xyz[list(EYES)]
    assert (np.diff(eyes[:, 0]) > 0).all(), "from the image's left to its right"
    x1, y1, x2, y2 = box
    assert ((eyes[:, :2] > (x1, y1)) & (eyes[:, :2] < (x2, y2))).all()
    turn = face.head_pose[:3, :3]
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-3)


def test_points_move_with_the_picture(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray
):
    face = measured(landmarker, demo_frames[20], box)
    shift = np.array([37, 21], np.float32)
    picture = cv2.copyMakeBorder(demo_frames[20], 21, 0, 37, 0, cv2.BORDER_CONSTANT)
    moved = measured(landmarker, picture, box + np.tile(shift, 2))
    assert moved.points_xyz[:, :2] - shift == pytest.approx(face.points_xyz[:, :2], abs=0.01)


@pytest.mark.parametrize("scale", [0.25, 0.5, 3.0, 6.0])
def test_points_grow_with_the_picture(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray, scale: float
):
    face = measured(landmarker, demo_frames[20], box)
    picture = cv2.resize(demo_frames[20], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scaled = measured(landmarker, picture, box * scale)
    back = FaceLandmarks(
        (scaled.points_xyz + HALF) / scale - HALF,
        scaled.blendshapes,
        scaled.head_pose,
    )
    assert apart(face, back) < 0.02


def test_a_face_at_the_frames_edge_is_measured(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray
):
    whole = measured(landmarker, demo_frames[20], box)
    x1, y1, x2, y2 = box.astype(int)
    shift = np.array([x1, y1], np.float32)
    cut = measured(landmarker, demo_frames[20][y1:y2, x1:x2].copy(), box - np.tile(shift, 2))
    cut.points_xyz[:, :2] += shift
    assert apart(whole, cut) < 0.03


@pytest.mark.parametrize("side", [48, 112])
def test_a_tight_gray_crop_is_measured_as_it_is(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray, side: int
):
    whole = measured(landmarker, demo_frames[20], box)
    x1, y1, x2, y2 = box.astype(int)
    x2, y2 = x1 + max(x2 - x1, y2 - y1), y1 + max(x2 - x1, y2 - y1)
    gray = cv2.cvtColor(demo_frames[20], cv2.COLOR_BGR2GRAY)[y1:y2, x1:x2]
    crop = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)
    face = measured(landmarker, crop)
    scale = (x2 - x1) / side
    points = (face.points_xyz + HALF) * scale - HALF + (x1, y1, 0)
    assert apart(whole, FaceLandmarks(points, face.blendshapes, face.head_pose)) < 0.04


def test_it_has_no_memory(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray
):
    first = measured(landmarker, demo_frames[20], box)
    landmarker.measure(np.rot90(demo_frames[20]).copy(), np.array([0, 0, 300, 300], np.float32))
    again = measured(landmarker, demo_frames[20], box)
    assert (first.points_xyz == again.points_xyz).all()
    assert (first.blendshapes == again.blendshapes).all()


def test_most_tight_crops_of_48_pixels_are_measured(
    landmarker: FaceLandmarker, public_test_faces: Path
):
    from training.data.fer2013 import load_fer2013

    faces = load_fer2013(public_test_faces).select("PublicTest", "ferplus-argmax").images[:200]
    found = [landmarker.measure(np.squeeze(face)) is not None for face in faces]
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2), (33, 1700, 3)])
def test_odd_pictures_give_none(landmarker: FaceLandmarker, shape: tuple[int, ...]):
    assert landmarker.measure(np.zeros(shape, np.uint8)) is None


@pytest.mark.parametrize(
    "box", [[0, 0, 0, 0], [5, 5, 4, 4], [-900, -900, -800, -800], [0, 0, 1e5, 1e5]]
)
def test_odd_boxes_give_none(landmarker: FaceLandmarker, box: list[float]):
    picture = np.zeros((120, 160, 3), np.uint8)
    assert landmarker.measure(picture, np.array(box, np.float32)) is None


def test_a_face_costs_the_same_in_any_frame(
    landmarker: FaceLandmarker, demo_frames: list[np.ndarray], box: np.ndarray
):
    large = cv2.copyMakeBorder(demo_frames[20], 0, 1800, 0, 3200, cv2.BORDER_CONSTANT)

    spent_s: dict[str, list[float]] = {"large": [], "small": []}
    for _ in range(20):
        for name, picture in (("large", large), ("small", demo_frames[20])):
            began_s = time.process_time()
            landmarker.measure(picture, box)
            spent_s[name].append(time.process_time() - began_s)
    assert min(spent_s["large"]) < 1.5 * min(spent_s["small"])


@pytest.mark.parametrize(
    ("box", "step", "side"),
    [
        ((100, 200, 180, 280), 160 / 256, 256),  # enlarged to at least 256 pixels
        ((100, 200, 250, 320), 1.0, 300),  # as it is, and the longer side counts
        ((100, 200, 484, 584), 2.0, 384),  # reduced to at most 384
    ],
)
def test_the_square_is_twice_the_box_and_around_its_middle(
    box: tuple[int, ...], step: float, side: int
):
    to_frame, found = _square(640, 480, np.array(box, np.float32))
    assert found == side
    assert to_frame.dtype == np.float32
    assert to_frame[:, :2].tolist() == pytest.approx(np.eye(2) * step)
    first, last = (to_frame @ (n - 0.5, n - 0.5, 1) + 0.5 for n in (0, side))
    middle = (np.array(box[:2]) + box[2:]) / 2
    assert (first + last) / 2 == pytest.approx(middle)
    assert last - first == pytest.approx(2 * max(box[2] - box[0], box[3] - box[1]))


def test_the_square_of_a_tight_crop_is_half_as_large_again():
    to_frame, side = _square(200, 160, None)
    assert side == 300
    first, last = (to_frame @ (n - 0.5, n - 0.5, 1) + 0.5 for n in (0, side))
    assert first.tolist() == pytest.approx([-50, -70])
    assert last.tolist() == pytest.approx([250, 230])


@pytest.mark.parametrize("side_px", [40, 150, 290, 700])
def test_a_square_shows_the_frame_at_its_place_and_black_beyond(side_px: int):
    """Whether enlarged, kept or reduced; gray rises by 1.6 in a pixel of the square."""
    box = np.array([0, 0, side_px, side_px], np.float32) + 100
    to_frame, side = _square(1000, 1000, box)
    rise, middle = 1.6 / to_frame[0, 0], 100 + side_px / 2
    y, x = np.indices((1000, 1000))
    blue, green = (np.clip(np.round(128 + rise * (at - middle)), 0, 255) for at in (x, y))
    slope = np.stack([blue, green, np.full(x.shape, 77)], axis=-1).astype(np.uint8)
    cut = _cut_out_rgb(slope, to_frame, side).astype(float)
    rows, columns = np.indices((side, side))
    places = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ to_frame.T
    expected = 128 + rise * (places - middle)
    inside = (np.abs(expected - 128) < 120).all(axis=-1) & (places > 8).all(axis=-1)
    assert (cut[inside][:, 0] == 77).all(), "red comes first"
    for channel, axis in ((2, 0), (1, 1)):
        error = cut[inside][:, channel] - expected[inside][:, axis]
        assert np.abs(error).max() < 2
        assert abs(float(error.mean())) < 0.15
    beyond = (places < -2 * to_frame[0, 0]).any(axis=-1)
    assert (cut[beyond] == 0).all()


def test_points_in_fractions_of_the_square_become_pixels_of_the_frame():
    """The middle of its first pixel is half a pixel in; depths grow as the square does."""
    point = SimpleNamespace(x=0.5 / 256, y=128.5 / 256, z=-0.25)
    shapes = [SimpleNamespace(category_name=n, score=k / 64) for k, n in enumerate(BLENDSHAPES)]
    result = SimpleNamespace(
        face_landmarks=[[point]],
        face_blendshapes=[[*shapes[::-1], SimpleNamespace(category_name="_neutral", score=1)]],
        facial_transformation_matrixes=[np.arange(16.0).reshape(4, 4)],
    )
    to_frame = np.array([[2, 0, -30], [0, 2, 40]], np.float32)
    face = _landmarks(result, to_frame, 256)
    assert face.points_xyz.tolist() == [[-30, 2 * 128 + 40, -128]]
    assert face.blendshapes.tolist() == [k / 64 for k in range(51)], "in our order"
    assert face.head_pose.tolist() == np.arange(16.0).reshape(4, 4).tolist()
    dtypes = {face.points_xyz.dtype, face.blendshapes.dtype, face.head_pose.dtype}
    assert dtypes == {np.dtype(np.float32)}
