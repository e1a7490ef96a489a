"""The last steps of the path, on a face whose place in the crop is known."""

import numpy as np
import pytest

from fer_live.datatypes import FaceDetection, FaceResult, TrackedFace
from fer_live.model.manifest import CropGeometry
from fer_live.vision.labeler import FaceLabeler
from fer_live.vision.quality import FaceQuality
from fer_live.vision.smoothing import UNSURE

LABELS = ("neutral", "happiness", "anger")
GEOMETRY = CropGeometry(eye_distance=0.4, eye_mouth_distance=0.4, center_x=0.5, center_y=0.6)
CROP = np.random.default_rng(0).integers(0, 256, (1, 48, 48), dtype=np.uint8)
HAPPY = np.array([[0.1, 0.7, 0.2]], np.float32)


def face(points: list[tuple[float, float]]) -> TrackedFace:
    """Eyes, nose and mouth at these points."""
    keypoints = np.array([*points, (0, 0), (0, 0)], np.float32)
    return TrackedFace(7, FaceDetection(np.array([1, 2, 3, 4], np.float32), keypoints, 0.875))


UPRIGHT = face([(280, 200), (320, 200), (300, 220), (300, 240)])
"""Its crop is 100 pixels wide, for the eyes are 40 apart; its point (0.5, 0.6) is (300, 220)."""
ON_ITS_SIDE = face([(300, 200), (300, 240), (280, 220), (260, 220)])
"""Turned clockwise by a quarter: down in the crop is left in the frame."""


def labelled(
    tracked: TrackedFace = UPRIGHT,
    probs: np.ndarray = HAPPY,
    heat_map: np.ndarray | None = None,
    quality: FaceQuality = FaceQuality(0.9),  # noqa: B008  # it is frozen
) -> FaceResult:
    maps = None if heat_map is None else heat_map[None]
    labeler = FaceLabeler(LABELS, GEOMETRY)
    (result,) = labeler.label([tracked], CROP, probs, maps, [None], [quality], 0.0)
    return result


@pytest.mark.parametrize(
    ("tracked", "corners"),
    [
        (UPRIGHT, [(250, 160), (350, 160), (350, 260), (250, 260)]),
        (ON_ITS_SIDE, [(340, 170), (340, 270), (240, 270), (240, 170)]),
    ],
    ids=["upright", "on its side"],
)
def test_the_corners_of_a_heat_map_lie_where_the_crop_was_cut_out(
    tracked: TrackedFace, corners: list[tuple[float, float]]
):
    heat_map = labelled(tracked, heat_map=np.zeros((6, 6), np.float32)).heat_map
    assert heat_map is not None
    assert heat_map.crop_to_frame.dtype == np.float32
    crop = np.array([(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)])
    np.testing.assert_allclose(crop @ heat_map.crop_to_frame.T, corners, atol=1e-3)


def test_a_heat_map_is_handed_on_as_the_model_gave_it():
    weights = np.linspace(0, 1, 36, dtype=np.float32).reshape(6, 6)
    heat_map = labelled(heat_map=weights).heat_map
    assert heat_map is not None
    np.testing.assert_array_equal(heat_map.weights, weights)
    assert labelled().heat_map is None, "nobody asked"


def test_a_result_has_the_face_its_answers_and_how_well_it_was_read():
    result = labelled(quality=FaceQuality(0.4, "small"))
    assert (result.track_id, result.detection_confidence) == (7, 0.875)
    assert result.box_xyxy.tolist() == [1, 2, 3, 4]
    assert result.keypoints_xy is UPRIGHT.detection.keypoints_xy
    assert result.probs.tolist() == HAPPY[0].tolist()
    assert (result.label, result.confidence) == ("happiness", pytest.approx(0.7))
    assert (result.shown_label, result.shown_confidence) == ("happiness", pytest.approx(0.7))
    assert (result.quality, result.quality_reason) == (0.4, "small")
    assert result.signals is None


def test_a_face_that_cannot_be_read_has_an_answer_but_shows_none():
    result = labelled(quality=FaceQuality(0.1, "dark"))
    assert result.label == "happiness"
    assert (result.shown_label, result.shown_confidence) == (UNSURE, None)


def test_the_number_shown_is_that_of_the_shown_label():
    """The new expression leads at once, and the old label is still held."""
    labeler = FaceLabeler(LABELS, GEOMETRY)
    angry, good = np.array([[0.0, 0.1, 0.9]], np.float32), [FaceQuality(0.9)]
    labeler.label([UPRIGHT], CROP, HAPPY, None, [None], good, 0.0)
    (result,) = labeler.label([UPRIGHT], CROP, angry, None, [None], good, 0.1)
    assert (result.label, result.shown_label) == ("anger", "happiness")
    assert result.shown_confidence == pytest.approx(float(result.smoothed_probs[1]))
    labeler.reset()
    (result,) = labeler.label([UPRIGHT], CROP, angry, None, [None], good, 0.2)
    assert result.shown_label == "anger", "another scene knows nothing of the one before"


class Told:
    """Notes what it is asked, in place of a part of the labeler."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def update(self, track_id: int, crop: np.ndarray, time_s: float) -> float:
        self.asked.append(("update", (track_id, crop.tolist(), time_s)))
        return 1.0

    def forget_unseen(self, time_s: float) -> None:
        self.asked.append(("forget", time_s))

    def reset(self) -> None:
        self.asked.append(("reset", None))


def test_while_a_person_speaks_a_new_label_waits():
    """Four times the usual 0.15 s, for the mouth moves surely."""
    shown = []
    for speech in (None, Told()):
        labeler = FaceLabeler(LABELS, GEOMETRY)
        if speech is not None:
            labeler._speech = speech
        neutral = np.array([[1.0, 0.0, 0.0]], np.float32)
        for step in range(12):
            probs = neutral if step == 0 else HAPPY
            good = [FaceQuality(0.9)]
            (face,) = labeler.label([UPRIGHT], CROP, probs, None, [None], good, step / 30)
        shown.append(face.shown_label)
    assert shown == ["happiness", "neutral"]
    assert speech.asked[0] == ("update", (7, CROP[0].tolist(), 0.0))


def test_faces_that_left_are_forgotten_after_every_frame_and_all_at_a_reset():
    labeler = FaceLabeler(LABELS, GEOMETRY)
    parts = [Told(), Told(), Told()]
    labeler.smoother, labeler._speech, labeler.judge = parts
    labeler.label([], CROP[:0], HAPPY[:0], None, [], [], 2.5)
    labeler.reset()
    forgotten = [("forget", 2.5), ("reset", None)]
    assert [part.asked for part in parts] == [forgotten, forgotten, [("reset", None)]]
