"""Image files, one by one or as a frame source; Pillow reads all of them."""

import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from fer_live.base.translation import tr
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import LimitError, SourceError, TruncatedError
from fer_live.sources.content import IMAGE_FORMATS, IMAGE_SUFFIXES, open_image
from fer_live.sources.picture import refuse_pixels

__all__ = ["IMAGE_SUFFIXES", "ImageSource", "Slideshow", "read_image"]

_ANIMATED_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")
"""In others, further pictures are pages or smaller copies."""
_MIN_SHOWN_S = {"GIF": 0.02}
_SHOWN_S_WITHOUT_DURATION = 0.1
"""As browsers and FFmpeg do: a picture that is to be shown for no time at all stays so long."""
_STILL_SHOWN_FOR_S = 2.0
_STILL_FPS = 10.0
_STRIP_PIXELS = 1 << 20
MAX_PIXELS = 110_000_000
"""Of an image that costs as little to read as a photo: the largest of a phone's usual ones has 108
million. It takes a gigabyte."""
_USUAL_COST = 10
_COST = {"HEIF": 13, "AVIF": 13, "WEBP": 17, "JPEG2000": 25}
_COST_OF_ANIMATION = 24
"""Bytes a pixel at the highest point of reading, measured at 24 million pixels; of JPEG the
progressive ones, of JPEG 2000 those with transparency. HEIF has more for those in 10 bits."""

_ONE_SILENCES = threading.Lock()

# What Pillow says of a broken file, on stderr, is no help to a person; our own lines are.
warnings.filterwarnings("ignore", module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
logging.getLogger("PIL").addHandler(logging.NullHandler())


class ImageSource:
    """An image file: one frame, or those of an animation, each at its own time.

    One that was cut off is read as far as it goes, and `TruncatedError` raised after it.
    """

    reconnects = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._pictures = _pictures(path)
        self._next = next(self._pictures, None)
        self._index = 0
        self._is_cut = False
        self.n_frames: int | None = None if self._next is None else self._next.n

    def read(self) -> Frame | None:
        picture = self._next
        if picture is None:
            if self._is_cut:
                raise TruncatedError(
                    tr("{name}: is damaged or was cut off; read as far as it goes", name=self.name)
                )
            return None
        self._is_cut |= picture.is_cut
        self._next = next(self._pictures, None)
        self._index += 1
        return Frame(picture.image_bgr, self._index - 1, picture.time_s)

    def close(self) -> None:
        self._pictures.close()
        self._next = None


class Slideshow:
    """Images shown like a clip, two seconds each, over and over, on the monotonic clock. One that
    cannot be read is passed over; where none can, `SourceError` is raised."""

    n_frames: int | None = None
    reconnects = False

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self._paths = list(paths)
        self._index = 0
        self._shown: tuple[Path, UInt8Array] | None = None

    def read(self) -> Frame | None:
        if self._index:
            time.sleep(1 / _STILL_FPS)
        turn = int(self._index / (_STILL_FPS * _STILL_SHOWN_FOR_S))
        self._index += 1
        return Frame(self._image(turn), self._index - 1, time.monotonic())

    def close(self) -> None:
        self._shown = None

    def _image(self, turn: int) -> UInt8Array:
        while True:
            path = self._paths[turn % len(self._paths)]
            if self._shown is not None and self._shown[0] == path:
                return self._shown[1]
            try:
                self._shown = path, read_image(path)
            except SourceError:
                if len(self._paths) == 1:
                    raise
                self._paths.remove(path)


def read_image(path: Path) -> UInt8Array:
    """Read an image file as (H, W, 3) uint8 BGR, upright; the first picture of an animation, and
    what is there of one that was cut off. Raises `SourceError`."""
    with closing(_pictures(path)) as pictures:
        return next(pictures).image_bgr


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """A decoded picture, when it is shown in its animation, and of how many it is one."""

    image_bgr: UInt8Array
    time_s: float
    n: int
    is_cut: bool


def _pictures(path: Path) -> Generator[_Picture]:
    """Every picture of a file; an animation that breaks in its midst ends there, `is_cut`."""
    with open_image(path) as file:
        try:
            image = Image.open(file, formats=IMAGE_FORMATS)
            is_animated = image.format in _ANIMATED_FORMATS
            n = getattr(image, "n_frames", 1) if is_animated else 1
            refuse_large_image(path, image)
            image_bgr, is_cut = _decoded(image, is_last=n == 1)
        except LimitError:
            raise
        except Image.DecompressionBombError:
            raise LimitError(tr("{path}: has too many pixels", path=path)) from None
        except Exception:  # noqa: BLE001  # Pillow's readers raise anything on a broken file
            raise SourceError(tr("{path}: not an image that can be decoded", path=path)) from None
        if n == 1:
            yield _Picture(image_bgr, 0.0, 1, is_cut)
            return
        time_s = 0.0
        for index in range(1, n):
            yield _Picture(image_bgr, time_s, n, is_cut)
            time_s += _shown_for_s(image)
            try:
                image.seek(index)
                image_bgr, is_cut = _decoded(image, is_last=False)
            except Exception:  # noqa: BLE001  # as above
                yield _Picture(image_bgr, time_s, n, is_cut=True)
                return
        yield _Picture(image_bgr, time_s, n, is_cut)


def refuse_large_image(path: Path, image: Image.Image, max_pixels: int = MAX_PIXELS) -> None:
    """Raise `LimitError` for an opened image that would take more memory than one of `max_pixels`
    of a usual format: some decoders hold several copies, animations several pictures."""
    is_animated = image.format in _ANIMATED_FORMATS and getattr(image, "is_animated", False)
    cost = _COST_OF_ANIMATION if is_animated else _COST.get(image.format or "", _USUAL_COST)
    refuse_pixels(path, image.size, max_pixels * _USUAL_COST // cost)


def _decoded(image: Image.Image, *, is_last: bool) -> tuple[UInt8Array, bool]:
    """The picture that an opened image is at, and whether a part of it is missing."""
    is_cut = False
    with _libtiff_silenced() if image.format == "TIFF" else nullcontext():
        try:
            image.load()
        except (OSError, SyntaxError):
            if isinstance(image, ImageFile.ImageFile):
                image.tile = []  # what was decoded until then is in place, and wanted
            image.load()
            is_cut = True
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    image_bgr = _to_bgr(image)
    if is_last:
        image.close()  # before another copy is made
    image_bgr = _upright(image_bgr, orientation)
    if is_cut and _is_of_one_color(image_bgr):
        raise SyntaxError("not one pixel was decoded")
    return image_bgr, is_cut


@contextmanager
def _libtiff_silenced() -> Iterator[None]:
    """libtiff writes its own lines to the process's standard error, past Python."""
    with _ONE_SILENCES:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _to_bgr(image: Image.Image) -> UInt8Array:
    """(H, W, 3) uint8 BGR of an image in any mode; what is transparent is white.

    A strip at a time: every step makes a copy, and of a photo that would be gigabytes.
    """
    image_bgr = np.empty((image.height, image.width, 3), np.uint8)
    if image.mode.startswith("I") or image.mode == "F":
        scale = _scale_of(image)
        for rows, strip in _strips(image):
            image_bgr[rows] = _to_8_bits(np.asarray(strip), scale)[..., None]
        return image_bgr
    for rows, strip in _strips(image):
        image_bgr[rows] = _strip_to_bgr(strip)
    return image_bgr


def _strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    width, height = image.size
    n_rows = max(_STRIP_PIXELS // width, 1)
    for top in range(0, height, n_rows):
        bottom = min(top + n_rows, height)
        yield slice(top, bottom), image.crop((0, top, width, bottom))


def _strip_to_bgr(image: Image.Image) -> UInt8Array:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    image_rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _is_of_one_color(image_bgr: UInt8Array) -> bool:
    pixels = image_bgr.reshape(-1, 3)
    return bool((pixels.min(axis=0) == pixels.max(axis=0)).all())


def _upright(image_bgr: UInt8Array, orientation: int) -> UInt8Array:
    """As EXIF's orientation says: from 5 on rows and columns change places, then they are turned
    around; what is none of the eight is left alone."""
    if orientation not in range(2, 9):
        return image_bgr
    if orientation >= 5:
        image_bgr = image_bgr.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image_bgr = image_bgr[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image_bgr = image_bgr[::-1]
    return np.ascontiguousarray(image_bgr)


def _scale_of(image: Image.Image) -> float:
    """By what real numbers are multiplied: they go to 1 or to 255."""
    if image.mode != "F":
        return 1.0
    most = max(float(np.nan_to_num(np.asarray(strip)).max()) for _, strip in _strips(image))
    return 255.0 if most <= 1 else 1.0


def _to_8_bits(values: NDArray[Any], scale: float) -> UInt8Array:
    """Gray of 16 or 32 bits, or in real numbers."""
    if values.dtype.kind == "f":
        return np.asarray((np.nan_to_num(values) * scale).clip(0, 255), np.uint8)
    return np.asarray(values.clip(0, 65_535) // 256, np.uint8)


def _shown_for_s(image: Image.Image) -> float:
    """How long the picture of an animation that `image` is at stays."""
    duration_s = float(image.info.get("duration") or 0) / 1000
    is_too_short = duration_s < _MIN_SHOWN_S.get(image.format or "", 1e-3)
    return _SHOWN_S_WITHOUT_DURATION if is_too_short else duration_s
