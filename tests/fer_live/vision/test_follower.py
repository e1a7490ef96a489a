"""Following a face by its pixels: right where it says so, and silent where it cannot."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live import Frame, Pipeline
from fer_live.datatypes import FaceDetection
from fer_live.vision.detector import FaceDetector
from fer_live.vision.follower import _PLACES, FaceFollower, _agreed_similarity, _apply


@pytest.fixture(scope="module")
def found(demo_frames: list[np.ndarray]) -> list[FaceDetection]:
    with FaceDetector("short") as detector:
        return detector.detect(demo_frames[20], 0.0)


def begun(image: np.ndarray, found: list[FaceDetection]) -> FaceFollower:
    follower = FaceFollower()
    follower.begin(image, found, 1.0)
    return follower


def moved(image: np.ndarray, motion: np.ndarray) -> np.ndarray:
    size = image.shape[1::-1]
    return cv2.warpAffine(image, motion, size, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize(
    ("dx", "dy", "degrees", "scale"),
    [(0, 0, 0, 1.0), (7, -4, 0, 1.0), (0, 0, 4, 1.0), (0, 0, 0, 1.05), (-5, 6, -3, 0.97)],
)
def test_a_face_is_followed_to_where_it_went(
    demo_frames: list[np.ndarray],
    found: list[FaceDetection],
    dx: float,
    dy: float,
    degrees: float,
    scale: float,
):
    (face,) = found
    center = tuple(float(value) for value in face.keypoints_xy[2])
    motion = cv2.getRotationMatrix2D(center, degrees, scale)
    motion[:, 2] += dx, dy
    image = demo_frames[20]
    got = begun(image, found).follow(moved(image, motion), 1.03)
    assert got is not None
    expected = face.keypoints_xy @ motion[:, :2].T + motion[:, 2]
    eye_distance = math.dist(*face.keypoints_xy[:2])
    assert np.abs(got[0].keypoints_xy - expected)[:4].max() < 0.02 * eye_distance
    center_of = [(box[:2] + box[2:]) / 2 for box in (got[0].box_xyxy, face.box_xyxy)]
    assert center_of[0] == pytest.approx(
        motion[:, :2] @ center_of[1] + motion[:, 2], abs=0.03 * eye_distance
    )


@given(
    st.floats(-0.3, 0.3),
    st.floats(0.9, 1.1),
    st.complex_numbers(max_magnitude=12),
    st.lists(st.tuples(st.integers(0, 24), st.complex_numbers(max_magnitude=9)), max_size=5),
)
def test_points_that_disagree_spoil_no_similarity(
    radians: float, scale: float, shift: complex, astray: list[tuple[int, complex]]
):
    """It is right to within a pixel, or there is none."""
    turn = scale * complex(math.cos(radians), math.sin(radians))
    right = (turn * _PLACES + shift).astype(np.complex64)
    after = right.copy()
    for index, away in astray:
        after[index] = right[index] + away
    similarity = _agreed_similarity(_PLACES, after)
    if similarity is None:
        assert astray
        return
    got = similarity[0] * _PLACES + similarity[1]
    assert np.abs(got - right).max() < (1.0 if astray else 1e-3)


def test_errors_do_not_add_up(demo_frames: list[np.ndarray], found: list[FaceDetection]):
    image = demo_frames[20]
    follower = begun(image, found)
    for k in range(1, 9):
        motion = np.array([[1, 0, 3 * k], [0, 1, -2 * k]], np.float32)
        got = follower.follow(moved(image, motion), 1 + k / 100)
    assert got is not None
    expected = found[0].keypoints_xy + np.array([24, -16])
    assert np.abs(got[0].keypoints_xy - expected).max() < 1.0


def test_it_is_the_detectors_turn(demo_frames: list[np.ndarray], found: list[FaceDetection]):
    image = demo_frames[20]
    assert begun(image, found).follow(image, 1.0 + 2 / 30) is not None
    assert begun(image, found).follow(image, 1.1) is None  # for too long
    assert begun(image, found).follow(image, 1.0) is None  # no later than before: a still
    assert begun(image, found).follow(image, 0.5) is None  # another source
    assert begun(image, []).follow(image, 1.03) is None  # nobody to follow
    assert begun(image, found).follow(image[:-2].copy(), 1.03) is None
    assert FaceFollower().follow(image, 1.03) is None


def test_what_is_another_picture_is_not_followed(
    demo_frames: list[np.ndarray], found: list[FaceDetection]
):
    image = demo_frames[20]
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, image.shape, np.uint8)
    x1, y1, x2, y2 = found[0].box_xyxy.astype(int)
    covered = image.copy()
    covered[y1:y2, x1:x2] = 90
    far = moved(image, np.array([[1, 0, 0.6 * (x2 - x1)], [0, 1, 0]], np.float32))
    for other in (noise, covered, np.zeros_like(image), far, image[::-1].copy()):
        follower = begun(image, found)
        assert follower.follow(other, 1.03) is None
        assert follower.follow(image, 1.06) is None  # until the detector has looked again


def test_one_face_that_cannot_be_followed_is_enough_for_the_detector(
    demo_frames: list[np.ndarray], found: list[FaceDetection]
):
    """Two faces side by side: both are followed; with one covered, neither is."""
    image = demo_frames[20]
    width = image.shape[1]
    two = np.hstack([image, image[:, ::-1]])
    with FaceDetector("full") as detector:
        faces = detector.detect(two, 0.0)
    assert len(faces) == 2
    got = begun(two, faces).follow(moved(two, np.array([[1, 0, 4], [0, 1, 3]], np.float32)), 1.03)
    assert got is not None
    for face, after in zip(faces, got, strict=True):
        assert after.keypoints_xy == pytest.approx(face.keypoints_xy + np.array([4, 3]), abs=1.0)
    covered = two.copy()
    covered[:, width:] = 90
    assert begun(two, faces).follow(covered, 1.03) is None


def test_a_side_cut_off_at_the_border_stays_there(
    demo_frames: list[np.ndarray], found: list[FaceDetection]
):
    face = replace(found[0], box_xyxy=found[0].box_xyxy * [0, 1, 1, 1])
    image = moved(demo_frames[20], np.array([[1, 0, 8], [0, 1, 0]], np.float32))
    got = begun(demo_frames[20], [face]).follow(image, 1.03)
    assert got is not None
    assert got[0].box_xyxy[0] == 0
    assert got[0].box_xyxy[2] > face.box_xyxy[2]


def test_two_of_three_frames_do_without_the_detector_and_read_alike(
    demo_frames: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
):
    looks = []
    detect = FaceDetector.detect

    def counted(self: FaceDetector, image: np.ndarray, time_s: float) -> list[FaceDetection]:
        looks.append(time_s)
        return detect(self, image, time_s)

    def probs(with_following: bool) -> np.ndarray:
        with Pipeline.load(provider="cpu") as pipeline, monkeypatch.context() as patch:
            if not with_following:
                patch.setattr(FaceFollower, "follow", lambda *_: None)
            frames = (Frame(image, k, k / 30) for k, image in enumerate(demo_frames[:60]))
            return np.array([pipeline.process(frame).faces[0].probs for frame in frames])

    monkeypatch.setattr(FaceDetector, "detect", counted)
    always = probs(with_following=False)
    assert len(looks) == 60
    followed = probs(with_following=True)
    assert len(looks) - 60 <= 24
    change = np.abs(np.diff(always, axis=0)).sum(axis=1).mean()
    assert np.abs(always - followed).sum(axis=1).mean() <= max(change, 0.02)


def still(box: tuple[float, float, float, float]) -> FaceDetection:
    """An upright face with its eyes' middle at (100, 100)."""
    points = [(80, 100), (120, 100), (100, 115), (100, 140), (70, 100), (130, 100)]
    return FaceDetection(np.array(box, np.float32), np.array(points, np.float32), 0.625)


def zoomed(times: float) -> tuple[complex, complex]:
    """A similarity of the crop, (64, 64), about its middle."""
    return complex(times), complex(32, 32) * (1 - times)


def test_what_stays_in_the_crop_stays_in_the_frame_and_keeps_its_confidence():
    before = still((60, 60, 140, 160))
    after = _apply((1 + 0j, 0j), before, (640, 480))
    assert after is not None and after.confidence == 0.625
    np.testing.assert_allclose(after.box_xyxy, before.box_xyxy, atol=1e-4)
    np.testing.assert_allclose(after.keypoints_xy, before.keypoints_xy, atol=1e-4)
    assert after.box_xyxy.dtype == after.keypoints_xy.dtype == np.float32


@pytest.mark.parametrize(
    ("shift", "is_followed"), [(9.5, True), (9.7, False), (9.5j, True), (-9.7j, False)]
)
def test_a_face_is_followed_by_15_percent_of_its_crop(shift: complex, is_followed: bool):
    after = _apply((1 + 0j, complex(shift)), still((60, 60, 140, 160)), (640, 480))
    assert (after is not None) == is_followed


@pytest.mark.parametrize(
    ("times", "is_followed"), [(1.09, True), (1.11, False), (1 / 1.09, True), (1 / 1.11, False)]
)
def test_a_face_is_followed_that_grows_or_shrinks_by_a_tenth(times: float, is_followed: bool):
    after = _apply(zoomed(times), still((60, 60, 140, 160)), (640, 480))
    assert (after is not None) == is_followed


def test_a_followed_box_stays_in_the_frame_and_at_the_border_where_it_was_cut_off():
    """Eight pixels of a crop that shows 133 pixels on 64 are 16.7 of the frame."""
    for box, shift, expected in (
        ((10, 60, 90, 140), -8 + 0j, (0, 60, 73.33, 140)),
        ((0, 60, 80, 140), 8 + 0j, (0, 60, 96.67, 140)),
        ((60, 60, 150, 150), 8 + 0j, (76.67, 60, 160, 150)),
        ((60, 60, 140, 150), 8j, (60, 76.67, 140, 150)),
    ):
        after = _apply((1 + 0j, shift), still(box), (160, 150))
        assert after is not None
        np.testing.assert_allclose(after.box_xyxy, expected, atol=0.01)
