"""How well a face can be read, and what stands in the way most; docs/quality.md has the figures.

It looks at what the pipeline has anyway, the key points and the crop, so that it costs a few
hundredths of a face's reading. Where a landmarker has measured the head, its angles count too.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import cv2
import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, TrackedFace, UInt8Array
from fer_live.model.manifest import CropGeometry
from fer_live.vision.cover import COVER_SIDE, CoverReader

_STANDS_FOR_S = 0.085
_READABLE_FROM = 0.25
_GOOD_FROM = 0.5


class HeadAngles(Protocol):
    """What a landmarker tells of a head, in degrees; any object that has them will do."""

    @property
    def yaw_deg(self) -> float: ...

    @property
    def pitch_deg(self) -> float: ...


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """The verdict on one face of one frame.

    Args:
        value: 0 (cannot be read) to 1 (a good picture); below 0.5 there is a `reason`.
        reason: "small", "turned", "dark", "bright", "blurred", "covered" or "cut"; or empty.
    """

    value: float
    reason: str = ""

    @property
    def can_be_read(self) -> bool:
        """Whether what the model answers is worth more than what was known before."""
        return self.value >= _READABLE_FROM


@dataclass(frozen=True, slots=True)
class FaceMeasures:
    """What was measured of a face.

    Args:
        side_px: The side of its crop, in pixels of the frame.
        outside: The share of the face beyond the frame's edge, 0 to 1.
        turn_deg: How far the head is turned away. By the key points, it is where the nose lies
            between the eyes, up to 50 degrees: 5 degrees off on the mean, and blind to nodding.
        light: The brightness of its brightest parts, the 95th percentile of gray, 0 to 255.
        glare: The share of pixels that are white through and through, 0 to 1.
        sharpness: How much of its contrast lies in single pixels, in the direction in which that is
            least, of what is usual; 1 is a usual face, 0.7 is as blurred as a face can be.
        eyes_covered, mouth_covered: How likely both eyes, or the mouth, are behind something.
    """

    side_px: float
    outside: float
    turn_deg: float
    light: float
    glare: float
    sharpness: float
    eyes_covered: float
    mouth_covered: float


class QualityJudge:
    """Judges the faces of a frame, each at most every 85 ms of the source's clock.

    What is judged changes slowly, so at 30 frames a second a verdict stands for three frames, as a
    detection does. Use it from one thread at a time.
    """

    def __init__(self) -> None:
        self._covers = CoverReader()
        self._verdicts: dict[int, tuple[float, FaceQuality]] = {}

    def judge(
        self,
        faces: Sequence[TrackedFace],
        crops: UInt8Array,
        geometry: CropGeometry,
        frame_wh: tuple[int, int],
        time_s: float,
        heads: Sequence[HeadAngles | None] | None = None,
    ) -> list[FaceQuality]:
        """Judge all faces of a frame.

        Args:
            faces: Where they are in their frame, N of them.
            crops: The faces as the model reads them, (N, S, S) uint8, cut out by `geometry`.
            geometry: Where eyes and mouth lie in a crop.
            frame_wh: Width and height of the frame in pixels.
            time_s: The frame's own clock, which does not go back before `reset`.
            heads: What a landmarker has measured of each, if anything; None for none of them.
        """
        due = [k for k, face in enumerate(faces) if self._is_due(face.track_id, time_s)]
        if due:
            chosen = crops[due]
            if chosen.shape[1:] != (COVER_SIDE, COVER_SIDE):
                chosen = _resized(chosen)
            covered = self._covers.read(chosen).tolist()
            for k, crop, covers in zip(due, chosen, covered, strict=True):
                head = None if heads is None else heads[k]
                measures = measure(faces[k].detection, crop, geometry, frame_wh, covers, head)
                self._verdicts[faces[k].track_id] = time_s, judge(measures)
        self._verdicts = {face.track_id: self._verdicts[face.track_id] for face in faces}
        return [quality for _, quality in self._verdicts.values()]

    def reset(self) -> None:
        """Forget all faces: the next frame is of another source, or of another scene."""
        self._verdicts.clear()

    def _is_due(self, track_id: int, time_s: float) -> bool:
        before = self._verdicts.get(track_id)
        return before is None or not 0 <= time_s - before[0] < _STANDS_FOR_S


def _resized(crops: UInt8Array) -> UInt8Array:
    faces = np.empty((len(crops), COVER_SIDE, COVER_SIDE), np.uint8)
    for face, crop in zip(faces, crops, strict=True):
        face[:] = cv2.resize(crop, (COVER_SIDE, COVER_SIDE), interpolation=cv2.INTER_AREA)
    return faces


def measure(
    detection: FaceDetection,
    crop: UInt8Array,
    geometry: CropGeometry,
    frame_wh: tuple[int, int],
    covered: Sequence[float] = (0.0, 0.0),
    head: HeadAngles | None = None,
) -> FaceMeasures:
    """Measure a face.

    Args:
        detection: Where it is in its frame.
        crop: The face, (48, 48) uint8, cut out by `geometry`.
        geometry: Where eyes and mouth lie in the crop.
        frame_wh: Width and height of the frame in pixels.
        covered: How likely its eyes are covered, and its mouth.
        head: The angles of the head, where a landmarker has measured them.
    """
    pose = _pose(detection.keypoints_xy, geometry)
    light, glare = _light(crop)
    eyes_covered, mouth_covered = covered
    return FaceMeasures(
        side_px=pose.side_px,
        outside=_outside(pose, frame_wh),
        turn_deg=pose.turn_deg if head is None else max(abs(head.yaw_deg), abs(head.pitch_deg)),
        light=light,
        glare=glare,
        # Of fewer pixels than the crop has, none can be as sharp as its own.
        sharpness=_sharpness(crop) if pose.side_px >= len(crop) else 1.0,
        eyes_covered=eyes_covered,
        mouth_covered=mouth_covered,
    )


_Scale = tuple[tuple[float, float], ...]
"""Points between which a measure's worth is interpolated: what was measured, and 0 to 1."""

_SCALES: dict[str, tuple[str, _Scale]] = {
    "side_px": ("small", ((0, 0), (13, 0.25), (21, 0.5), (42, 1))),
    "outside": ("cut", ((0, 1), (0.1, 0.5), (0.35, 0.25), (0.6, 0))),
    "turn_deg": ("turned", ((16, 1), (32, 0.5), (60, 0.25), (90, 0))),
    "light": ("dark", ((0, 0), (18, 0.25), (42, 0.5), (84, 1))),
    "glare": ("bright", ((0, 1), (0.3, 0.5), (0.8, 0.25), (1, 0))),
    "sharpness": ("blurred", ((0.65, 0), (0.71, 0.25), (0.8, 0.5), (0.94, 1))),
}
_COVER_SCALES: dict[str, tuple[str, _Scale]] = {
    "mouth_covered": ("covered", ((0, 1), (0.85, 0.5), (0.992, 0.25), (1, 0.2))),
    "eyes_covered": ("covered", ((0, 1), (0.92, 0.5), (1, 0.3))),
}
"""0.5 is where a reason is given, 0.25 where the label is held; docs/quality.md says by what
either was chosen. Only what is worth less than 0.25 somewhere can hold a label."""


def judge(measures: FaceMeasures) -> FaceQuality:
    """The worst of all measures says how well the face can be read, and why not better.

    What spoils the whole picture comes before a cover, which cannot be told in such a picture.
    """
    value, reason = min(_worths(measures, _SCALES))
    if value >= _GOOD_FROM:
        value, reason = min((value, reason), *_worths(measures, _COVER_SCALES))
    return FaceQuality(value, reason if value < _GOOD_FROM else "")


def _worths(
    measures: FaceMeasures, scales: dict[str, tuple[str, _Scale]]
) -> Iterator[tuple[float, str]]:
    for name, (reason, scale) in scales.items():
        yield _on(scale, getattr(measures, name)), reason


def _on(scale: _Scale, value: float) -> float:
    """Interpolated between the scale's points, the end's worth beyond them."""
    # Plain numbers: numpy's `interp` costs five times as much for one.
    before_x, before_y = scale[0]
    if value <= before_x:
        return before_y
    for x, y in scale[1:]:
        if value < x:
            return before_y + (y - before_y) * (value - before_x) / (x - before_x)
        before_x, before_y = x, y
    return before_y


_MAX_TURN_DEG = 50.0
"""Beyond this the key points tell a profile, and no angle."""
_TURN_DEG = 20.0
"""Degrees per unit of log((1 + t) / (1 - t)), with the nose at t between the eyes, -1 to 1: the
least error on half of 3,505 real faces, against the Face Landmarker's pose."""


@dataclass(frozen=True, slots=True)
class _Pose:
    """A face by its key points: the middle between eyes and mouth, pixels, and how it is turned."""

    middle_x: float
    middle_y: float
    side_px: float
    cos: float
    sin: float
    turn_deg: float


def _pose(keypoints_xy: FloatArray, geometry: CropGeometry) -> _Pose:
    # Plain numbers, as in `face_transform`: arrays of two cost ten times as much.
    points = keypoints_xy[:4].tolist()
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y), (mouth_x, mouth_y) = points
    eyes_x, eyes_y = (left_x + right_x) / 2, (left_y + right_y) / 2
    across_x, across_y = right_x - left_x, right_y - left_y
    eye_distance = max(math.hypot(across_x, across_y), 1e-3)
    down = math.hypot(mouth_x - eyes_x, mouth_y - eyes_y)
    cos, sin = across_x / eye_distance, across_y / eye_distance
    nose = 2 * abs((nose_x - eyes_x) * cos + (nose_y - eyes_y) * sin) / eye_distance
    nose = min(nose, 0.999)
    return _Pose(
        middle_x=(eyes_x + mouth_x) / 2,
        middle_y=(eyes_y + mouth_y) / 2,
        side_px=max(eye_distance / geometry.eye_distance, down / geometry.eye_mouth_distance),
        cos=cos,
        sin=sin,
        turn_deg=min(_TURN_DEG * math.log((1 + nose) / (1 - nose)), _MAX_TURN_DEG),
    )


@cache
def _core() -> tuple[FloatArray, float]:
    """(2, N) places spread over a face, in crop sides from its middle, and how far they reach."""
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9))
    is_face = x**2 + y**2 <= 1.01
    places = np.array([x[is_face] * 0.36, y[is_face] * 0.42], np.float32)
    return places, float(np.hypot(*places).max())


def _outside(pose: _Pose, frame_wh: tuple[int, int]) -> float:
    """The share of a face beyond the frame's edge."""
    (width, height), (places, farthest) = frame_wh, _core()
    x, y, reach = pose.middle_x, pose.middle_y, farthest * pose.side_px
    if reach <= x <= width - reach and reach <= y <= height - reach:
        return 0.0
    across, down = pose.cos * pose.side_px, pose.sin * pose.side_px
    xs = x + across * places[0] - down * places[1]
    ys = y + down * places[0] + across * places[1]
    return float(np.mean((xs < 0) | (xs > width) | (ys < 0) | (ys > height)))


_MIDDLE = slice(4, 46), slice(8, 40)
"""Rows and columns that are face in nearly every crop, not hair or background."""
_GLARING = 250


def _light(crop: UInt8Array) -> tuple[float, float]:
    """The 95th percentile of gray, and the share that is white."""
    counts = cv2.calcHist([crop[_MIDDLE]], [0], None, [256], [0, 256]).ravel().cumsum()
    n_pixels = float(counts[-1])
    light = int(np.searchsorted(counts, 0.95 * n_pixels))
    return float(light), 1 - float(counts[_GLARING - 1]) / n_pixels


_ROWS, _COLUMNS = slice(4, 46), slice(6, 42)
_FAR = 3
_USUAL = (0.458, 0.484, 0.544, 0.535)
"""The medians of FER2013's PublicTest, for steps to the right, down, and along both diagonals."""


def _sharpness(crop: UInt8Array) -> float:
    """How pixels one step apart differ, of how those three apart do: least along a blur.

    The norms are of as many differences as there are; `_USUAL` has it in them.
    """
    a = crop[_ROWS, _COLUMNS]
    near_and_far = (
        (cv2.norm(a[:, 1:], a[:, :-1]), cv2.norm(a[:, _FAR:], a[:, :-_FAR])),
        (cv2.norm(a[1:], a[:-1]), cv2.norm(a[_FAR:], a[:-_FAR])),
        (cv2.norm(a[1:, 1:], a[:-1, :-1]), cv2.norm(a[_FAR:, _FAR:], a[:-_FAR, :-_FAR])),
        (cv2.norm(a[1:, :-1], a[:-1, 1:]), cv2.norm(a[_FAR:, :-_FAR], a[:-_FAR, _FAR:])),
    )
    # A face of one gray is dark or bright, not blurred.
    ratios = [
        near / (far * usual)
        for (near, far), usual in zip(near_and_far, _USUAL, strict=True)
        if far > 0
    ]
    return min(ratios, default=1.0)
