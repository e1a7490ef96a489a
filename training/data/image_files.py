"""Reads face crops in image files, and finds the faces of photos and clips as the app does."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError, SourceError, TruncatedError
from fer_live.model.manifest import CropGeometry
from fer_live.personal.collector import CLIP_SUFFIXES
from fer_live.plain_text import say
from fer_live.sources.folder import is_companion, promises_image
from fer_live.sources.images import read_image
from fer_live.sources.open import open_source
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from training.data.labeled_images import FaceImages, resize_faces

_CLIP_FACES_PER_S = 5.0
"""Faces of one clip that are closer in time hardly differ."""


def read_gray_face(file: Path, side: int) -> UInt8Array:
    """Read an image file that is a face crop already, as (side, side) uint8 gray."""
    gray = cv2.cvtColor(read_image(file), cv2.COLOR_BGR2GRAY)
    batch = np.asarray(gray, dtype=np.uint8)[None]
    return np.asarray(resize_faces(batch, side)[0], dtype=np.uint8)


def read_crops(
    name: str, n: int, read: Callable[[int], UInt8Array], side: int
) -> tuple[UInt8Array, NDArray[np.bool_]]:
    """Call `read(i)` for every i < n, several at a time.

    Returns the images (K, side, side) uint8, and which K of the n they are, (n,) bool. A file that
    cannot be read is skipped and counted, and the first one is named on stderr. `DataError` where
    none can be read.
    """

    def try_to_read(index: int) -> UInt8Array | SourceError:
        try:
            return read(index)
        except SourceError as error:
            return error

    with ThreadPoolExecutor() as pool:
        shown = tqdm(pool.map(try_to_read, range(n)), total=n, desc=name, unit="img", disable=None)
        results = list(shown)
    faces = [result for result in results if not isinstance(result, SourceError)]
    errors = [result for result in results if isinstance(result, SourceError)]
    if not faces:
        raise DataError(f"{name}: none of {n} images can be read; the first: {errors[0]}")
    if errors:
        say(f"{name}: skipped {len(errors)} of {n} images: {errors[0]}", to=sys.stderr)
    readable = np.array([not isinstance(result, SourceError) for result in results])
    return np.asarray(faces, dtype=np.uint8).reshape(-1, side, side), readable


def load_image_folder(folder: Path, side: int) -> FaceImages:
    """Every image below `folder`, by its content, as a face crop."""
    files = files_below(folder, "image")
    images, readable = read_crops(
        f"images {folder.name}", len(files), lambda i: read_gray_face(files[i], side), side
    )
    return FaceImages(f"images {folder.name}", images, _names(files, folder)[readable])


def load_photos(folder: Path, side: int) -> FaceImages:
    """Every face that the app's detector finds in the photos below `folder`, cut as live."""
    return _detected("photos", folder, side, _photo)


def load_clips(folder: Path, side: int) -> FaceImages:
    """Every face in the clips below `folder`, five times a second, cut as the app does."""
    return _detected("clips", folder, side, clip_frames)


def load_clip(file: Path, side: int) -> UInt8Array:
    """Every face in one clip, (N, side, side), five times a second, cut as the app does."""
    with FaceDetector("auto") as detector:
        faces = [
            align_face(image_bgr, found, side, CropGeometry())
            for image_bgr, time_s in clip_frames(file)
            for found in detector.detect(image_bgr, time_s)
        ]
    if not faces:
        raise DataError(f"{file}: no face found in it")
    return np.asarray(faces, dtype=np.uint8)


def files_below(folder: Path, kind: Literal["image", "clip"]) -> list[Path]:
    """All such files in `folder` and its folders, by name; `DataError` where there is none.

    What an image is is told by its content; a clip is what is called like one, for to open every
    other file would take minutes.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not is_companion(path))
    is_wanted = promises_image if kind == "image" else _promises_clip
    files = [path for path in found if is_wanted(path)]
    if not files:
        raise DataError(f"{folder}: no {kind} below this folder")
    return files


def _promises_clip(file: Path) -> bool:
    return file.suffix.lower() in CLIP_SUFFIXES


def _detected(
    kind: str,
    folder: Path,
    side: int,
    frames: Callable[[Path], Iterator[tuple[UInt8Array, float]]],
) -> FaceImages:

    files = files_below(folder, "clip" if kind == "clips" else "image")
    faces: list[UInt8Array] = []
    ids: list[str] = []
    errors: list[SourceError | TruncatedError] = []
    with FaceDetector("auto") as detector:
        for file in tqdm(files, desc=f"finding faces in {kind}", unit="file", disable=None):
            detector.reset()
            try:
                for image_bgr, time_s in frames(file):
                    for index, found in enumerate(detector.detect(image_bgr, time_s)):
                        faces.append(align_face(image_bgr, found, side, CropGeometry()))
                        ids.append(f"{file.relative_to(folder).as_posix()}@{time_s:.2f}s#{index}")
            except (SourceError, TruncatedError) as error:
                errors.append(error)
    if errors:
        say(f"{folder}: skipped {len(errors)} of {len(files)} {kind}: {errors[0]}", to=sys.stderr)
    if not faces:
        raise DataError(f"{folder}: no face found in its {len(files)} {kind}")
    return FaceImages(f"{kind} {folder.name}", np.asarray(faces, dtype=np.uint8), np.array(ids))


def _photo(file: Path) -> Iterator[tuple[UInt8Array, float]]:
    yield read_image(file), 0.0


def clip_frames(file: Path, per_s: float = _CLIP_FACES_PER_S) -> Iterator[tuple[UInt8Array, float]]:
    """Frames (H, W, 3) of a clip and their times, at most `per_s` a second; raises what a source
    raises."""
    last_s: float | None = None
    with closing(open_source(str(file))) as clip:
        while (frame := clip.read()) is not None:
            time_s = frame.captured_at_s
            # A clock that goes back begins anew, as in a file of two parts.
            if last_s is None or not 0 <= time_s - last_s < 1 / per_s:
                last_s = time_s
                yield frame.image_bgr, time_s


def _names(files: list[Path], folder: Path) -> NDArray[np.str_]:
    return np.array([file.relative_to(folder).as_posix() for file in files])
