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
_POINTS = np.mgrid[9:60:9, 9:60:9].T.reshape(-1, 1, 2).astype(np.float32)
_MAX_ASTRAY_PX = 0.5
_MIN_SHARE = 0.6
_MAX_MOVED = 0.15
_MAX_SCALED = 1.1
_WINDOW, _LEVELS = (13, 13), 2


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
    astray = np.linalg.norm(back - _POINTS, axis=-1)
    good = (found & found_back).astype(bool) & (astray < _MAX_ASTRAY_PX)
    if good.mean() < _MIN_SHARE:
        return None
    similarity, agree = cv2.estimateAffinePartial2D(
        _POINTS[good], there[good], ransacReprojThreshold=1.0
    )
    if similarity is None or agree.sum() < _MIN_SHARE * len(_POINTS):
        return None
    return _apply(similarity, face.detection, image_bgr.shape[1::-1])


def _flow(
    before: UInt8Array, after: UInt8Array, points: FloatArray
) -> tuple[FloatArray, UInt8Array]:
    """Where `points` (n, 1, 2) have gone, and whether each was found (n, 1)."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return np.asarray(there, np.float32), np.asarray(found, np.uint8)


def _apply(
    similarity: FloatArray, detection: FaceDetection, frame_wh: tuple[int, ...]
) -> FaceDetection | None:
    """`similarity` (2, 3) takes pixels of the crop to pixels of the crop."""
    to_crop = np.vstack([face_transform(detection.keypoints_xy, _SIDE, _CROP), [0, 0, 1]])
    motion = np.linalg.inv(to_crop) @ np.vstack([similarity, [0, 0, 1]]) @ to_crop
    center = np.array([_SIDE, _SIDE]) / 2
    shift = similarity[:, :2] @ center + similarity[:, 2] - center
    scale = float(np.hypot(similarity[0, 0], similarity[1, 0]))
    if np.hypot(*shift) > _MAX_MOVED * _SIDE or not 1 / _MAX_SCALED < scale < _MAX_SCALED:
        return None
    keypoints = detection.keypoints_xy @ motion[:2, :2].T + motion[:2, 2]
    middle = (detection.box_xyxy[:2] + detection.box_xyxy[2:]) / 2
    half = (detection.box_xyxy[2:] - detection.box_xyxy[:2]) / 2 * scale
    middle = motion[:2, :2] @ middle + motion[:2, 2]
    borders = np.array([0, 0, *frame_wh])
    box = np.clip(np.concatenate([middle - half, middle + half]), 0, np.tile(frame_wh, 2))
    # A side that the detector cut off at the border stays there.
    box = np.where(detection.box_xyxy == borders, borders, box)
    if np.any(box[2:] <= box[:2]):
        return None
    return FaceDetection(box.astype(np.float32), keypoints.astype(np.float32), detection.confidence)
