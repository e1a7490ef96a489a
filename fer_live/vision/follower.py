"""Follows faces by their own pixels for a moment, so that not every frame needs the detector."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FaceDetection, FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face, face_transform

_FOLLOWS_FOR_S = 0.085
_SIDE = 64
_CROP = CropGeometry(eye_distance=0.3, eye_mouth_distance=0.32, center_x=0.5, center_y=0.55)
_POINTS = np.mgrid[10:56:11, 10:56:11].T.reshape(-1, 1, 2).astype(np.float32)
"""5 x 5 points: twice as many cost a quarter more and are as exact."""
_PLACES = _POINTS.view(np.complex64).ravel()
_MAX_ASTRAY_PX = 0.5
_MAX_APART_PX = 1.0
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
    "Forward-Backward Error", 2010); those that return to within half a pixel make one similarity,
    on which they must agree. Where too few return or agree, or the face moved or grew further than
    this is good for, the frame is the detector's.
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
    astray = np.abs(_as_complex(back) - _PLACES)
    good = (found & found_back).ravel().astype(bool) & (astray < _MAX_ASTRAY_PX)
    if np.count_nonzero(good) < _MIN_SHARE * len(_PLACES):
        return None
    similarity = _agreed_similarity(_PLACES[good], _as_complex(there)[good])
    return (
        None if similarity is None else _apply(similarity, face.detection, image_bgr.shape[1::-1])
    )


def _agreed_similarity(
    before: NDArray[np.complex64], after: NDArray[np.complex64]
) -> tuple[complex, complex] | None:
    """The similarity z -> turn * z + shift that takes the points (n,) before to those after.

    By least squares, over all of them and then over those within a pixel of that; None where too
    few are. RANSAC would find one among more that disagree, at three times the cost, and a face
    like that is better left to the detector.
    """
    turn, shift = _least_squares(before, after)
    agree = np.abs(turn * before + shift - after) < _MAX_APART_PX
    n_agree = np.count_nonzero(agree)
    if n_agree < _MIN_SHARE * len(_PLACES):
        return None
    return (turn, shift) if n_agree == len(before) else _least_squares(before[agree], after[agree])


def _least_squares(
    before: NDArray[np.complex64], after: NDArray[np.complex64]
) -> tuple[complex, complex]:
    """Umeyama (1991) in the plane, where it is one quotient of complex numbers."""
    middle_before, middle_after = before.sum() / len(before), after.sum() / len(after)
    away = before - middle_before
    turn = complex(np.vdot(away, after - middle_after) / np.vdot(away, away))
    return turn, complex(middle_after - turn * middle_before)


def _as_complex(points: FloatArray) -> NDArray[np.complex64]:
    """(n, 1, 2) or (n, 2) float32 -> (n,) x + iy."""
    return np.ascontiguousarray(points, np.float32).view(np.complex64).ravel()


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
    similarity: tuple[complex, complex], detection: FaceDetection, frame_wh: tuple[int, ...]
) -> FaceDetection | None:
    """`similarity`, turn and shift, takes pixels of the crop to pixels of the crop."""
    turn, shift = similarity
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
    keypoints = turn * _as_complex(detection.keypoints_xy) + frame_shift
    x1, y1, x2, y2 = detection.box_xyxy.tolist()
    center = turn * complex(x1 + x2, y1 + y2) / 2 + frame_shift
    half = complex(x2 - x1, y2 - y1) / 2 * abs(turn)
    corners = center - half, center + half
    width, height = frame_wh
    box = [
        # A side that the detector cut off at the border stays there.
        border if before == border else min(max(side, 0), limit)
        for before, side, border, limit in (
            (x1, corners[0].real, 0, width),
            (y1, corners[0].imag, 0, height),
            (x2, corners[1].real, width, width),
            (y2, corners[1].imag, height, height),
        )
    ]
    if box[2] <= box[0] or box[3] <= box[1]:
        return None
    points = keypoints.view(np.float32).reshape(-1, 2)
    return FaceDetection(np.array(box, np.float32), points, detection.confidence)
