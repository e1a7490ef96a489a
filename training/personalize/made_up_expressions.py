"""Expressions that nobody has labels of, made on a face by moving what it is made of.

Each takes a patch of a face, (4 S, 4 S) uint8 as `own_faces` cuts it, in which eyes and mouth lie
where the default crop has them, and gives one in which the same face shows something else.
"""

from collections.abc import Callable

import cv2
import numpy as np

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry

_CROP = CropGeometry()
_EYES_Y = _CROP.center_y - _CROP.eye_mouth_distance / 2
_MOUTH_Y = _CROP.center_y + _CROP.eye_mouth_distance / 2
_LEFT_X = _CROP.center_x - _CROP.eye_distance / 2
_RIGHT_X = _CROP.center_x + _CROP.eye_distance / 2


def wink(patch: UInt8Array) -> UInt8Array:
    """The eye at the image's left is closed: lid over it, a line of lashes, the cheek raised."""
    x, y = _grid(patch)
    eye_x, eye_y = _place(patch, _LEFT_X, _EYES_Y)
    half_w, half_h = 0.085 * len(patch), 0.055 * len(patch)
    across, down = (x - eye_x) / half_w, (y - eye_y) / half_h
    within = np.clip(1 - across**2 - down**2, 0, 1)
    edge = np.sqrt(np.clip(1 - across**2, 0, 1)) * (0.55 + 0.45 * np.clip(np.abs(down), 0, 1))
    skin_y = eye_y + 0.95 * half_h * np.where(down > 0, edge, -edge)
    lid = cv2.GaussianBlur(
        _read(patch, x, np.where(within > 0, skin_y, y)), (0, 0), 0.006 * len(patch)
    )
    lashes = np.exp(-(((down - 0.1) / 0.14) ** 2)) * (np.abs(across) < 0.8)
    share = np.clip(3 * within, 0, 1)
    closed = patch * (1 - share) + share * lid * (1 - 0.45 * lashes)
    cheek_y = _place(patch, 0, _EYES_Y + 0.2)[1]
    raised = _bump(x - eye_x, y - cheek_y, 0.1 * len(patch), 0.08 * len(patch))
    return _read(np.clip(closed, 0, 255).astype(np.uint8), x, y + 0.018 * len(patch) * raised)


def concentrating(patch: UInt8Array) -> UInt8Array:
    """Both brows low and together."""
    x, y = _grid(patch)
    moved_x, moved_y = np.zeros_like(x), np.zeros_like(y)
    for eye_x, inwards in ((_LEFT_X, 1), (_RIGHT_X, -1)):
        brow_x, brow_y = _place(patch, eye_x + 0.05 * inwards, _EYES_Y - 0.1)
        near = _bump(x - brow_x, y - brow_y, 0.08 * len(patch), 0.045 * len(patch))
        moved_x -= 0.022 * len(patch) * inwards * near
        moved_y -= 0.028 * len(patch) * near
    return _read(patch, x + moved_x, y + moved_y)


def mouth_left(patch: UInt8Array) -> UInt8Array:
    """The mouth pulled to the image's left."""
    x, y = _grid(patch)
    mouth_x, mouth_y = _place(patch, _CROP.center_x, _MOUTH_Y)
    near = _bump(x - mouth_x, y - mouth_y, 0.16 * len(patch), 0.07 * len(patch))
    return _read(patch, x + 0.05 * len(patch) * near, y + 0.2 * (x - mouth_x) * near)


def cheeks_blown(patch: UInt8Array) -> UInt8Array:
    """Round cheeks and a small mouth."""
    x, y = _grid(patch)
    moved_x, moved_y = np.zeros_like(x), np.zeros_like(y)
    for side in (-1, 1):
        cheek_x, cheek_y = _place(patch, _CROP.center_x + 0.2 * side, _MOUTH_Y - 0.02)
        near = _bump(x - cheek_x, y - cheek_y, 0.09 * len(patch), 0.09 * len(patch))
        moved_x -= 0.45 * (x - cheek_x) * near
        moved_y -= 0.25 * (y - cheek_y) * near
    mouth_x, mouth_y = _place(patch, _CROP.center_x, _MOUTH_Y)
    near = _bump(x - mouth_x, y - mouth_y, 0.1 * len(patch), 0.05 * len(patch))
    return _read(patch, x + moved_x + 0.5 * (x - mouth_x) * near, y + moved_y)


MADE_UP: dict[str, Callable[[UInt8Array], UInt8Array]] = {
    "wink": wink,
    "concentrating": concentrating,
    "mouth left": mouth_left,
    "cheeks blown": cheeks_blown,
}


def _grid(patch: UInt8Array) -> tuple[FloatArray, FloatArray]:
    y, x = np.mgrid[: len(patch), : len(patch)].astype(np.float32)
    return x, y


def _place(patch: UInt8Array, x: float, y: float) -> tuple[float, float]:
    """Where a point of the crop, in shares of its side, lies in a patch, which is twice as wide."""
    return (0.25 + x / 2) * len(patch), (0.25 + y / 2) * len(patch)


def _bump(away_x: FloatArray, away_y: FloatArray, width: float, height: float) -> FloatArray:
    """1 in the middle, falling off smoothly."""
    return np.asarray(np.exp(-((away_x / width) ** 2) - (away_y / height) ** 2), np.float32)


def _read(patch: UInt8Array, x: FloatArray, y: FloatArray) -> UInt8Array:
    """The picture whose every pixel is read from (x, y)."""
    maps = np.asarray(x, np.float32), np.asarray(y, np.float32)
    return np.asarray(
        cv2.remap(patch, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
