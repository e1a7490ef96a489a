"""How far eyes and mouth are open, seen from the front of the head."""

import numpy as np

from fer_live.datatypes import FloatArray
from fer_live.vision.signals.head_pose import HeadPose

_EYES = ((263, 387, 385, 362, 380, 373), (33, 160, 158, 133, 153, 144))
"""p1 to p6 of the person's own left and right eye: outer corner, upper lid twice, inner corner,
lower lid twice (Soukupová and Čech, "Real-Time Eye Blink Detection using Facial Landmarks",
2016)."""
_LIPS, _MOUTH_CORNERS = (13, 14), (78, 308)


def eyes_open(points_xyz: FloatArray, pose: HeadPose) -> FloatArray:
    """(2,) the eye aspect ratio of the person's own left and right eye.

    The mean height of the gap between the lids over the eye's width: 0 where the lids touch, 0.25
    to 0.4 where an eye is open.
    """
    front = _from_the_front(points_xyz, pose)
    return np.array([_aspect_ratio(front[list(eye)]) for eye in _EYES], np.float32)


def mouth_open(points_xyz: FloatArray, pose: HeadPose) -> float:
    """The gap between the lips' inner edges over the width of the mouth: 0 where they touch."""
    front = _from_the_front(points_xyz, pose)
    return _distance(front, *_LIPS) / max(_distance(front, *_MOUTH_CORNERS), 1e-6)


def _from_the_front(points_xyz: FloatArray, pose: HeadPose) -> FloatArray:
    """(478, 2) the points as a camera before the face would see them."""
    return np.asarray(points_xyz * (1, -1, -1) @ pose.rotation[:, :2], np.float32)


def _aspect_ratio(eye: FloatArray) -> float:
    gap = _distance(eye, 1, 5) + _distance(eye, 2, 4)
    return gap / max(2 * _distance(eye, 0, 3), 1e-6)


def _distance(points: FloatArray, one: int, other: int) -> float:
    return float(np.linalg.norm(points[one] - points[other]))
