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
    # Plain numbers: arrays of two cost ten times as much, and this runs for every face.
    (left_x, left_y), (right_x, right_y) = keypoints_xy[[LEFT_EYE, RIGHT_EYE]].tolist()
    mouth_x, mouth_y = keypoints_xy[MOUTH].tolist()
    between_x, between_y = (left_x + right_x) / 2, (left_y + right_y) / 2
    face_size = max(
        math.hypot(right_x - left_x, right_y - left_y) / crop.eye_distance,
        math.hypot(mouth_x - between_x, mouth_y - between_y) / crop.eye_mouth_distance,
        1e-3,  # all keypoints in one place: still a finite transform
    )
    scale = side / face_size
    roll = math.atan2(right_y - left_y, right_x - left_x) - math.radians(crop.roll_degrees)
    cos, sin = scale * math.cos(roll), scale * math.sin(roll)
    middle_x, middle_y = (between_x + mouth_x) / 2, (between_y + mouth_y) / 2
    shift_x = crop.center_x * side - cos * middle_x - sin * middle_y
    shift_y = crop.center_y * side + sin * middle_x - cos * middle_y
    return np.array([[cos, sin, shift_x], [-sin, cos, shift_y]], np.float32)


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
    (cos, sin, shift_x), (_, _, shift_y) = transform.tolist()
    shrink = 1 / max(math.hypot(cos, sin), 1e-6)
    before, after = max(int(shrink / 2), 1), 2 if shrink >= 1.5 else 1
    region, left, top = _gray_region(image_bgr, transform, side, before)
    # From the region's pixels to the crop's; from pixel edges, which the detector counts from, to
    # pixel centres, which OpenCV counts from.
    shift_x = after * (cos * left + sin * top + shift_x)
    shift_y = after * (-sin * left + cos * top + shift_y)
    cos, sin = cos * before * after, sin * before * after
    shift_x, shift_y = shift_x + (cos + sin) / 2 - 0.5, shift_y + (cos - sin) / 2 - 0.5
    face = cv2.warpAffine(
        region,
        np.array([[cos, sin, shift_x], [-sin, cos, shift_y]]),
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
    (cos, sin, shift_x), (_, _, shift_y) = transform.tolist()
    area = max(cos * cos + sin * sin, 1e-12)
    corners = [(x - shift_x, y - shift_y) for x in (0, side) for y in (0, side)]
    left, right = _span([(cos * x - sin * y) / area for x, y in corners], width, shrink)
    top, bottom = _span([(sin * x + cos * y) / area for x, y in corners], height, shrink)
    region = cv2.cvtColor(image_bgr[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    if shrink > 1:
        size_wh = max((right - left) // shrink, 1), max((bottom - top) // shrink, 1)
        region = cv2.resize(region, size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(region, dtype=np.uint8), left, top


def _span(places: list[float], limit: int, shrink: int) -> tuple[int, int]:
    """Whole pixels around all places, within 0..limit, as many as a multiple of `shrink`."""
    margin = 2 * shrink
    start = min(max(math.floor(min(places)) - margin, 0), limit - 1)
    stop = max(min(math.ceil(max(places)) + margin, limit), start + 1)
    return start, stop - (stop - start) % shrink if stop - start >= shrink else stop
