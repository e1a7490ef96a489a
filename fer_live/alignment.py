"""One face crop, everywhere: evaluation, retraining and the live app all call this."""

import math

import cv2
import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, UInt8Array
from fer_live.manifest import CropGeometry

LEFT_EYE, RIGHT_EYE, MOUTH = 0, 1, 3
"""Rows of `FaceDetection.keypoints_xy`, left and right as seen in the image."""

_MAX_SUPERSAMPLING = 8


def face_transform(keypoints_xy: FloatArray, side: int, crop: CropGeometry) -> FloatArray:
    """The similarity that takes frame pixels to crop pixels, as a (2, 3) float32 matrix.

    Roll comes from the line of the eyes. Scale is the larger of eye distance and eye-to-mouth
    distance, each relative to its place in the crop: turning the head shortens the first, nodding
    the second, so their maximum keeps the face's size (measured on FER2013: it spreads by 0.187 in
    log scale, eye distance alone by 0.252). The point midway between eyes and mouth goes to the
    crop's centre point.
    """
    left_eye, right_eye = keypoints_xy[LEFT_EYE], keypoints_xy[RIGHT_EYE]
    mouth = keypoints_xy[MOUTH]
    between_eyes = (left_eye + right_eye) / 2
    eye_line = right_eye - left_eye
    face_size = max(
        float(np.hypot(*eye_line)) / crop.eye_distance,
        float(np.hypot(*(mouth - between_eyes))) / crop.eye_mouth_distance,
        1e-3,  # all keypoints in one place: still a finite transform
    )
    scale = side / face_size
    roll = math.atan2(float(eye_line[1]), float(eye_line[0]))
    cos, sin = scale * math.cos(roll), scale * math.sin(roll)
    rotation = np.array([[cos, sin], [-sin, cos]])
    target = np.array([crop.center_x, crop.center_y]) * side
    shift = target - rotation @ ((between_eyes + mouth) / 2)
    return np.column_stack([rotation, shift]).astype(np.float32)


def align_face(
    image_bgr: UInt8Array, detection: FaceDetection, side: int, crop: CropGeometry
) -> UInt8Array:
    """Cut one upright gray face of `side` pixels out of a frame: (side, side) uint8.

    A face larger than the crop is sampled finer first and averaged down, as a photo is shrunk;
    plain bilinear sampling would alias and differ from the training images. Beyond the frame's
    edge its last pixels are repeated.
    """
    transform = face_transform(detection.keypoints_xy, side, crop)
    shrink = 1 / max(float(np.hypot(transform[0, 0], transform[0, 1])), 1e-6)
    factor = min(max(round(shrink), 1), _MAX_SUPERSAMPLING)
    fine = transform * factor
    # OpenCV counts from pixel centres, the detector from pixel edges: half a pixel each way.
    fine[:, 2] += fine[:, :2].sum(axis=1) * 0.5 - 0.5
    face_bgr = cv2.warpAffine(
        image_bgr,
        fine,
        (side * factor, side * factor),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if factor > 1:
        face_bgr = cv2.resize(face_bgr, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(face_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
