"""One person's faces, kept so that they can be cut again; `collector` finds them.

Beside the crop that the model reads, each face has a wider and finer patch of its surroundings, so
that another crop of this person (closer, turned, lower) needs neither the clip nor the detector.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import CropGeometry

SEGMENT_S = 0.5
"""Faces of one clip that are closer in time are near copies, and count as one."""
MAX_OWN_FACES = 2000
_MAX_LARGER, _MAX_ROLL_DEGREES, _MAX_SHIFT_Y = 1.5, 20.0, 0.12
PATCH_SIDES = 4
"""Pixels of a patch to one of the crop; a patch shows twice the crop's width and height."""


@dataclass(frozen=True, slots=True)
class CropChange:
    """Another crop, relative to the present one: the face larger by `scale`, turned clockwise by
    `roll_degrees`, and lower by `shift_y` of the side."""

    scale: float = 1.0
    roll_degrees: float = 0.0
    shift_y: float = 0.0

    def applied_to(self, crop: CropGeometry) -> CropGeometry:
        """The geometry by which a live face is cut so."""
        return crop.model_copy(
            update={
                "eye_distance": round(crop.eye_distance * self.scale, 4),
                "eye_mouth_distance": round(crop.eye_mouth_distance * self.scale, 4),
                "center_y": round(crop.center_y + self.shift_y, 4),
                "roll_degrees": round(crop.roll_degrees + self.roll_degrees, 2),
            }
        )


def is_within_reach(crop: CropGeometry) -> bool:
    """Whether a crop is one that a camera and a face explain. A search that begins each time where
    the last one ended could otherwise walk away from the face, calibration by calibration."""
    usual = CropGeometry()
    larger = crop.eye_distance / usual.eye_distance
    return (
        1 / _MAX_LARGER <= larger <= _MAX_LARGER
        and abs(crop.roll_degrees - usual.roll_degrees) <= _MAX_ROLL_DEGREES
        and abs(crop.center_y - usual.center_y) <= _MAX_SHIFT_Y
    )


@dataclass(frozen=True, slots=True, eq=False)
class OwnFaces:
    """Faces of one person, one row per face.

    `crops` (N, S, S) uint8 as the model reads them; `patches` (N, 4 S, 4 S) uint8, twice as wide
    and high; `takes` (N,) str, the file of each; `times_s` (N,) within it. `skipped` has one line
    for each file that could not be used.
    """

    crops: UInt8Array
    patches: UInt8Array
    takes: NDArray[np.str_]
    times_s: NDArray[np.float64]
    skipped: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def segments(self) -> NDArray[np.int64]:
        """(N,) a number for each take and half second of it."""
        bins = np.floor(self.times_s / SEGMENT_S).astype(np.int64).astype(str)
        keys = np.char.add(np.char.add(self.takes, "@"), bins)
        return np.asarray(np.unique(keys, return_inverse=True)[1], dtype=np.int64).reshape(-1)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "OwnFaces":
        """Some of the faces, by mask or by row."""
        return OwnFaces(
            self.crops[chosen],
            self.patches[chosen],
            self.takes[chosen],
            self.times_s[chosen],
            self.skipped,
        )


def no_faces(side: int) -> OwnFaces:
    """None at all."""
    return crops_alone(np.empty((0, side, side), np.uint8), np.empty(0, np.str_))


def crops_alone(crops: UInt8Array, takes: NDArray[np.str_]) -> OwnFaces:
    """Faces (N, S, S) of which there is only the crop; around it, its edge is repeated."""
    side = crops.shape[1]
    patches = np.empty((len(crops), PATCH_SIDES * side, PATCH_SIDES * side), np.uint8)
    for row, crop in enumerate(crops):
        fine = cv2.resize(crop, (2 * side, 2 * side), interpolation=cv2.INTER_CUBIC)
        patches[row] = cv2.copyMakeBorder(fine, side, side, side, side, cv2.BORDER_REPLICATE)
    return OwnFaces(crops, patches, takes, np.zeros(len(crops)))


def joined(parts: Sequence[OwnFaces], side: int) -> OwnFaces:
    """All faces of all parts, or `MAX_OWN_FACES` of them, spread evenly."""
    parts = [no_faces(side), *parts]
    whole = OwnFaces(
        np.concatenate([part.crops for part in parts]),
        np.concatenate([part.patches for part in parts]),
        np.concatenate([part.takes for part in parts]),
        np.concatenate([part.times_s for part in parts]),
        tuple(line for part in parts for line in part.skipped),
    )
    if len(whole) <= MAX_OWN_FACES:
        return whole
    return whole.where(np.linspace(0, len(whole) - 1, MAX_OWN_FACES).astype(np.int64))


def cut_again(faces: OwnFaces, change: CropChange) -> UInt8Array:
    """The crops (N, S, S) of the same faces by another crop."""
    if change == CropChange():
        return faces.crops
    return cut_patches(faces.patches, change)


def cut_patches(patches: UInt8Array, change: CropChange) -> UInt8Array:
    """The crops (N, S, S) out of patches (N, 4 S, 4 S)."""
    side = patches.shape[1] // PATCH_SIDES
    matrix = _patch_to_crop(change, side)
    cut = np.empty((len(patches), side, side), np.uint8)
    for row, patch in enumerate(patches):
        twice = cv2.warpAffine(
            patch,
            matrix,
            (2 * side, 2 * side),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cut[row] = cv2.resize(twice, (side, side), interpolation=cv2.INTER_AREA)
    return cut


def _patch_to_crop(change: CropChange, side: int) -> NDArray[np.float64]:
    """From pixels of a patch to those of a crop of twice the side, (2, 3).

    In shares of the sides, the crop is the middle half of the patch; a face's middle stays where
    the default crop has it, or goes down by the shift.
    """
    crop = CropGeometry()
    middle = np.array([crop.center_x, crop.center_y])
    angle = np.radians(change.roll_degrees)
    cos, sin = change.scale * np.cos(angle), change.scale * np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    # share of the crop = turn @ (2 * (share of the patch) - 1/2 - middle) + middle + shift
    lower = middle + np.array([0, change.shift_y])
    shift = lower - turn @ (0.5 + middle)
    matrix = turn * (2 * 2 / PATCH_SIDES)
    edges = shift * 2 * side
    return np.column_stack([matrix, edges + matrix.sum(axis=1) * 0.5 - 0.5])
