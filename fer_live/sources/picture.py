"""From a decoded frame to the picture a person would see: upright, square pixels, 8 bits."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import LimitError

_MAX_PIXEL_STRETCH = 8
"""A pixel that is said to be longer than this is a mistake in the header."""
_MAX_SIDE = 16_384
_KNOWN_MATRICES = {0, 1, 2, 4, 5, 6, 7, 9}
"""The color matrices (H.273, table 4) that FFmpeg converts; of another it makes an error instead of
a picture."""
_UNSPECIFIED = 2
_NEAREST_MATRIX = {10: 9, 14: 9}
"""BT.2020 with constant luminance, and ICtCp, which begins with the same primaries."""


class PictureMaker:
    """Makes (H, W, 3) uint8 BGR of decoded frames, which may change size, format and shape.

    The plain conversion of the color matrix: the tags of HDR video (HLG, PQ, BT.2020 primaries) ask
    for a tone mapping that costs nine times as much and that a gray crop of a face does not need.
    """

    def __init__(self, n_threads: int = 0) -> None:
        """`n_threads` convert; 0 takes all cores."""
        self._n_threads = n_threads
        self._matrix: tuple[int, int, int, int] | None = None
        self._has_looked = False
        self._stored: tuple[int, int, Fraction | None] = (0, 0, None)
        self._size_wh = (0, 0)
        # One for all frames: setting it up costs as much as a small picture.
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, pixel_shape: Fraction | None) -> UInt8Array:
        """`pixel_shape` is a pixel's width by its height; None is square."""
        if frame.colorspace not in _KNOWN_MATRICES:
            frame.colorspace = _NEAREST_MATRIX.get(frame.colorspace, _UNSPECIFIED)
        stored = frame.width, frame.height, pixel_shape
        if stored != self._stored:  # to reckon with fractions costs as much as to cut out a face
            self._stored, self._size_wh = stored, square_pixel_size(*stored)
        width, height = self._size_wh
        converted = self._reformatter.reformat(
            frame,
            width,
            height,
            "bgr24",
            interpolation=Interpolation.BILINEAR,
            threads=self._n_threads,
        )
        # A view of the decoder's memory, whose rows may be padded: to copy them costs as much as to
        # decode a small picture.
        if frame.key_frame or not self._has_looked:
            self._matrix, self._has_looked = _display_matrix(frame), True
        return _upright(np.asarray(converted.to_ndarray(), np.uint8), self._matrix)


def refuse_pixels(where: object, size_wh: tuple[int, int], max_pixels: int) -> None:
    """Raise `LimitError` for a picture with more pixels."""
    width, height = size_wh
    if width * height > max_pixels:
        raise LimitError(
            tr(
                "{path}: has {width} x {height} pixels, more than {limit} million; make it smaller",
                path=where,
                width=width,
                height=height,
                limit=f"{max_pixels / 1e6:.3g}",
            )
        )


def square_pixel_size(width: int, height: int, pixel_shape: Fraction | None) -> tuple[int, int]:
    """The size in square pixels. The height stays, as players have it."""
    if not pixel_shape or not 1 / _MAX_PIXEL_STRETCH <= pixel_shape <= _MAX_PIXEL_STRETCH:
        return width, height
    return min(max(round(width * pixel_shape), 1), max(width, _MAX_SIDE)), height


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int] | None:
    """a, b, c, d of the 3x3 matrix that takes a stored pixel to where it is shown; None: as stored.

    PyAV's own `rotation` leaves out that a picture may be mirrored too.
    """
    side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return None
    matrix = np.frombuffer(side_data, np.int32)
    return (int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4]))


def _upright(image: UInt8Array, matrix: tuple[int, int, int, int] | None) -> UInt8Array:
    """Turned and mirrored by quarters, as the matrix says; other angles are left alone."""
    if matrix is None:
        return image
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):  # x and y change places
        image = image.transpose(1, 0, 2)
        is_mirrored, is_upside_down = c < 0, b < 0
    else:
        is_mirrored, is_upside_down = a < 0, d < 0
    if is_mirrored:
        image = image[:, ::-1]
    return np.ascontiguousarray(image[::-1] if is_upside_down else image)
