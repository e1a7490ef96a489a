"""Where each eye looks.

Sideways by geometry: the iris is a point of a ball behind the lids, whose middle is a fixed way
behind the middle of the eye's corners. Up and down the iris hardly tells, because the lids hide
half of it and follow the eye; there the blendshapes tell more.
"""

from dataclasses import dataclass

import numpy as np

from fer_live.datatypes import BLENDSHAPES, FaceLandmarks, FloatArray
from fer_live.vision.signals.head_pose import HeadPose, direction, direction_degrees

_CORNERS = ((362, 263), (133, 33))
"""Inner and outer corner of the person's own left and right eye."""
_IRISES = (473, 468)
_BALLS_CM = ((0.13, 0.15, -0.6), (-0.13, 0.15, -0.6))
"""The balls' middles, from the middle of the corners: outwards, because the inner corner reaches
beyond the eye, upwards and behind."""
_RADIUS_CM = 0.95
_MAX_AWAY = 0.95
"""Of the radius; an iris cannot be seen further out."""
_UP_DEG, _DOWN_DEG = 50.0, 36.0
"""What eyeLookUp and eyeLookDown of 1 are in degrees: fitted to rendered eyes, and confirmed on
five clips of people who nod while they look at the camera."""
_LOOK = tuple(
    (BLENDSHAPES.index(f"eyeLookUp{side}"), BLENDSHAPES.index(f"eyeLookDown{side}"))
    for side in ("Left", "Right")
)


@dataclass(frozen=True, slots=True, eq=False)
class Gaze:
    """Two directions, of the person's own left and right eye, each as yaw and pitch in degrees.

    Args:
        in_head_deg: (2, 2) float32; 0, 0 is straight ahead from the head.
        to_camera_deg: (2, 2) float32; 0, 0 is into the camera.
    """

    in_head_deg: FloatArray
    to_camera_deg: FloatArray


def gaze(landmarks: FaceLandmarks, pose: HeadPose) -> Gaze:
    """Where the eyes of a face look; what it says of a closed eye means nothing."""
    in_head = [_eye(landmarks, pose, eye) for eye in (0, 1)]
    to_camera = [direction_degrees(pose.rotation @ direction(*eye)) for eye in in_head]
    return Gaze(np.array(in_head, np.float32), np.stack(to_camera))


def _eye(landmarks: FaceLandmarks, pose: HeadPose, eye: int) -> tuple[float, float]:
    points = landmarks.points_xyz * (1, -1, -1)
    middle = points[list(_CORNERS[eye])].mean(axis=0)
    ball = middle + pose.px_per_cm * (pose.rotation @ _BALLS_CM[eye])
    away = (points[_IRISES[eye]] - ball)[:2] / (pose.px_per_cm * _RADIUS_CM)
    away *= min(1.0, _MAX_AWAY / max(float(np.hypot(*away)), 1e-6))
    seen = np.array([*away, np.sqrt(1 - away @ away)], np.float32)
    yaw = direction_degrees(pose.rotation.T @ seen)[0]
    up, down = (float(landmarks.blendshapes[number]) for number in _LOOK[eye])
    return float(yaw), _UP_DEG * up - _DOWN_DEG * down
