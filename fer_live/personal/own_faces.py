"""One person's faces, out of clips, images and takes, kept so that they can be cut again.

Beside the crop that the model reads, each face has a wider and finer patch of its surroundings, so
that another crop of this person (closer, turned, lower) needs neither the clip nor the detector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FaceDetection, UInt8Array
from fer_live.errors import DataError, SourceError, TruncatedError
from fer_live.model.manifest import CropGeometry
from fer_live.sources.clip import ClipSource
from fer_live.sources.images import IMAGE_SUFFIXES, read_image
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector

CLIP_FILES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
SEGMENT_S = 0.5
"""Faces of one clip that are closer in time are near copies, and count as one."""
MAX_OWN_FACES = 2000
_LOOKS_PER_S = 4.0
_LOOKS_PER_S_IF_LONG = 2.0
_LONG_S = 120.0
_MAX_CROP_SIDE = 64
"""Pixels of a square image in which there is nothing left to cut away."""
_PATCH_SIDES = 4
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
    patches = np.empty((len(crops), _PATCH_SIDES * side, _PATCH_SIDES * side), np.uint8)
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
    side = patches.shape[1] // _PATCH_SIDES
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


def collect_own_faces(
    files: Sequence[Path], side: int, crop: CropGeometry, looks_per_s: float | None = None
) -> OwnFaces:
    """The largest face of each picture of some clips and images, cut as live.

    A clip is looked at `looks_per_s` times a second, by default four, a long one twice. A square
    image of at most 64 pixels, or a square one in which no face is found, is a crop already. A file
    that cannot be read, or has no face, is skipped and named in `skipped`.
    """
    parts: list[OwnFaces] = []
    skipped: list[str] = []
    with FaceDetector("auto") as detector:
        for file in files:
            try:
                found = _faces_of(file, detector, side, crop, looks_per_s)
            except (SourceError, TruncatedError) as error:
                skipped.append(str(error))
                continue
            parts.append(found)
            if len(found) == 0:
                skipped.append(f"{file}: no face in it")
    whole = joined(parts, side)
    return OwnFaces(whole.crops, whole.patches, whole.takes, whole.times_s, tuple(skipped))


def files_of_person(folder: Path) -> list[Path]:
    """The clips and images below `folder`, by name; `DataError` where there is none. Hidden folders
    are left out, because takes that nobody has reviewed lie in one."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    files = person_files(folder)
    if not files:
        raise DataError(f"{folder}: no clip and no image below this folder")
    return files


def person_files(folder: Path) -> list[Path]:
    """As `files_of_person`, but there may be none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (*CLIP_FILES, *IMAGE_SUFFIXES)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _faces_of(
    file: Path,
    detector: FaceDetector,
    side: int,
    crop: CropGeometry,
    looks_per_s: float | None,
) -> OwnFaces:
    detector.reset()
    if file.suffix.lower() not in IMAGE_SUFFIXES:
        cut = [
            (*_cut(image_bgr, largest, side, crop), time_s)
            for image_bgr, time_s in _looks(file, looks_per_s)
            if (largest := _largest(detector.detect(image_bgr, time_s))) is not None
        ]
        return _stacked(cut, file, side)
    image_bgr = read_image(file)
    height, width = image_bgr.shape[:2]
    is_square = height == width
    largest = None
    if not (is_square and width <= _MAX_CROP_SIDE):
        largest = _largest(detector.detect(image_bgr, 0.0))
    if largest is not None:
        return _stacked([(*_cut(image_bgr, largest, side, crop), 0.0)], file, side)
    if not is_square:
        return no_faces(side)
    gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    method = cv2.INTER_AREA if side < width else cv2.INTER_CUBIC
    face = np.asarray(cv2.resize(gray, (side, side), interpolation=method), dtype=np.uint8)
    return crops_alone(face[None], np.array([str(file)]))


def _looks(file: Path, looks_per_s: float | None) -> Iterator[tuple[UInt8Array, float]]:
    """Pictures of a clip and their times in seconds, fewer of a long one."""
    clip = ClipSource(file)
    next_s = 0.0
    try:
        while (frame := clip.read()) is not None:
            now_s = frame.captured_at_s
            if now_s >= next_s:
                a_second = _LOOKS_PER_S if now_s < _LONG_S else _LOOKS_PER_S_IF_LONG
                next_s = now_s + 1 / (looks_per_s or a_second)
                yield frame.image_bgr, now_s
    finally:
        clip.close()


def _largest(detections: Sequence[FaceDetection]) -> FaceDetection | None:
    return max(
        detections,
        key=lambda found: float(np.prod(found.box_xyxy[2:] - found.box_xyxy[:2])),
        default=None,
    )


def _cut(
    image_bgr: UInt8Array, found: FaceDetection, side: int, crop: CropGeometry
) -> tuple[UInt8Array, UInt8Array]:
    around = crop.model_copy(
        update={
            "eye_distance": crop.eye_distance / 2,
            "eye_mouth_distance": crop.eye_mouth_distance / 2,
            "center_x": 0.25 + crop.center_x / 2,
            "center_y": 0.25 + crop.center_y / 2,
        }
    )
    patch = align_face(image_bgr, found, _PATCH_SIDES * side, around)
    return align_face(image_bgr, found, side, crop), patch


def _stacked(
    cut: Sequence[tuple[UInt8Array, UInt8Array, float]], file: Path, side: int
) -> OwnFaces:
    if not cut:
        return no_faces(side)
    crops, patches, times_s = zip(*cut, strict=True)
    return OwnFaces(
        np.stack(crops), np.stack(patches), np.full(len(cut), str(file)), np.array(times_s)
    )


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
    matrix = turn * (2 * 2 / _PATCH_SIDES)
    edges = shift * 2 * side
    return np.column_stack([matrix, edges + matrix.sum(axis=1) * 0.5 - 0.5])
