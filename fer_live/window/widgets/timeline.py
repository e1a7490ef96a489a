"""Expressions over time, as a band of colours: scrolling beside the video, whole in a review."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FloatArray
from fer_live.outputs.markers import MarkedSpan
from fer_live.painting.overlay import expression_color
from fer_live.recording.history import Moment, clock
from fer_live.window.widgets.timeline_marks import paint_marks

_AXIS_H = 18
_MAX_GAP_S = 0.5
_TICK_W = 80
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Timeline(QWidget):
    """One column of pixels per moment, divided among the expressions by their probabilities.

    A live timeline shows the last `span_s` seconds and scrolls. Its columns are painted once, into
    a ring buffer, so an hour costs no more than a minute. `show_all` shows a whole recording
    instead; then `sought` tells the time, in seconds, that the person clicked or moved to.
    """

    sought = pyqtSignal(float)
    emptied = pyqtSignal()
    """A live timeline was resized and is empty until `show_live` is called again."""

    def __init__(self, span_s: float = 30.0) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("timeline"))
        self._span_s = span_s
        self._scrolls = True
        self._labels: tuple[str, ...] = ()
        self._colors: list[QColor] = []
        self._ring = QImage()
        self._end_s: float | None = None
        self._start_s = 0.0
        self._marks: tuple[MarkedSpan, ...] = ()
        self._moments: Sequence[Moment] = ()
        self._cursor_s = 0.0

    def show_live(self, moments: Iterable[Moment], labels: tuple[str, ...]) -> None:
        """Scroll from now on, beginning with what a face has shown so far."""
        self._scrolls = True
        self._set_labels(labels)
        self._clear()
        self._end_s = None
        if not self._ring.width():
            return
        painter = QPainter(self._ring)
        for moment in moments:
            self._scroll(painter, moment, moment.time_s)
        painter.end()
        self.update()

    def add(self, moment: Moment | None, now_s: float) -> None:
        """Scroll to `now_s`; `moment` None leaves a gap there."""
        if self._ring.width():
            painter = QPainter(self._ring)
            self._scroll(painter, moment, now_s)
            painter.end()
        self.update()

    def _scroll(self, painter: QPainter, moment: Moment | None, now_s: float) -> None:
        if self._end_s is None or now_s < self._end_s:
            self._end_s = self._start_s = now_s
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.fillRect(self._ring.rect(), Qt.GlobalColor.transparent)
        first, last = self._column(self._end_s) + 1, self._column(now_s)
        # After a longer gap only its end is known.
        is_known = now_s - self._end_s <= _MAX_GAP_S
        self._end_s = now_s
        n_columns = self._ring.width()
        for column in range(max(first, last - n_columns + 1), last + 1):
            known = moment if is_known or column == last else None
            self._paint_column(painter, column % n_columns, None if known is None else known.probs)

    def show_all(
        self,
        moments: Sequence[Moment],
        labels: tuple[str, ...],
        length_s: float,
        marks: Iterable[MarkedSpan],
    ) -> None:
        """Show a whole recording of `length_s` seconds, with its markers."""
        self._scrolls = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._set_labels(labels)
        self._moments, self._span_s, self._marks = moments, max(length_s, 0.1), tuple(marks)
        self._start_s = 0.0
        self._paint_all()
        self.update()

    def show_marks(self, marks: Iterable[MarkedSpan]) -> None:
        """Show these moments and intervals from now on, on the clock of what else is shown."""
        self._marks = tuple(marks)
        self.update()

    def move_cursor(self, time_s: float) -> None:
        """Show which time of the recording, in seconds, is in the picture."""
        self._cursor_s = time_s
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(400, 92)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        width, height = max(self.width(), 1), max(self.height() - _AXIS_H, 1)
        old = self._ring
        self._ring = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        self._ring.fill(Qt.GlobalColor.transparent)
        if not self._scrolls:
            self._paint_all()
        elif not old.isNull():
            self.emptied.emit()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self._seek(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  # Qt's name
        steps = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}
        if event is not None and not self._scrolls and event.key() in steps:
            wanted_s = self._cursor_s + steps[Qt.Key(event.key())]
            self.sought.emit(min(max(wanted_s, 0.0), self._span_s))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        ground = self.palette().color(QPalette.ColorRole.AlternateBase)
        width, height = self.width(), self.height() - _AXIS_H
        painter.fillRect(QRectF(0, 0, width, height), ground)
        n_columns = self._ring.width()
        if self._scrolls and self._end_s is not None:
            split = (self._column(self._end_s) + 1) % n_columns
            painter.drawImage(0, 0, self._ring, split, 0, n_columns - split, -1)
            painter.drawImage(n_columns - split, 0, self._ring, 0, 0, split, -1)
        elif not self._scrolls:
            painter.drawImage(0, 0, self._ring)
        self._paint_axis(painter, width, height)
        painter.end()

    def _paint_axis(self, painter: QPainter, width: int, height: int) -> None:
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.85)
        painter.setFont(small)
        step_s = next((s for s in _TICKS_S if s / self._span_s * width >= _TICK_W), _TICKS_S[-1])
        for tick in range(int(self._span_s / step_s) + 1):
            seconds = tick * step_s
            share = 1 - seconds / self._span_s if self._scrolls else seconds / self._span_s
            text = f"{-seconds} s" if self._scrolls else clock(seconds)
            box = QRectF(width * share - _TICK_W / 2, height, _TICK_W, _AXIS_H)
            side = Qt.AlignmentFlag.AlignHCenter
            if box.left() < 0:
                box.moveLeft(0)
                side = Qt.AlignmentFlag.AlignLeft
            elif box.right() > width:
                box.moveRight(width)
                side = Qt.AlignmentFlag.AlignRight
            painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)
        begin_s = (self._end_s or 0.0) - self._span_s if self._scrolls else 0.0
        paint_marks(
            painter,
            self._marks,
            QRectF(0, 0, width, height),
            lambda time_s: width * (time_s - begin_s) / self._span_s,
            self.palette(),
        )
        if self._scrolls:
            return
        strong = self.palette().color(QPalette.ColorRole.WindowText)
        painter.fillRect(QRectF(width * self._cursor_s / self._span_s - 1, 0, 2, height), strong)

    def _paint_all(self) -> None:
        self._clear()
        n_columns = self._ring.width()
        if not self._moments or not n_columns:
            return
        painter = QPainter(self._ring)
        for column in range(n_columns):
            time_s = (column + 0.5) / n_columns * self._span_s
            # Those of hours are looked up where they are wanted, not all made.
            index = bisect_right(self._moments, time_s, key=lambda moment: moment.time_s)
            moment = self._moments[max(index - 1, 0)]
            is_there = abs(moment.time_s - time_s) <= _MAX_GAP_S
            self._paint_column(painter, column, moment.probs if is_there else None)
        painter.end()

    def _paint_column(self, painter: QPainter, column: int, probs: FloatArray | None) -> None:
        height = self._ring.height()
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        if probs is None:
            painter.fillRect(column, 0, 1, height, Qt.GlobalColor.transparent)
            return
        bottom = 0.0
        for color, prob in zip(self._colors, probs, strict=True):
            top = bottom + float(prob) * height
            painter.fillRect(QRectF(column, height - top, 1, top - bottom), color)
            bottom = top

    def _set_labels(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._colors = [expression_color(label, labels) for label in labels]

    def _clear(self) -> None:
        self._ring.fill(Qt.GlobalColor.transparent)

    def _column(self, time_s: float) -> int:
        return int((time_s - self._start_s) / self._span_s * self._ring.width())

    def _seek(self, event: QMouseEvent | None) -> None:
        if event is None or self._scrolls or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        share = event.position().x() / max(self.width(), 1)
        self.sought.emit(min(max(share, 0.0), 1.0) * self._span_s)
