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
