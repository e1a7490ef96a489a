"""Image files, one by one or as a frame source."""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from fer_live.base.translation import tr
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")

_STILL_SHOWN_FOR_S = 2.0
_STILL_FPS = 10.0


class ImageSource:
    """One image file as a source of one frame."""

    n_frames: int | None = 1
    reconnects = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._frame: Frame | None = Frame(read_image(path), 0, 0.0)

    def read(self) -> Frame | None:
        frame, self._frame = self._frame, None
        return frame

    def close(self) -> None:
        self._frame = None


class Slideshow:
    """Images shown like a clip, two seconds each, over and over, on the monotonic clock."""

    n_frames: int | None = None
    reconnects = False

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self._paths = paths
        self._index = 0
        self._shown: tuple[Path, UInt8Array] | None = None

    def read(self) -> Frame | None:
        if self._index:
            time.sleep(1 / _STILL_FPS)
        turn = int(self._index / (_STILL_FPS * _STILL_SHOWN_FOR_S))
        path = self._paths[turn % len(self._paths)]
        if self._shown is None or self._shown[0] != path:
            self._shown = path, read_image(path)
        self._index += 1
        return Frame(self._shown[1], self._index - 1, time.monotonic())

    def close(self) -> None:
        self._shown = None


def read_image(path: Path) -> UInt8Array:
    """Read an image file as (H, W, 3) uint8 BGR, or raise `SourceError`."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise SourceError(tr("{path}: is not a regular file; name an image", path=path))
    try:
        content = np.fromfile(path, dtype=np.uint8)  # imread cannot open every path on Windows
    except OSError as error:
        raise SourceError(
            tr("{path}: cannot be read: {why}", path=path, why=error.strerror)
        ) from None
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except cv2.error:  # for instance a header that claims 60,000 pixels a side
        image = None
    if image is None:
        raise SourceError(tr("{path}: not an image that can be decoded", path=path))
    return np.asarray(image, dtype=np.uint8)


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, by name; `SourceError` where there is none."""
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(
            tr("{path}: cannot be read: {why}", path=folder, why=error.strerror)
        ) from None
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise SourceError(
            tr(
                "{folder}: no image in this folder ({suffixes})",
                folder=folder,
                suffixes=", ".join(IMAGE_SUFFIXES),
            )
        )
    return images
