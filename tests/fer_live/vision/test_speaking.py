"""A mouth that keeps moving is told from one that moves once, and from a head that moves."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from fer_live.vision.speaking import SpeechMeter

SIDE = 48
SECONDS = 4.0
WORDS_A_SECOND = 3.0


@pytest.fixture(scope="module")
def face(demo_frames: list[np.ndarray]) -> np.ndarray:
    with FaceDetector("short") as detector:
        found = detector.detect(demo_frames[20], 0.0)[0]
    return align_face(demo_frames[20], found, SIDE, CropGeometry())


def with_mouth(face: np.ndarray, opened: float) -> np.ndarray:
    """The face with its mouth stretched, at 1 by a third of its height."""
    y, x = np.indices((SIDE, SIDE), dtype=np.float32) / SIDE
    near = np.exp(-(((x - 0.5) / 0.2) ** 2) - ((y - 0.79) / 0.12) ** 2)
    map_y = (y - opened * 0.33 * near * (y - 0.79)) * SIDE - 3 * opened * near
    maps = (x * SIDE).astype(np.float32), map_y.astype(np.float32)
    return cv2.remap(face, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def speaking(face: np.ndarray, t: float) -> np.ndarray:
    return with_mouth(face, 0.5 - 0.5 * np.cos(2 * np.pi * WORDS_A_SECOND * t))


def smiling(face: np.ndarray, t: float) -> np.ndarray:
    """From 1 s on the mouth opens within 0.3 s, and stays."""
    return with_mouth(face, float(np.clip((t - 1) / 0.3, 0, 1)))


def shaking(face: np.ndarray, t: float) -> np.ndarray:
    shift = np.float32([[1, 0, 2.5 * np.sin(2 * np.pi * 2 * t)], [0, 1, 0]])
    return cv2.warpAffine(face, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


def resting(face: np.ndarray, t: float) -> np.ndarray:
    """Still, with the noise of a camera."""
    noise = np.random.default_rng(round(t * 1000)).normal(0, 4, face.shape)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


def followed(
    face: np.ndarray, scene: Callable[[np.ndarray, float], np.ndarray], fps: float = 30.0
) -> list[float]:
    meter = SpeechMeter()
    times = np.arange(0, SECONDS, 1 / fps)
    return [meter.update(1, scene(face, float(t)), float(t)) for t in times]


@pytest.mark.parametrize("fps", [12.5, 24.0, 30.0, 60.0])
def test_speech_is_noticed_within_two_seconds(face: np.ndarray, fps: float):
    levels = followed(face, speaking, fps)
    assert levels[0] == 0
    later = levels[round(2 * fps) :]
    assert np.mean(later) > 0.5 and min(later) > 0.3


@pytest.mark.parametrize("scene", [smiling, shaking, resting])
@pytest.mark.parametrize("fps", [12.5, 30.0, 60.0])
def test_nothing_else_is_taken_for_speech(face: np.ndarray, scene, fps: float):
    assert max(followed(face, scene, fps)) < 0.1


def test_who_falls_silent_is_calm_no_longer(face: np.ndarray):
    levels = followed(face, lambda f, t: speaking(f, t) if t < 2 else resting(f, t))
    assert max(levels[30:60]) > 0.5 and levels[-1] == 0


def test_each_track_is_its_own_and_ends(face: np.ndarray):
    meter = SpeechMeter()
    for t in np.arange(0, 2, 1 / 30):
        speaks = meter.update(1, speaking(face, t), t)
        rests = meter.update(2, face, t)
    assert speaks > 0.3 and rests == 0
    meter.forget_unseen(4.0)
    assert meter.update(1, face, 4.0) > 0, "two seconds away it is still the same talk"
    meter.forget_unseen(9.0)
    assert meter.update(1, face, 9.0) == 0
    meter.update(2, face, 9.1)
    assert meter.update(2, face, 8.0) == 0, "a clock that goes back begins anew"
    meter.reset()
    assert meter.update(1, face, 9.2) == 0


def test_a_repeated_time_changes_nothing(face: np.ndarray):
    meter = SpeechMeter()
    for _ in range(5):
        assert meter.update(1, with_mouth(face, 1.0), 1.0) == 0


def talked(face: np.ndarray) -> SpeechMeter:
    meter = SpeechMeter()
    for t in np.arange(0, 2, 1 / 30):
        meter.update(1, speaking(face, t), t)
    return meter


def test_a_track_is_remembered_for_three_seconds(face: np.ndarray):
    """Its last face was seen at 59 / 30 s."""
    for gap_s, is_remembered in ((2.99, True), (3.01, False)):
        meter = talked(face)
        meter.forget_unseen(59 / 30 + gap_s)
        assert (meter.update(1, face, 59 / 30) > 0.3) == is_remembered


def test_a_crop_of_another_side_begins_anew(face: np.ndarray):
    meter = talked(face)
    assert meter.update(1, cv2.resize(face, (64, 64)), 2.0) == 0


def test_after_a_gap_one_look_counts_as_a_fifth_of_a_second(face: np.ndarray):
    """So that somebody who rests after a gap of 1.5 s is not silent at once: exp(-0.2)."""
    meter = talked(face)
    before = meter._states[1].moving
    meter.update(1, speaking(face, 59 / 30), 59 / 30 + 1.5)
    assert meter._states[1].moving == pytest.approx(before * np.exp(-0.2))
