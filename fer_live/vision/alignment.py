"""One face crop, everywhere: evaluation, retraining and the live app all call this."""

import math

import cv2
import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry

LEFT_EYE, RIGHT_EYE, MOUTH = 0, 1, 3
"""Rows of `FaceDetection.keypoints_xy`, left and right as seen in the image."""

_MAX_SUPERSAMPLING = 8


def face_transform(keypoints_xy: FloatArray, side: int, crop: CropGeometry) -> FloatArray:
    """The similarity that takes frame pixels to crop pixels, as a (2, 3) float32 matrix.

    Roll comes from the line of the eyes. Scale is the larger of eye distance and eye-to-mouth
    distance, each relative to its place in the crop: turning the head shortens the first, nodding
    the second, so their maximum keeps the face's size (measured on FER2013: it spreads by 0.187 in
    log scale, eye distance alone by 0.252). The point midway between eyes and mouth goes to the
    crop's centre point. A crop of one person may be turned by some degrees more.
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
    roll = math.atan2(float(eye_line[1]), float(eye_line[0])) - math.radians(crop.roll_degrees)
    cos, sin = scale * math.cos(roll), scale * math.sin(roll)
    rotation = np.array([[cos, sin], [-sin, cos]])
    target = np.array([crop.center_x, crop.center_y]) * side
    shift = target - rotation @ ((between_eyes + mouth) / 2)
    return np.column_stack([rotation, shift]).astype(np.float32)


def align_face(
    image_bgr: UInt8Array, detection: FaceDetection, side: int, crop: CropGeometry
) -> UInt8Array:
    """Cut one upright gray face of `side` pixels out of a frame: (side, side) uint8.

    A face larger than the crop is averaged down, as a photo is shrunk; plain bilinear sampling
    would alias and differ from the training images. Averaging happens in two steps, by a whole
    factor before the warp and by two after it, which costs a third of doing all of it after.
    Beyond the frame's edge its last pixels are repeated.
    """
    transform = face_transform(detection.keypoints_xy, side, crop)
    shrink = 1 / max(float(np.hypot(transform[0, 0], transform[0, 1])), 1e-6)
    before, after = max(int(shrink / 2), 1), 2 if shrink >= 1.5 else 1
    region, left, top = _gray_region(image_bgr, transform, side, before)
    # From the region's pixels to the crop's; from pixel edges, which the detector counts from, to
    # pixel centres, which OpenCV counts from.
    matrix = transform[:, :2] * (before * after)
    shift = after * (transform[:, :2] @ (left, top) + transform[:, 2])
    shift += matrix.sum(axis=1) * 0.5 - 0.5
    face = cv2.warpAffine(
        region,
        np.column_stack([matrix, shift]),
        (side * after, side * after),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if after > 1:
        face = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(face, dtype=np.uint8)


def _gray_region(
    image_bgr: UInt8Array, transform: FloatArray, side: int, shrink: int
) -> tuple[UInt8Array, int, int]:
    """The part of the frame that a crop reads, gray and shrunk, and its left and top there."""
    height, width = image_bgr.shape[:2]
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) - transform[:, 2]
    places = corners @ np.linalg.inv(transform[:, :2]).T
    left, right = _span(places[:, 0], width, shrink)
    top, bottom = _span(places[:, 1], height, shrink)
    region = cv2.cvtColor(image_bgr[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    if shrink > 1:
        size_wh = max((right - left) // shrink, 1), max((bottom - top) // shrink, 1)
        region = cv2.resize(region, size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(region, dtype=np.uint8), left, top


def _span(places: FloatArray, limit: int, shrink: int) -> tuple[int, int]:
    """Whole pixels around all places, within 0..limit, as many as a multiple of `shrink`."""
    margin = 2 * shrink
    start = min(max(math.floor(places.min()) - margin, 0), limit - 1)
    stop = max(min(math.ceil(places.max()) + margin, limit), start + 1)
    return start, stop - (stop - start) % shrink if stop - start >= shrink else stop
