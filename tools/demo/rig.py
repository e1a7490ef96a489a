"""One portrait that can be moved: its expression, its head, and where it sits in its tile."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.vision.detector import FaceDetector
from fer_live.vision.landmarker import FaceLandmarker
from tools.demo.action_units import FaceMoves
from tools.demo.face_mesh import FaceMesh
from tools.demo.mouth import paint_mouth
from tools.demo.portraits import MARGIN_PX, TILE_WH, Portrait, canvas

_PUPILS = [468, 473]
_ENLARGED = 2
"""Small faces are found and measured better in an enlarged picture."""
_BODY_SHARE = 0.15
"""Of the head's movement, what the shoulders take part in."""


@dataclass(frozen=True, slots=True)
class Pose:
    """One moment of one person.

    Args:
        strengths: Of each of `FaceMoves.moves`.
        turn_degrees: Of the head, towards the picture's right.
        roll_degrees: Of the head, clockwise.
        shift_xy: Of the head, in distances of the pupils.
        nearer: How much larger the head is, as a factor.
        aside_px: How far the whole person has moved out of the tile, to the right.
        light: Factor of the brightness.
    """

    strengths: dict[str, float] = field(default_factory=dict)
    turn_degrees: float = 0.0
    roll_degrees: float = 0.0
    shift_xy: tuple[float, float] = (0.0, 0.0)
    nearer: float = 1.0
    aside_px: float = 0.0
    light: float = 1.0


class Rig:
    """A portrait at the clip's scale with the mesh of its face.

    Args:
        portrait: Whose.
        detector, landmarker: The app's own, which find the face and its points.
    """

    def __init__(
        self, portrait: Portrait, detector: FaceDetector, landmarker: FaceLandmarker
    ) -> None:
        image = portrait.read()
        enlarged = cv2.resize(
            image, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC
        )
        pupils = _points(enlarged, detector, landmarker)[_PUPILS, :2] / _ENLARGED
        self.canvas = canvas(portrait, image, pupils)
        points = _points(self.canvas, detector, landmarker)
        self._mesh = FaceMesh(self.canvas, points)
        self._moves = FaceMoves(self._mesh.points, points[_PUPILS, :2])
        pupils = points[_PUPILS, :2].mean(axis=0)
        self._middle = pupils + np.array((0, 0.45 * self._moves.eyes_px))
        self._backdrop = _backdrop(self.canvas)

    def draw(self, pose: Pose) -> UInt8Array:
        """The person's tile, (H, W, 3) uint8 BGR of `TILE_WH`, in this pose."""
        mesh = self._mesh
        moved = mesh.points[:, :2] + self._moves.shifts(pose.strengths)
        depth = mesh.points[:, 2] - mesh.points[:, 2].max()
        moved[:, 0] -= depth * np.sin(np.radians(pose.turn_degrees))
        moved[-mesh.n_edge :] = mesh.points[-mesh.n_edge :, :2]
        drawn, opening = mesh.draw(moved)
        face = paint_mouth(drawn, opening, self.canvas, mesh.points[:, :2], moved)
        return self._seat(face, pose)

    def _seat(self, face: UInt8Array, pose: Pose) -> UInt8Array:
        """Move the head, and the person within the tile, and light them."""
        ys, xs = np.indices((TILE_WH[1], TILE_WH[0]), np.float32) + MARGIN_PX
        xs -= pose.aside_px
        x, y = xs - self._middle[0], ys - self._middle[1]
        eyes = self._moves.eyes_px
        away = np.hypot(x / (1.9 * eyes), y / (2.1 * eyes))
        share = np.clip(1 - (away - 0.75) / 1.35, 0, 1)
        share = _BODY_SHARE + (1 - _BODY_SHARE) * share**2 * (3 - 2 * share)
        roll = np.radians(pose.roll_degrees)
        cos, sin = np.cos(roll) / pose.nearer, np.sin(roll) / pose.nearer
        from_x, from_y = x - pose.shift_xy[0] * eyes, y - pose.shift_xy[1] * eyes
        xs = xs + share * (cos * from_x + sin * from_y - x)
        ys = ys + share * (-sin * from_x + cos * from_y - y)
        tile = cv2.remap(
            face,
            xs.astype(np.float32),
            ys.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        if pose.aside_px > 0:
            beyond = np.clip((6 - xs) / 12, 0, 1)[..., None]
            tile = tile * (1 - beyond) + self._backdrop * beyond
        return np.asarray(np.clip(tile * pose.light, 0, 255), np.uint8)


def _points(image: UInt8Array, detector: FaceDetector, landmarker: FaceLandmarker) -> np.ndarray:
    detector.reset()
    (face,) = detector.detect(np.asarray(image, np.uint8), 0.0)
    measured = landmarker.measure(np.asarray(image, np.uint8), face.box_xyxy)
    assert measured is not None, "a portrait shows a face"
    return measured.points_xyz


def _backdrop(image: UInt8Array) -> np.ndarray:
    """(H, W, 3) of the tile: the colours of the canvas's left edge, for when nobody is there."""
    edge = cv2.GaussianBlur(
        image[:, :12].mean(axis=1, keepdims=True).astype(np.float32), (0, 0), 20
    )
    column = edge[MARGIN_PX : MARGIN_PX + TILE_WH[1]]
    return np.asarray(np.repeat(column, TILE_WH[0], axis=1), np.float32)
