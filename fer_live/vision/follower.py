"""Follows faces by their own pixels for a moment, so that not every frame needs the detector."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face, face_transform

_FOLLOWS_FOR_S = 0.085
_SIDE = 64
_CROP = CropGeometry(eye_distance=0.3, eye_mouth_distance=0.32, center_x=0.5, center_y=0.55)
_POINTS = np.mgrid[10:56:11, 10:56:11].T.reshape(-1, 1, 2).astype(np.float32)
"""5 x 5 points: twice as many cost a quarter more and are as exact."""
_MAX_ASTRAY_PX = 0.5
_MIN_SHARE = 0.6
_MAX_MOVED = 0.15
_MAX_SCALED = 1.1
_WINDOW, _LEVELS = (9, 9), 1
_UNTIL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 0.05)


@dataclass(slots=True, eq=False)
class _Face:
    detection: FaceDetection
    look: UInt8Array
    """What the detector saw: the face cut out as it was then, (side, side) gray."""


class FaceFollower:
    """Moves the faces of one detection to the next frames by optical flow.

    Every face is compared with what it looked like when the detector found it, so nothing adds up
    from frame to frame. Points of a grid over the face are followed there and back (Kalal et al.,
    "Forward-Backward Error", 2010); those that return to within half a pixel vote for one
    similarity (RANSAC). Where too few return or agree, or the face moved or grew further than this
    is good for, the frame is the detector's.
    """

    def __init__(self) -> None:
        self._faces: list[_Face] = []
        self._since_s = 0.0
        self._frame_hw: tuple[int, ...] = ()

    def begin(self, image_bgr: UInt8Array, detections: list[FaceDetection], time_s: float) -> None:
        """Remember what the detector found in a frame at `time_s`."""
        self._since_s, self._frame_hw = time_s, image_bgr.shape
        self._faces = [
            _Face(detection, align_face(image_bgr, detection, _SIDE, _CROP))
            for detection in detections
        ]

    def follow(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection] | None:
        """The same faces in a frame at `time_s`, or None: the detector has to look.

        It has to where no face was in view, after 85 ms (at 30 frames a second it sees every
        third frame), and where a face cannot be followed well.
        """
        is_due = not 0 < time_s - self._since_s < _FOLLOWS_FOR_S
        if is_due or not self._faces or image_bgr.shape != self._frame_hw:
            return None
        for face in self._faces:
            moved = _moved(face, image_bgr)
            if moved is None:
                self.reset()
                return None
            face.detection = moved
        return [face.detection for face in self._faces]

    def reset(self) -> None:
        """Follow nothing until the next `begin`."""
        self._faces = []


def _moved(face: _Face, image_bgr: UInt8Array) -> FaceDetection | None:
    now = align_face(image_bgr, face.detection, _SIDE, _CROP)
    there, found = _flow(face.look, now, _POINTS)
    back, found_back = _flow(now, face.look, there)
    astray = np.square(back - _POINTS).sum(axis=-1)
    good = (found & found_back).astype(bool) & (astray < _MAX_ASTRAY_PX**2)
    if np.count_nonzero(good) < _MIN_SHARE * len(_POINTS):
        return None
    similarity, agree = cv2.estimateAffinePartial2D(
        _POINTS[good], there[good], ransacReprojThreshold=1.0, refineIters=1
    )
    if similarity is None or agree.sum() < _MIN_SHARE * len(_POINTS):
        return None
    return _apply(similarity, face.detection, image_bgr.shape[1::-1])


def _flow(
    before: UInt8Array, after: UInt8Array, points: FloatArray
) -> tuple[FloatArray, UInt8Array]:
    """Where `points` (n, 1, 2) have gone, and whether each was found (n, 1)."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        np.empty_like(points),
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_UNTIL,
    )
    return np.asarray(there, np.float32), np.asarray(found, np.uint8)


def _apply(
    similarity: FloatArray, detection: FaceDetection, frame_wh: tuple[int, ...]
) -> FaceDetection | None:
    """`similarity` (2, 3) takes pixels of the crop to pixels of the crop."""
    # As complex numbers a similarity is z -> turn * z + shift, which is quicker than matrices.
    turn = complex(similarity[0, 0], similarity[1, 0])
    shift = complex(similarity[0, 2], similarity[1, 2])
    center = complex(_SIDE / 2, _SIDE / 2)
    if abs(turn * center + shift - center) > _MAX_MOVED * _SIDE:
        return None
    if not 1 / _MAX_SCALED < abs(turn) < _MAX_SCALED:
        return None
    to_crop = face_transform(detection.keypoints_xy, _SIDE, _CROP)
    crop_turn = complex(to_crop[0, 0], to_crop[1, 0])
    crop_shift = complex(to_crop[0, 2], to_crop[1, 2])
    # To the crop, the motion there, and back to the frame.
    frame_shift = (turn * crop_shift + shift - crop_shift) / crop_turn
    keypoints = _moved_points(detection.keypoints_xy, turn, frame_shift)
    box, (width, height) = detection.box_xyxy, frame_wh
    middle = np.asarray((box[:2] + box[2:]) / 2, np.float32)
    x, y = _moved_points(middle, turn, frame_shift).tolist()
    half_x, half_y = ((box[2:] - box[:2]) / 2 * abs(turn)).tolist()
    sides = (
        max(x - half_x, 0),
        max(y - half_y, 0),
        min(x + half_x, width),
        min(y + half_y, height),
    )
    # A side that the detector cut off at the border stays there.
    borders = np.array([0, 0, width, height], np.float32)
    box = np.where(box == borders, borders, np.array(sides, np.float32))
    if np.any(box[2:] <= box[:2]):
        return None
    return FaceDetection(box, keypoints, detection.confidence)


def _moved_points(points_xy: FloatArray, turn: complex, shift: complex) -> FloatArray:
    """(..., 2) points, turned and scaled about the origin and then shifted."""
    matrix = np.array([[turn.real, turn.imag], [-turn.imag, turn.real]])
    return np.asarray(points_xy @ matrix + (shift.real, shift.imag), np.float32)
