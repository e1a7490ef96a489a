"""The band of colours of one face, painted column by column into a ring of pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from fer_live.datatypes import FloatArray
from fer_live.recording.episodes import Times

Pixels = NDArray[np.uint32]
_LINE_PX = 2.0


@dataclass(frozen=True, slots=True)
class BandLook:
    """How bands are painted.

    Args:
        colors: One for each label.
        edge: Of the line around what is filled, so that pale colours are told from the ground.
        is_on: Whether each label is painted; the others keep their heights.
        as_lines: Whether each label is a line of its own, in place of a stack.
    """

    colors: tuple[QColor, ...]
    edge: QColor
    is_on: tuple[bool, ...]
    as_lines: bool = False


class Band:
    """A column of pixels per stretch of `column_s` seconds, counted from time 0.

    Only columns that were not in the picture before are painted, so that scrolling costs as little
    at any length; zooming paints those of one screen.
    """

    def __init__(self) -> None:
        self._ring: Pixels = np.zeros((0, 0), np.uint32)
        self._image = QImage()
        self._look: BandLook | None = None
        self._column_s = 0.0
        self._begin = self._end = 0
        self.n_painted = 0
        """Columns painted until now, for measuring."""

    def forget(self) -> None:
        """Another curve: paint all anew next time."""
        self._begin = self._end = 0

    def show(
        self,
        size_wh: tuple[int, int],
        look: BandLook,
        first: int,
        column_s: float,
        columns: Callable[[Times], FloatArray],
        final_s: float,
    ) -> None:
        """Have the columns from `first` on, as many as the width.

        Args:
            size_wh: In pixels of the screen.
            look: How they are painted.
            first: The number of the leftmost column.
            column_s: The seconds that a column stands for.
            columns: Gives the probabilities between edges, as `CurveLevels.columns` does.
            final_s: Columns that end later may still change, and are painted anew next time.
        """
        width, height = size_wh
        if self._ring.shape != (height, width):
            self._ring = np.zeros((height, width), np.uint32)
            self.forget()
            data = self._ring.data
            form = QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(data, width, height, 4 * width, form)  # type: ignore[call-overload]
        if look != self._look or column_s != self._column_s:
            self._look, self._column_s = look, column_s
            self.forget()
        last = first + width
        begin, end = max(self._begin, first), min(self._end, last)
        if begin >= end:
            self._paint(first, last, columns)
        else:
            self._paint(first, begin, columns)
            self._paint(end, last, columns)
        self._begin, self._end = first, max(min(last, int(final_s // column_s)), first)

    def draw(self, painter: QPainter, area: QRectF, first: int) -> None:
        """Draw the columns into `area`; the leftmost is the `first` of `show`."""
        height, width = self._ring.shape
        if not width or not height:
            return
        split = first % width
        share = (width - split) / width * area.width()
        left = QRectF(area.left(), area.top(), share, area.height())
        right = QRectF(area.left() + share, area.top(), area.width() - share, area.height())
        painter.drawImage(left, self._image, QRectF(split, 0, width - split, height))
        if split:
            painter.drawImage(right, self._image, QRectF(0, 0, split, height))

    def _paint(self, begin: int, end: int, columns: Callable[[Times], FloatArray]) -> None:
        if begin >= end:
            return
        assert self._look is not None
        height, width = self._ring.shape
        # One more to the left, from which lines and edges come.
        edges_s = np.arange(begin - 1, end + 1, dtype=np.float64) * self._column_s
        paint = _lines if self._look.as_lines else _stack
        pixels = paint(columns(edges_s), height, self._look)
        split = begin % width
        n_right = min(end - begin, width - split)
        self._ring[:, split : split + n_right] = pixels[:, :n_right]
        self._ring[:, : end - begin - n_right] = pixels[:, n_right:]
        self.n_painted += end - begin


def _stack(probs: FloatArray, height: int, look: BandLook) -> Pixels:
    """(height, N) pixels of N + 1 columns (N + 1, C), the first of which lies to the left."""
    shares = np.nan_to_num(probs) * np.array(look.is_on, np.float32)
    tops = np.cumsum(shares, axis=1) * height
    above = (height - 0.5 - np.arange(height, dtype=np.float32))[:, None]
    places = np.zeros((height, len(tops) - 1), np.uint8)
    for top in tops[1:].T:
        places += top[None, :] <= above
    colors = np.array([*(_argb(color) for color in look.colors), 0], np.uint32)
    pixels = colors[places]
    total = tops[:, -1]
    edge = _argb(look.edge)
    is_top = (total[1:] > above) & (total[1:] - 1 <= above)
    pixels[is_top] = edge
    is_side = (total[1:] > 0) != (total[:-1] > 0)
    reach = np.maximum(total[1:], total[:-1])
    for column in np.flatnonzero(is_side).tolist():
        pixels[above[:, 0] < reach[column], column] = edge
    return pixels


def _lines(probs: FloatArray, height: int, look: BandLook) -> Pixels:
    """The same with a line for each label, the most probable ones in front."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    pixels = np.zeros((height, len(probs) - 1), np.uint32)
    heights = (1 - probs) * (height - _LINE_PX)
    before = np.where(np.isnan(heights[:-1]), heights[1:], heights[:-1])
    upper, lower = np.fmin(before, heights[1:]), np.fmax(before, heights[1:]) + _LINE_PX
    upper[np.isnan(heights[1:])] = np.nan
    order = np.argsort(np.nan_to_num(probs).mean(axis=0))
    for place in order.tolist():
        if look.is_on[place]:
            is_line = (rows >= upper[:, place] - 0.5) & (rows < lower[:, place] - 0.5)
            pixels[is_line] = _argb(look.colors[place])
    return pixels


def _argb(color: QColor) -> int:
    return int(color.rgba())
