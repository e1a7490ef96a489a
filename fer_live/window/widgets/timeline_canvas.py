"""What a timeline paints: the band of one face, lanes of all, axes and markers."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from PyQt6.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.datatypes import FloatArray
from fer_live.outputs.markers import MarkedSpan
from fer_live.painting.overlay import expression_color, track_color
from fer_live.window.widgets.timeline_axes import paint_grid, paint_times, readable
from fer_live.window.widgets.timeline_band import Band, BandLook
from fer_live.window.widgets.timeline_levels import MAX_GAP_S, CurveLevels
from fer_live.window.widgets.timeline_marks import paint_marks, place_marks
from fer_live.window.widgets.timeline_range import TimeRange

_BAND_H, _LANE_H, _LANE_GAP, _AXIS_H = 76, 12, 2, 18
_NUMBER_TOP = 18
"""Between the percentages."""
_MOST_LANES = 12
_ROLE = QPalette.ColorRole


class TimelineCanvas(QWidget):
    """Paints the stretch `range` of the curves; `moved` is emitted when it is another one.

    The band of `followed` is large. Below it, where wanted, is a thin lane for each face that is
    seen in this stretch, by their numbers. Times are seconds: of a recording from its begin, live
    on the monotonic clock.
    """

    moved = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._gutter: int | None = None  # every place in the band is reckoned with it
        self.range = TimeRange.whole(1.0)
        self.labels: tuple[str, ...] = ()
        self.curves: Mapping[int, CurveLevels] = {}
        self.followed: int | None = None
        self.off: frozenset[str] = frozenset()
        self.as_lines = self.with_lanes = False
        self.marks: tuple[MarkedSpan, ...] = ()
        self.placed_marks: list[tuple[MarkedSpan, QRectF]] = []
        self.band, self._lane_bands = Band(), dict[int, Band]()
        self._lanes: list[int] = []
        self._play_line = _line(self, 2, _ROLE.WindowText)
        self.reading_line = _line(self, 1, _ROLE.WindowText)
        self.read_s: float | None = None
        self._played_s: float | None = None

    def show_curves(self, curves: Mapping[int, CurveLevels], followed: int | None) -> None:
        """Show these from now on, the curve of `followed` large; a live one has only grown."""
        if followed != self.followed:
            self.followed = followed
            self.band.forget()
        self.curves = curves
        self.place_lanes()
        self.update()

    def forget(self) -> None:
        """What is shown next are other curves, or other labels."""
        self.band.forget()
        self._lane_bands.clear()
        self.update()

    def show_marks(self, marks: Iterable[MarkedSpan]) -> None:
        """Show these moments and intervals from now on."""
        self.marks = tuple(marks)
        self.update()

    def show_played(self, time_s: float | None) -> None:
        """Show which time of the recording is in the picture; None: there is no such thing."""
        before, self._played_s = self._played_s, time_s
        was_seen = before is not None and self.range.from_s <= before <= self.range.to_s
        if time_s is not None and was_seen and not self.range.from_s <= time_s <= self.range.to_s:
            self.range.bring(time_s)
            self.moved.emit()
            self.update()
        self.place_lines()

    def place_lines(self) -> None:
        """Move the lines of what is played and what is read, without painting the band anew."""
        height = self.height() - _AXIS_H
        pairs = ((self._play_line, self._played_s), (self.reading_line, self.read_s))
        for line, time_s in pairs:
            x = None if time_s is None else round(self.x_of(time_s))
            is_seen = x is not None and self.plot.left() <= x + 1 and x <= self.plot.right() + 1
            line.setVisible(is_seen)
            if x is not None and is_seen:
                line.setGeometry(x - line.width() // 2, 0, line.width(), height)

    @property
    def gutter(self) -> int:
        """The room at the left for the percentages and the numbers of faces."""
        if self._gutter is None:
            percent_w = QFontMetricsF(self.small_font()).horizontalAdvance("100%")
            self._gutter = math.ceil(percent_w) + 8
        return self._gutter

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._gutter = None
        super().changeEvent(event)

    @property
    def plot(self) -> QRectF:
        """Where the large band is."""
        left = self.gutter
        return QRectF(left, 0, max(self.width() - left, 1), _BAND_H)

    @property
    def column_s(self) -> float:
        """The seconds that a column of the screen's pixels stands for."""
        return self.range.span_s / self._n_columns

    @property
    def _n_columns(self) -> int:
        return max(round(self.plot.width() * self.devicePixelRatioF()), 1)

    @property
    def _first(self) -> int:
        if self.range.follows:
            return math.floor(self.range.end_s / self.column_s) - self._n_columns + 1
        return math.floor(self.range.from_s / self.column_s + 1e-6)

    def x_of(self, time_s: float) -> float:
        """Where a time is, in pixels from the left of the widget."""
        columns = time_s / self.column_s - self._first
        return self.plot.left() + columns * self.plot.width() / self._n_columns

    def time_at(self, x: float) -> float:
        """The time at a place, inside what there is."""
        columns = (x - self.plot.left()) * self._n_columns / self.plot.width()
        return min(
            max((self._first + columns) * self.column_s, self.range.begin_s), self.range.end_s
        )

    def means_at(self, number: int, time_s: float) -> FloatArray | None:
        """What is painted of a face at this time: (C,); None where it was not seen."""
        if number not in self.curves:
            return None
        first = math.floor(time_s / self.column_s)
        edges_s = np.array([first, first + 1], np.float64) * self.column_s
        (probs,) = self.curves[number].columns(edges_s)
        return None if math.isnan(probs[0]) else probs

    def lane_at(self, y: float) -> int | None:
        """The number of the face whose lane is at this height."""
        place = int((y - _BAND_H - _LANE_GAP) // (_LANE_H + _LANE_GAP))
        is_lane = y >= _BAND_H + _LANE_GAP and place < len(self._lanes)
        return self._lanes[place] if is_lane else None

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(400, _BAND_H + len(self._lanes) * (_LANE_H + _LANE_GAP) + _AXIS_H)

    def place_lanes(self) -> None:
        """Have a lane for each face that is seen in the stretch, where lanes are wanted."""
        seen = [
            number
            for number, levels in self.curves.items()
            if levels.curve.is_between(self.range.from_s, self.range.to_s)
        ]
        lanes = self._most_wanted(seen) if self.with_lanes else []
        if lanes != self._lanes:
            is_other = len(lanes) != len(self._lanes)
            self._lanes = lanes
            kept = self._lane_bands.items()
            self._lane_bands = {number: band for number, band in kept if number in lanes}
            if is_other:
                self.updateGeometry()

    def _most_wanted(self, seen: list[int]) -> list[int]:
        """As many as there is room for: live, who was seen last; in a recording, who longest."""
        if len(seen) <= _MOST_LANES:
            return seen

        def weight(number: int) -> tuple[bool, float]:
            times_s = self.curves[number].curve.times_s
            first, last = np.searchsorted(times_s, (self.range.from_s, self.range.to_s))
            is_followed = number == self.followed
            return is_followed, float(times_s[last - 1] if self.range.is_live else last - first)

        wanted = set(sorted(seen, key=weight, reverse=True)[:_MOST_LANES])
        return [number for number in seen if number in wanted]

    def small_font(self) -> QFont:
        """The font of axes, markers and numbers."""
        small = QFont(self.font())
        small.setPointSizeF(small.pointSizeF() * 0.85)
        return small

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setFont(self.small_font())
        palette, plot = self.palette(), self.plot
        painter.fillRect(plot, palette.color(_ROLE.AlternateBase))
        if self.followed is not None:
            look = self._look(as_lines=self.as_lines)
            self._paint_band(painter, self.band, self.followed, plot, look)
            _paint_number(painter, self.followed, QRectF(2, _NUMBER_TOP, plot.left() - 4, _LANE_H))
        stacked = self._look(as_lines=False)
        for place, number in enumerate(self._lanes):
            top = plot.bottom() + _LANE_GAP + place * (_LANE_H + _LANE_GAP)
            self._paint_lane(
                painter, number, QRectF(plot.left(), top, plot.width(), _LANE_H), stacked
            )
        paint_grid(painter, plot, palette)
        strip = QRectF(plot.left(), self.height() - _AXIS_H, plot.width(), _AXIS_H)
        if event is None or strip.intersects(QRectF(event.rect())):
            paint_times(painter, strip, self.range, palette)
        metrics = QFontMetricsF(painter.font())
        self.placed_marks = place_marks(self.marks, plot, self.x_of, metrics)
        paint_marks(painter, self.placed_marks, plot, palette)
        if self.hasFocus():
            painter.setPen(palette.color(_ROLE.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _look(self, *, as_lines: bool) -> BandLook:
        palette = self.palette()
        colors = [expression_color(label, self.labels) for label in self.labels]
        if as_lines:
            colors = [readable(color, palette.color(_ROLE.AlternateBase)) for color in colors]
        is_on = tuple(label not in self.off for label in self.labels)
        return BandLook(tuple(colors), palette.color(_ROLE.PlaceholderText), is_on, as_lines)

    def _paint_band(
        self, painter: QPainter, band: Band, number: int, area: QRectF, look: BandLook
    ) -> None:
        levels = self.curves.get(number)
        if levels is None or not len(levels.curve.times_s):
            return
        final_s = self.range.end_s
        if self.range.is_live:
            final_s = max(float(levels.curve.times_s[-1]), final_s - MAX_GAP_S)
        size = (self._n_columns, round(area.height() * self.devicePixelRatioF()))
        band.show(size, look, self._first, self.column_s, levels.columns, final_s)
        band.draw(painter, area, self._first)

    def _paint_lane(self, painter: QPainter, number: int, area: QRectF, look: BandLook) -> None:
        palette = self.palette()
        painter.fillRect(area, palette.color(_ROLE.AlternateBase))
        band = self._lane_bands.setdefault(number, Band())
        self._paint_band(painter, band, number, area, look)
        _paint_number(painter, number, QRectF(2, area.top(), area.left() - 4, area.height()))
        if number == self.followed:
            painter.setPen(palette.color(_ROLE.WindowText))
            painter.drawRect(QRectF(1, area.top() - 1, self.width() - 2, area.height() + 1))


def _paint_number(painter: QPainter, number: int, area: QRectF) -> None:
    painter.fillRect(area, track_color(number))
    painter.setPen(QColor("white"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(number))


def _line(parent: QWidget, width: int, role: QPalette.ColorRole) -> QWidget:
    """A line across the band, a widget of its own: what is below is not painted anew when it moves,
    but for its own width."""
    line = QWidget(parent)
    line.setFixedWidth(width)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(role)
    line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    line.hide()
    return line
