"""What a file is, told by its first bytes; its name never decides."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal

import pillow_heif
from PIL import Image

from fer_live.base.regular_file import open_regular
from fer_live.base.translation import tr
from fer_live.errors import SourceError
from fer_live.sources.playlist import PLAYLIST_HEAD

Kind = Literal["image", "video", "playlist"]

IMAGE_FORMATS = (*("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "GIF", "BMP", "JPEG2000", "PPM"),)
"""What Pillow is asked for. It knows more, among them MPEG, of which it reads a header alone."""

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
    *(".gif", ".apng", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".pgm", ".ppm"),
)
"""Names that promise an image. What a file is is told by its content, see `kind_of`."""

_N_BYTES_OF_A_HEAD = 64
_JPEG_HEAD, _JPEG_JOINT = b"\xff\xd8\xff", b"\xff\xd9\xff\xd8\xff"
_SEARCHED_BYTES = 4 << 20
_MAX_IMAGE_BYTES = 1 << 30
"""The largest picture here, 179 million pixels, not packed, at two bytes a colour."""
_MIN_JOINTS = 3
"""Some phones put one or two more JPEGs behind a photo; motion JPEG is a row of many."""

pillow_heif.register_heif_opener()
Image.init()


def kind_of(path: Path) -> Kind:
    """Whether a file holds an image (also an animated one), or lists a video's parts as HTTP live
    streaming does. Whatever is neither is left to the video decoder, which has the last word.

    Raises `SourceError` where the file cannot be read at all.
    """
    with open_file(path) as file:
        head = file.read(_N_BYTES_OF_A_HEAD)
        if head.startswith(_JPEG_HEAD):
            is_motion_jpeg = file.read(_SEARCHED_BYTES).count(_JPEG_JOINT) >= _MIN_JOINTS
            return "video" if is_motion_jpeg else "image"
    if head.startswith(PLAYLIST_HEAD):
        return "playlist"
    return "image" if is_image(head) else "video"


def is_image(head: bytes) -> bool:
    """Whether a file that begins like this is an image of a format that can be read."""
    accepts = (Image.OPEN[name][1] for name in IMAGE_FORMATS if name in Image.OPEN)
    # An opener answers with a text where the format is right but its library is missing.
    return any(accept is not None and accept(head) is True for accept in accepts)


def open_image(path: Path) -> BinaryIO:
    """As `open_file`, of a size that an image may have: what searches a larger one for a picture
    takes minutes."""
    return open_file(path, _MAX_IMAGE_BYTES)


def open_file(path: Path, max_bytes: int | None = None) -> BinaryIO:
    """Open a regular file that is not empty, or raise `SourceError` that says why it is none."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceError(tr("{path}: is a folder; name a file", path=path))
        if not stat.S_ISREG(mode):  # a pipe would be waited for, a device may never end
            raise SourceError(tr("{path}: is not a regular file; name a file", path=path))
        file = open_regular(path, max_bytes)
    except FileNotFoundError:
        raise SourceError(tr("{path}: no such file", path=path)) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL byte
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(tr("{path}: cannot be read: {why}", path=path, why=why)) from None
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise SourceError(tr("{path}: is empty", path=path))
    return file
