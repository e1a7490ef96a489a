"""How a head is turned, from its points.

Rigid fit of the canonical face to the points in three dimensions (Umeyama, "Least-squares
estimation of transformation parameters between two point patterns", 1991). It is relative to the
line from the camera to the face, as the square around the face is: 0 is a head that faces the
camera, wherever in the frame it is.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.vision.signals.canonical_face import canonical_face

_ABOVE_CM = -5.0
"""Vertices above the lower lip. The jaw opens, so that what is below it is no part of the skull."""
_MOVING = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    *(362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 78, 191, 80, 81, 82, 13, 312, 311, 310),
    *(415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324),
)
"""Lids and lips, which move with the expression."""
_DEPTH = 1.1
"""The network's depths are a little flat: with this factor, turns of rendered heads of eight people
come out right on the average (without it, 0.95 of the turn)."""
_TO_CAMERA = np.array([1, -1, -_DEPTH], np.float32)
"""From x right, y down, z away to x right, y up, z to the camera."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadPose:
    """A head's turn and size.

    Args:
        rotation: (3, 3) float32, takes directions of the head to those of the camera; x to the
            image's right, y up, z to the camera.
        px_per_cm: How many pixels a centimetre of the canonical face has.
    """

    rotation: FloatArray
    px_per_cm: float

    @property
    def degrees(self) -> FloatArray:
        """(3,) float32 yaw, pitch, roll, -180 to 180.

        Yaw and pitch tell where the face looks: to the person's own left (the right of an
        unmirrored image) and up. Roll is the tilt to the person's own left shoulder. The turn is
        roll about the line of sight first, then pitch, then yaw.
        """
        return rotation_degrees(self.rotation)


@cache
def _rigid() -> tuple[NDArray[np.int64], FloatArray, float]:
    """Vertices of the skull, where they are around their middle, and the sum of their squares."""
    vertices = canonical_face().vertices_cm
    is_rigid = vertices[:, 1] > _ABOVE_CM
    is_rigid[list(_MOVING)] = False
    places = vertices[is_rigid] - vertices[is_rigid].mean(axis=0)
    return np.flatnonzero(is_rigid), places, float((places**2).sum())


def head_pose(points_xyz: FloatArray) -> HeadPose:
    """The pose of a head whose landmarks, (478, 3) pixels, are known."""
    numbers, canonical, spread = _rigid()
    points = points_xyz[numbers] * _TO_CAMERA
    points = points - points.mean(axis=0)
    left, sizes, right = np.linalg.svd(points.T @ canonical)
    signs = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    rotation = np.asarray(left * signs @ right, np.float32)
    return HeadPose(rotation, float((sizes * signs).sum() / spread))


def rotation_degrees(rotation: FloatArray) -> FloatArray:
    """(3,) yaw, pitch, roll of a (3, 3) rotation, as `HeadPose.degrees` has them."""
    yaw_pitch = direction_degrees(rotation[:, 2])
    roll = -np.degrees(np.arctan2(rotation[1, 0], rotation[1, 1]))
    return np.array([*yaw_pitch, roll], np.float32)


def direction_degrees(direction: FloatArray) -> FloatArray:
    """(2,) yaw to the image's right and pitch up of a (3,) unit vector, in degrees."""
    x, y, z = (float(value) for value in direction)
    return np.degrees([np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))]).astype(np.float32)


def direction(yaw_deg: float, pitch_deg: float) -> FloatArray:
    """(3,) the unit vector of a yaw to the image's right and a pitch up."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    place = [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
    return np.array(place, np.float32)
