"""Data sets by their name on the command line and in configs: `KIND:FOLDER`."""

from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError
from fer_live.image_files import IMAGE_SUFFIXES, read_image
from training.data.fer2013 import Fer2013, load_fer2013
from training.data.labeled_images import resize_faces


def split_source(source: str, kinds: tuple[str, ...]) -> tuple[str, Path]:
    """`KIND:FOLDER` -> (kind, folder); `DataError` for another kind or a missing folder."""
    kind, separator, folder = source.partition(":")
    if not separator or kind not in kinds or not folder:
        allowed = " or ".join(f"{name}:DIR" for name in kinds)
        raise DataError(f"{source}: not a data set; write {allowed}")
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder")
    return kind, path


def load_training_source(source: str) -> Fer2013:
    """The data set that a config trains on."""
    _, folder = split_source(source, ("fer2013",))
    return load_fer2013(folder)


def load_calibration_faces(source: str, side: int, n: int) -> UInt8Array:
    """`n` faces (or all, if fewer) spread evenly over the training images: (n, side, side) uint8.

    `folder:DIR` takes every image below DIR as a face crop, whatever its folder is called.
    """
    kind, folder = split_source(source, ("fer2013", "folder"))
    if kind == "fer2013":
        images = load_fer2013(folder).select("Training", "fer2013").images
        chosen = np.asarray(images[_spread(len(images), n)], dtype=np.uint8)
        faces: UInt8Array = resize_faces(chosen, side)
        return faces
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{folder}: no image below this folder ({', '.join(IMAGE_SUFFIXES)})")
    sample = [files[index] for index in _spread(len(files), n)]
    return np.array([read_gray_face(file, side) for file in sample], dtype=np.uint8)


def read_gray_face(file: Path, side: int) -> UInt8Array:
    """An image file that is a face crop already, as (side, side) uint8 gray."""
    gray = cv2.cvtColor(read_image(file), cv2.COLOR_BGR2GRAY)
    batch = np.asarray(gray, dtype=np.uint8)[None]
    return np.asarray(resize_faces(batch, side)[0], dtype=np.uint8)


def _spread(total: int, n: int) -> list[int]:
    return [int(i) for i in np.linspace(0, total - 1, min(n, total)).round()]
