"""Faces described by their looks: near for one person, far for two."""

import cv2
import numpy as np
import pytest

from fer_live.vision.alignment import align_face
from fer_live.vision.descriptor import (
    DESCRIPTOR_CROP,
    DESCRIPTOR_SIDE,
    SAME_PERSON_LIMIT,
    FaceDescriptor,
    _in_one_light,
)
from fer_live.vision.detector import FaceDetector


@pytest.fixture(scope="module")
def descriptor() -> FaceDescriptor:
    return FaceDescriptor()


@pytest.fixture(scope="module")
def both(demo_frames: list[np.ndarray]) -> np.ndarray:
    """The two portraits of the demo clip, (2, 150, 150), from left to right."""
    frame = demo_frames[190]
    with FaceDetector("short") as detector:
        faces = sorted(detector.detect(frame, 0.0), key=lambda face: face.box_xyxy[0])
    assert len(faces) == 2
    return np.stack([align_face(frame, f, DESCRIPTOR_SIDE, DESCRIPTOR_CROP) for f in faces])


def test_no_face_has_no_descriptor(descriptor: FaceDescriptor):
    assert descriptor.describe(np.zeros((0, 150, 150), np.uint8)).shape == (0, 128)


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_nothing_is_described_in_numbers(descriptor: FaceDescriptor, value: int):
    described = descriptor.describe(np.full((1, 150, 150), value, np.uint8))
    assert np.isfinite(described).all()


def test_many_are_described_as_each_alone(descriptor: FaceDescriptor, both: np.ndarray):
    alone = np.concatenate([descriptor.describe(face[None]) for face in both])
    many = descriptor.describe(np.tile(both, (10, 1, 1)))
    np.testing.assert_allclose(many, np.tile(alone, (10, 1)), atol=1e-4)


CHANGES = {
    "darker": lambda face: (face * 0.4).astype(np.uint8),
    "brighter": lambda face: np.clip(face * 1.4, 0, 255).astype(np.uint8),
    "mirrored": lambda face: face[:, ::-1],
    "blurred": lambda face: cv2.GaussianBlur(face, (0, 0), 2),
    "small": lambda face: cv2.resize(cv2.resize(face, (50, 50)), (150, 150)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_picture_stays_the_same_person(
    descriptor: FaceDescriptor, both: np.ndarray, name: str
):
    before = descriptor.describe(both)
    after = descriptor.describe(np.stack([CHANGES[name](face) for face in both]))
    assert (np.linalg.norm(before - after, axis=1) < SAME_PERSON_LIMIT).all()
    assert np.linalg.norm(before[0] - after[1]) > SAME_PERSON_LIMIT
    assert np.linalg.norm(before[1] - after[0]) > SAME_PERSON_LIMIT


def test_a_descriptor_is_128_float32_numbers(descriptor: FaceDescriptor, both: np.ndarray):
    described = descriptor.describe(both)
    assert (described.shape, described.dtype) == ((2, 128), np.float32)
    assert descriptor.describe(both[:0]).dtype == np.float32


def test_a_face_and_its_mirror_image_have_one_descriptor(
    descriptor: FaceDescriptor, both: np.ndarray
):
    mirrored = descriptor.describe(both[:, :, ::-1])
    np.testing.assert_allclose(mirrored, descriptor.describe(both), atol=1e-3)


def test_in_one_light_the_middle_has_the_gray_that_all_have():
    ramp = np.tile(np.linspace(40, 90, 150), (150, 1)).astype(np.uint8)
    even = _in_one_light(ramp)
    assert (even.shape, even.dtype) == ((150, 150), np.uint8)
    middle = even[25:125, 25:125]
    assert middle.mean() == pytest.approx(118, abs=1)
    assert middle.std() == pytest.approx(48, abs=1)


@pytest.mark.parametrize(("corner", "becomes"), [(255, 255), (0, 0)])
def test_what_is_too_bright_or_too_dark_for_one_light_stays_white_or_black(
    corner: int, becomes: int
):
    """Around a middle of one gray its spread counts as 8 at least: by six times, up or down."""
    face = np.full((150, 150), 100, np.uint8)
    face[:15, :15] = corner
    face[-15:, -15:] = 110
    even = _in_one_light(face)
    assert even[0, 0] == becomes
    assert even[75, 75] == 118
    assert even[-1, -1] == 118 + 6 * 10
