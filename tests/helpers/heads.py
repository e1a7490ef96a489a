"""Pictures of a head whose pose and gaze are known: MediaPipe's canonical face, textured, rendered.

The truth is the geometry that was drawn. The texture is a portrait of assets/demo.mp4, laid on by
its own landmarks; the eyes are balls with an iris, behind the lids.
"""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from fer_live.datatypes import FaceSignals, TrackedFace
from fer_live.vision.detector import FaceDetector
from fer_live.vision.signals.canonical_face import CanonicalFace, canonical_face
from fer_live.vision.signals.stage import SignalStage

EYE_RINGS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)
"""The lids' inner edges: of the eye at the image's left, and of the one at its right."""
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The edge of the mesh."""
_RINGS = ((1.12, -2.0), (1.3, -5.0), (1.42, -9.0), (1.45, -13.0), (3.2, -14.0), (7.0, -15.0))
"""What is around the face: how far out from its middle, and how much farther from the camera
(centimetres). The first are ears, hair and the sides of the head, the last two what is behind."""
EYEBALL_CM, IRIS_CM = 1.2, 0.59
"""Radii of an adult's eyeball and iris (mean axial length 24 mm, mean iris 11.8 mm across)."""
HEAD_AT_CM = 60.0
_UPPER_LID_FOLLOWS, _LOWER_LID_FOLLOWS = 0.75, 0.45
"""Shares of the iris's way up and down: the lids follow the eye."""


@cache
def canonical_head() -> CanonicalFace:
    """The face, and rings of vertices around it that hold what the portrait shows there."""
    face = canonical_face()
    edge = face.vertices_cm[list(OVAL)]
    middle = edge.mean(axis=0)
    rings = [edge]
    for scale, behind_cm in _RINGS:
        ring = middle + (edge - middle) * (scale, scale, 1)
        ring[:, 2] = edge[:, 2] + behind_cm
        rings.append(ring)
    n = len(OVAL)
    number = np.vstack([OVAL, 468 + np.arange(len(_RINGS) * n).reshape(-1, n)])
    triangles = [
        triangle
        for inner, outer in pairwise(number)
        for i in range(n)
        for triangle in (
            (inner[i], inner[(i + 1) % n], outer[i]),
            (outer[i], inner[(i + 1) % n], outer[(i + 1) % n]),
        )
    ]
    return CanonicalFace(
        np.vstack([face.vertices_cm, *rings[1:]]), np.vstack([face.triangles, np.array(triangles)])
    )


def _on_portrait(portrait_xy: np.ndarray) -> np.ndarray:
    """Where the head's vertices are on a portrait whose face's are known."""
    face, head = canonical_face().vertices_cm, canonical_head().vertices_cm
    flat = np.column_stack([face[:, :2], np.ones(len(face))])
    to_portrait = np.linalg.lstsq(flat, portrait_xy, rcond=None)[0]
    around = np.column_stack([head[len(face) :, :2], np.ones(len(head) - len(face))])
    return np.vstack([portrait_xy, around @ to_portrait])


def turned(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """(3, 3) rotation of a head: yaw and roll to its own left, pitch up; roll is done first."""
    yaw, pitch, roll = np.radians([yaw_deg, -pitch_deg, -roll_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    return about_y @ about_x @ about_z


def render_head(
    portrait_bgr: np.ndarray,
    portrait_xy: np.ndarray,
    rotation: np.ndarray,
    gaze: np.ndarray | None = None,
    *,
    frame_wh: tuple[int, int] = (640, 480),
    face_px: float = 190,
) -> np.ndarray:
    """Draw the canonical face before a camera.

    Args:
        portrait_bgr: (H, W, 3) the texture, a face from the front.
        portrait_xy: (468, 2) where its landmarks are.
        rotation: (3, 3) the head's, as `turned` makes it.
        gaze: (3,) where both eyes look, in camera terms; None leaves the portrait's eyes. The lids
            follow it.
        frame_wh: The picture's size; the head is in its middle.
        face_px: How many pixels 14 cm, a face's width, have at the head's distance.
    """
    face, head = canonical_face(), canonical_head()
    vertices = head.vertices_cm if gaze is None else _with_lids(head.vertices_cm, gaze @ rotation)
    placed = (vertices - face.vertices_cm.mean(axis=0)) @ rotation.T
    focal_px = face_px / 14 * HEAD_AT_CM
    xy = _project(placed, focal_px, frame_wh)
    texture = portrait_bgr, _on_portrait(portrait_xy)
    triangles, around = np.split(head.triangles, [len(face.triangles)])
    picture = cv2.resize(cv2.GaussianBlur(portrait_bgr, (0, 0), 25), frame_wh)
    picture = _textured(picture, xy, placed[:, 2], around, *texture)
    if gaze is not None:
        centers = _eye_centers(face.vertices_cm) - face.vertices_cm.mean(axis=0)
        for center in centers @ rotation.T:
            _draw_eye(picture, center, gaze, focal_px)
        inside = [np.isin(triangles, ring).all(axis=1) for ring in EYE_RINGS]
        triangles = triangles[~(inside[0] | inside[1])]
    return _textured(picture, xy, placed[:, 2], triangles, *texture)


def _with_lids(vertices: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    """The lids go up and down with the gaze (in head terms), the lower ones less."""
    moved = vertices.copy()
    for ring in EYE_RINGS:
        upper, lower = list(ring[9:]), list(ring[1:8])[::-1]
        gap = vertices[upper, 1] - vertices[lower, 1]
        for lid, follows in ((upper, _UPPER_LID_FOLLOWS), (lower, _LOWER_LID_FOLLOWS)):
            moved[lid, 1] += follows * EYEBALL_CM * gaze[1] * gap / gap.max()
    return moved


def _eye_centers(vertices: np.ndarray) -> np.ndarray:
    """(2, 3) each ball touches the lids' plane a little behind the corners."""
    middles = np.stack([(vertices[ring[0]] + vertices[ring[8]]) / 2 for ring in EYE_RINGS])
    return middles - np.array([0, 0, EYEBALL_CM - 0.35])


def _project(points: np.ndarray, focal_px: float, frame_wh: tuple[int, int]) -> np.ndarray:
    scale = focal_px / (HEAD_AT_CM - points[:, 2])
    return np.stack(
        [frame_wh[0] / 2 + points[:, 0] * scale, frame_wh[1] / 2 - points[:, 1] * scale], axis=1
    )


def _draw_eye(picture: np.ndarray, center: np.ndarray, gaze: np.ndarray, focal_px: float) -> None:
    height, width = picture.shape[:2]
    scale = focal_px / (HEAD_AT_CM - center[2])
    y, x = np.mgrid[0:height, 0:width]
    x_cm = (x + 0.5 - width / 2) / scale - center[0]
    y_cm = (height / 2 - y - 0.5) / scale - center[1]
    depth = EYEBALL_CM**2 - x_cm**2 - y_cm**2
    ball = depth > 0
    z_cm = np.sqrt(np.where(ball, depth, 0))
    # The iris is the cap of the ball around where it looks.
    cosine = (x_cm * gaze[0] + y_cm * gaze[1] + z_cm * gaze[2]) / EYEBALL_CM
    away_cm = EYEBALL_CM * np.sqrt(np.clip(1 - cosine**2, 0, None)) + np.where(cosine < 0, 9, 0)
    soft = 0.8 / scale
    white = np.full(3, 205.0) * (0.75 + 0.25 * z_cm / EYEBALL_CM)[..., None]
    for radius, color in ((IRIS_CM, (55, 75, 95)), (0.22, (15, 15, 15))):
        share = np.clip((radius - away_cm) / soft + 0.5, 0, 1)[..., None]
        white = white * (1 - share) + np.array(color) * share
    picture[ball] = white[ball].astype(np.uint8)


def _textured(
    picture: np.ndarray,
    xy: np.ndarray,
    depth: np.ndarray,
    triangles: np.ndarray,
    texture: np.ndarray,
    texture_xy: np.ndarray,
) -> np.ndarray:
    """Lay the texture's triangles over the picture, the farthest first."""
    height, width = picture.shape[:2]
    source = np.full((height, width, 2), -1e9, np.float32)
    for triangle in triangles[np.argsort(depth[triangles].mean(axis=1))]:
        corners = xy[triangle]
        (ax, ay), (bx, by), (cx, cy) = corners
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0 or not np.isfinite(area):
            continue  # it faces away
        left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (width, height))
        if right <= left or bottom <= top:
            continue
        y, x = np.mgrid[top:bottom, left:right] + 0.5
        b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
        c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
        inside = (b >= -1e-6) & (c >= -1e-6) & (b + c <= 1 + 1e-6)
        one, two, three = texture_xy[triangle]
        where = one + b[..., None] * (two - one) + c[..., None] * (three - one)
        part = source[top:bottom, left:right]
        part[inside] = where[inside]
    drawn = cv2.remap(
        texture, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    covered = source[..., 0] > -1e8
    result = picture.copy()
    result[covered] = drawn[covered]
    return result


class Measuring:
    """The detector and the signals over rendered heads. Use it as a context manager."""

    def __init__(self) -> None:
        self._detector = FaceDetector("short")
        self._stage = SignalStage()
        self._n_heads = 0

    def portrait(self, image_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A portrait and where its 468 points are, as `render_head` takes them."""
        signals = self.picture(image_bgr)
        assert signals is not None, "no face in the portrait"
        return image_bgr, signals.landmarks.points_xyz[:468, :2]

    def head(
        self,
        portrait: tuple[np.ndarray, np.ndarray],
        rotation: np.ndarray,
        gaze: np.ndarray | None = None,
    ) -> FaceSignals | None:
        """What is measured in a rendered head; None where no face is found."""
        return self.picture(render_head(*portrait, rotation, gaze))

    def picture(self, image_bgr: np.ndarray) -> FaceSignals | None:
        """What is measured in the surest face of a picture."""
        self._n_heads += 1
        faces = self._detector.detect(image_bgr, float(self._n_heads))
        tracked = [TrackedFace(self._n_heads, face) for face in faces[:1]]
        return next(iter(self._stage.measure(image_bgr, tracked, float(self._n_heads))), None)

    def __enter__(self) -> "Measuring":
        return self

    def __exit__(self, *_: object) -> None:
        self._detector.close()
        self._stage.close()
