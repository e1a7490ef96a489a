"""The timeline under a person's hands: pointer, wheel, touch and keys."""

import time
from collections.abc import Mapping

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTextDocument,
    QWheelEvent,
)
from PyQt6.QtWidgets import QGestureEvent, QPinchGesture, QToolTip

from fer_live.base.translation import tr
from fer_live.window.widgets.timeline_axes import time_text
from fer_live.window.widgets.timeline_canvas import TimelineCanvas
from fer_live.window.widgets.timeline_levels import MAX_GAP_S, CurveLevels
from fer_live.window.widgets.timeline_readout import Readout, marks_at

_ZOOM = 1.5
_NOTCH = 120.0
_NEAR_PX = 4.0
_READ_EVERY_S = 0.2
_READ_FOR_MS = 60_000
_TIP_BELOW = 20
"""Qt puts a tip so far below the place that it is given."""


class TimelinePlot(TimelineCanvas):
    """Reads out what is under the pointer or the cursor, zooms and pans.

    A recording is sought by click and drag, `sought` tells the time; live, a drag pans. Shift, the
    middle button, and a drag of the time axis pan in both. `face_chosen` brings the number of a
    lane that was clicked.
    """

    sought = pyqtSignal(float)
    face_chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.setAccessibleName(tr("timeline"))
        self._pointer: QPointF | None = None
        self._panned_from: float | None = None
        self._told_at_s = 0.0

    def show_curves(self, curves: Mapping[int, CurveLevels], followed: int | None) -> None:
        super().show_curves(curves, followed)
        if self._pointer is not None and self._panned_from is None:
            self.read_s = self.time_at(self._pointer.x())
            if time.monotonic() - self._told_at_s >= _READ_EVERY_S:
                self._tell(self._pointer)
        self.place_lines()

    def readout(self, time_s: float) -> Readout:
        """What the face shown large did at this time."""
        levels = None if self.followed is None else self.curves.get(self.followed)
        within_s = max(self.column_s, MAX_GAP_S / 2)
        found = None if levels is None else levels.curve.at(time_s, within_s)
        probs = None if self.followed is None else self.means_at(self.followed, time_s)
        shown = None
        if levels is not None and found is not None and probs is not None:
            shown = levels.curve.names[int(levels.curve.shown[found])]
        return Readout(
            time_text(time_s, self.range, is_fine=True),
            shown,
            self.labels,
            None if shown is None else probs,
            marks_at(self.marks, time_s, _NEAR_PX * self.column_s),
        )

    def read(self, time_s: float | None) -> None:
        """Put the cursor at this time and say what is there; None takes it away."""
        self.read_s = time_s
        if time_s is None:
            QToolTip.hideText()
        else:
            self.bring(time_s)
            self._tell(QPointF(self.x_of(time_s), self.plot.center().y()))
        self.place_lines()

    def bring(self, time_s: float) -> None:
        """Pan so that a time is seen."""
        self.range.bring(time_s)
        self._show_moved()

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Show `factor` times as short a time around a place, by default the cursor's or the
        middle's; 0 shows what was shown at first."""
        if factor:
            at_s = self._middle_s() if x is None else self.time_at(x)
            self.range.zoom(factor, at_s)
        else:
            self.range.reset()
        self._show_moved()

    def pan(self, by_s: float) -> None:
        """Show an earlier or later time."""
        self.range.pan(by_s)
        self._show_moved()

    def _middle_s(self) -> float:
        for time_s in (self.read_s, self._played_s):
            if time_s is not None and self.range.from_s <= time_s <= self.range.to_s:
                return time_s
        return self.range.from_s + self.range.span_s / 2

    def _show_moved(self) -> None:
        self.place_lanes()
        self.place_lines()
        self.update()
        self.moved.emit()

    def _tell(self, at: QPointF) -> None:
        assert self.read_s is not None
        self._told_at_s = time.monotonic()
        told = self.readout(self.read_s)
        self.setAccessibleDescription(told.plain())
        text = QTextDocument()
        text.setDefaultFont(QToolTip.font())
        text.setHtml(told.rich())
        # Above the band, which it would hide.
        above = QPoint(round(at.x()), -round(text.size().height()) - _TIP_BELOW)
        QToolTip.showText(self.mapToGlobal(above), told.rich(), self, self.rect(), _READ_FOR_MS)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is None:
            return
        x = event.position().x()
        if self._panned_from is not None:
            self.range.pan((self._panned_from - x) * self.range.span_s / self.plot.width())
            self._panned_from = x
            self._show_moved()
            return
        self._pointer = event.position() if x >= self.plot.left() else None
        if self._pointer is not None:
            self.read_s = self.time_at(x)
            self._tell(self._pointer)
        self.place_lines()
        if event.buttons() & Qt.MouseButton.LeftButton and not self.range.is_live:
            self.sought.emit(self.time_at(x))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is None:
            return
        place = event.position()
        is_left = event.button() == Qt.MouseButton.LeftButton
        lane = self.lane_at(place.y())
        marked = next((s for s, box in reversed(self.placed_marks) if box.contains(place)), None)
        if is_left and lane is not None:
            self.face_chosen.emit(lane)
        elif is_left and marked is not None:
            self.go_to(marked.from_s)
        elif (
            self.range.is_live
            or event.button() == Qt.MouseButton.MiddleButton
            or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            or place.y() > self.plot.bottom()
        ):
            self._panned_from = place.x()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif is_left:
            self.sought.emit(self.time_at(place.x()))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self._panned_from = None
        self.unsetCursor()

    def go_to(self, time_s: float) -> None:
        """Show a time: in the picture of a recording, live by the cursor."""
        self.bring(time_s)
        if self.range.is_live:
            self.read(time_s)
        else:
            self.sought.emit(min(max(time_s, 0.0), self.range.end_s))

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        if self._pointer is not None:
            self._pointer = None
            self.read(None)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is None:
            return
        turn = event.angleDelta()
        if turn.y() and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.zoom(_ZOOM ** (turn.y() / _NOTCH), event.position().x())
        else:
            self.pan(-(turn.x() or turn.y()) / _NOTCH * self.range.span_s / 10)
        event.accept()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom(1 + event.value(), event.position().x())
                return True
        elif isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                middle = self.mapFromGlobal(pinch.centerPoint())
                self.zoom(pinch.scaleFactor() or 1.0, middle.x())
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is None:
            return
        key, is_far = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step_s = min(1.0, self.range.span_s / 20) * (10 if is_far else 1)
        zooms = {Qt.Key.Key_Plus: _ZOOM, Qt.Key.Key_Equal: _ZOOM, Qt.Key.Key_Minus: 1 / _ZOOM}
        pages = {Qt.Key.Key_PageUp: -1.0, Qt.Key.Key_PageDown: 1.0}
        steps = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}
        ends = {Qt.Key.Key_Home: self.range.begin_s, Qt.Key.Key_End: self.range.end_s}
        if key in steps:
            self._step(steps[Qt.Key(key)] * step_s)
        elif key in zooms or key == Qt.Key.Key_0:
            self.zoom(zooms.get(Qt.Key(key), 0.0))
        elif key in pages:
            self.pan(pages[Qt.Key(key)] * self.range.span_s)
        elif key in ends:
            self._step(ends[Qt.Key(key)] - self._middle_s())
        elif key == Qt.Key.Key_Escape and self.read_s is not None:
            self.read(None)
        else:
            super().keyPressEvent(event)

    def _step(self, by_s: float) -> None:
        played_s = None if self.range.is_live else self._played_s
        from_s = self._middle_s() if played_s is None else played_s
        time_s = min(max(from_s + by_s, self.range.begin_s), self.range.end_s)
        if not self.range.is_live:
            self.sought.emit(time_s)
        self.read(time_s)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  # Qt's name
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  # Qt's name
        super().focusOutEvent(event)
        if self._pointer is None:
            self.read(None)
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self.place_lines()
