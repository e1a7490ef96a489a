"""Openings, gaze and what is told between two looks, on points that are made up."""

from dataclasses import replace

import numpy as np
import pytest

from fer_live.datatypes import BLENDSHAPES, FaceDetection, FaceLandmarks
from fer_live.vision.signals.canonical_face import canonical_face
from fer_live.vision.signals.gaze import gaze
from fer_live.vision.signals.head_pose import HeadPose, direction, head_pose
from fer_live.vision.signals.openings import eyes_open, mouth_open
from fer_live.vision.signals.stage import _is_of, _moved
from tests.helpers.heads import turned

AHEAD = HeadPose(np.eye(3, dtype=np.float32), 10.0)
LEFT_EYE, RIGHT_EYE = (263, 387, 385, 362, 380, 373), (33, 160, 158, 133, 153, 144)


def points_of(places: dict[int, tuple[float, float]]) -> np.ndarray:
    points = np.zeros((478, 3), np.float32)
    for number, (x, y) in places.items():
        points[number, :2] = x, y
    return points


def landmarks_of(points: np.ndarray, **blendshapes: float) -> FaceLandmarks:
    shapes = np.zeros(len(BLENDSHAPES), np.float32)
    for name, value in blendshapes.items():
        shapes[BLENDSHAPES.index(name)] = value
    return FaceLandmarks(points, shapes, np.eye(4, dtype=np.float32))


def eye(numbers: tuple[int, ...], heights: tuple[float, float]) -> dict[int, tuple[float, float]]:
    """An eye 30 pixels wide, with these gaps between the lids."""
    first, second = heights
    places = [(0, 0), (10, -first), (20, -second), (30, 0), (20, 0), (10, 0)]
    return dict(zip(numbers, places, strict=True))


def test_an_eye_is_open_by_the_mean_gap_over_its_width_and_each_has_its_own():
    points = points_of(eye(LEFT_EYE, (6, 12)) | eye(RIGHT_EYE, (0, 3)))
    found = eyes_open(points, AHEAD)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([9 / 30, 1.5 / 30])


def test_a_mouth_is_open_by_its_gap_over_its_width():
    points = points_of({13: (20, 0), 14: (20, 10), 78: (0, 5), 308: (40, 5)})
    assert mouth_open(points, AHEAD) == pytest.approx(10 / 40)


def test_points_that_are_all_in_one_place_are_closed():
    assert eyes_open(np.zeros((478, 3), np.float32), AHEAD).tolist() == [0, 0]
    assert mouth_open(np.zeros((478, 3), np.float32), AHEAD) == 0


@pytest.mark.parametrize("angles", [(30, 0, 0), (0, 25, 0), (0, 0, 40), (20, -15, 10)])
def test_openings_are_seen_from_the_front_however_the_head_is_turned(
    angles: tuple[float, float, float],
):
    points = points_of(eye(LEFT_EYE, (6, 12)) | eye(RIGHT_EYE, (9, 3)))
    rotation = turned(*angles).astype(np.float32)
    flip = np.array([1, -1, -1], np.float32)
    turned_points = (points * flip) @ rotation.T * flip
    found = eyes_open(turned_points, HeadPose(rotation, 10.0))
    assert found == pytest.approx(eyes_open(points, AHEAD), abs=1e-5)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, -20, 0), (10, 15, -25)])
@pytest.mark.parametrize("px_per_cm", [4.0, 25.0])
def test_the_canonical_face_turned_has_that_pose_and_size(
    angles: tuple[float, float, float], px_per_cm: float
):
    """The network's depths are flatter by 1.1, which is put in here."""
    rotation = turned(*angles)
    points = np.zeros((478, 3), np.float32)
    points[:468] = canonical_face().vertices_cm @ rotation.T * px_per_cm * (1, -1, -1 / 1.1)
    pose = head_pose(points + np.float32([300, 200, 50]))
    assert pose.degrees == pytest.approx(angles, abs=0.01)
    assert pose.px_per_cm == pytest.approx(px_per_cm, rel=1e-4)
    assert pose.rotation.dtype == np.float32


def eyes_that_look(yaw_deg: float) -> np.ndarray:
    """Irises on balls of 0.95 cm, at ten pixels a centimetre, straight ahead but for a yaw."""
    corners = {362: (35, 0), 263: (65, 0), 133: (-35, 0), 33: (-65, 0)}
    aside = 9.5 * np.sin(np.radians(yaw_deg))
    irises = {473: (50 + 1.3 + aside, -1.5), 468: (-50 - 1.3 + aside, -1.5)}
    return points_of(corners | irises)


@pytest.mark.parametrize("yaw_deg", [-40.0, 0.0, 25.0])
def test_irises_tell_the_yaw_of_both_eyes(yaw_deg: float):
    looks = gaze(landmarks_of(eyes_that_look(yaw_deg)), AHEAD)
    assert looks.in_head_deg.dtype == looks.to_camera_deg.dtype == np.float32
    assert looks.in_head_deg == pytest.approx(np.array([[yaw_deg, 0], [yaw_deg, 0]]), abs=0.01)
    assert looks.to_camera_deg == pytest.approx(looks.in_head_deg, abs=0.01)


def test_no_iris_is_seen_further_out_than_95_percent_of_its_ball():
    looks = gaze(landmarks_of(eyes_that_look(90.0)), AHEAD)
    assert looks.in_head_deg[:, 0] == pytest.approx(np.degrees(np.arcsin(0.95)), abs=0.01)


def test_blendshapes_tell_the_pitch_of_each_eye():
    """50 degrees up and 36 degrees down, for a blendshape of 1."""
    shapes = {"eyeLookUpLeft": 0.5, "eyeLookDownLeft": 0.1, "eyeLookDownRight": 0.5}
    looks = gaze(landmarks_of(eyes_that_look(0.0), **shapes), AHEAD)
    assert looks.in_head_deg[:, 1].tolist() == pytest.approx([25 - 3.6, -18])


def test_gaze_to_the_camera_turns_with_the_head():
    """Pitch by blendshapes is of the head, so a head that is raised adds to it."""
    pose = HeadPose(turned(0, 20, 0).astype(np.float32), 1e-6)
    looks = gaze(landmarks_of(np.zeros((478, 3), np.float32), eyeLookUpLeft=0.2), pose)
    for in_head, to_camera in zip(looks.in_head_deg, looks.to_camera_deg, strict=True):
        expected = pose.rotation @ direction(*in_head)
        assert direction(*to_camera) == pytest.approx(expected, abs=1e-5)


def box(x1: float, y1: float, x2: float, y2: float) -> FaceDetection:
    return FaceDetection(np.array([x1, y1, x2, y2], np.float32), np.zeros((6, 2), np.float32), 0.9)


def test_held_points_move_and_grow_with_the_box_of_their_face():
    """From a middle of (20, 30) to one of (140, 160), at twice the size, depths too."""
    points = np.zeros((478, 3), np.float32)
    points[0] = 25, 30, 4
    points[1] = 20, 20, -4
    held = _moved(landmarks_of(points), box(10, 20, 30, 40), box(120, 140, 160, 180))
    assert held.points_xyz.dtype == np.float32
    assert held.points_xyz[:2].tolist() == [[150, 160, 8], [140, 140, -8]]


@pytest.mark.parametrize(
    ("middle", "is_of"), [((10, 20), True), ((30, 40), True), ((9, 30), False), ((20, 41), False)]
)
def test_points_are_of_a_face_in_whose_box_their_middle_lies(
    middle: tuple[float, float], is_of: bool
):
    points = np.tile(np.float32([*middle, 0]), (478, 1))
    points[0, 0] += 1e-4
    points[1, 0] -= 1e-4
    assert _is_of(landmarks_of(points), box(10, 20, 30, 40)) == is_of
    assert _is_of(None, box(10, 20, 30, 40)), "nothing was seen of it"


def test_only_points_are_moved():
    before = landmarks_of(np.ones((478, 3), np.float32), jawOpen=0.5)
    held = _moved(before, box(0, 0, 2, 2), box(0, 0, 2, 2))
    assert replace(held, points_xyz=before.points_xyz).blendshapes is before.blendshapes
