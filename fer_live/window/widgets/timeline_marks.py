"""Moments and intervals on a timeline."""

from collections.abc import Callable, Iterable, Sequence

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPalette

from fer_live.outputs.markers import EXCLUDE, MarkedSpan

_LANE_H = 14
_PAD = 4
_MOMENT_CHARS = 16
_MIN_TEXT_W = 24
_EXCLUDED = QColor(0, 0, 0, 90)


def place_marks(
    spans: Iterable[MarkedSpan],
    area: QRectF,
    x_of: Callable[[float], float],
    metrics: QFontMetricsF,
) -> list[tuple[MarkedSpan, QRectF]]:
    """Where the text of each moment and the bar of each interval stand that can be seen.

    Each goes to the highest lane that is free there, and to the lowest where all are taken. `x_of`
    takes a time in seconds to a place in `area`; an interval without an end reaches to its right.
    """
    lanes = [float("-inf")] * max(int(area.height()) // _LANE_H, 1)
    most = metrics.averageCharWidth() * _MOMENT_CHARS
    placed: list[tuple[MarkedSpan, QRectF]] = []
    for span in sorted(spans, key=lambda one: one.from_s):
        left = x_of(span.from_s)
        right = area.right() if span.to_s is None else x_of(span.to_s)
        if span.is_interval:
            width = max(right - left, 2.0)
        else:
            width = min(metrics.horizontalAdvance(span.text), most) + 2 * _PAD
        lane = next((k for k, taken in enumerate(lanes) if taken <= left), len(lanes) - 1)
        lanes[lane] = left + width
        if left + width >= area.left() and left <= area.right():
            placed.append((span, QRectF(left, area.top() + lane * _LANE_H, width, _LANE_H)))
    return placed


def paint_marks(
    painter: QPainter,
    placed: Sequence[tuple[MarkedSpan, QRectF]],
    area: QRectF,
    palette: QPalette,
) -> None:
    """Paint a line and a text for each moment, a bar with its name for each interval, where
    `place_marks` put them; what is excluded is darkened."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    strong, ground = (
        palette.color(role) for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window)
    )
    for span, box in placed:
        if span.is_interval and span.text.casefold() == EXCLUDE:
            painter.fillRect(QRectF(box.left(), area.top(), box.width(), area.height()), _EXCLUDED)
        painter.fillRect(QRectF(box.left(), box.top(), 1, area.bottom() - box.top()), strong)
    for span, box in placed:
        _paint_label(painter, span, box, area, strong, ground)
    painter.restore()


def _paint_label(
    painter: QPainter,
    span: MarkedSpan,
    box: QRectF,
    area: QRectF,
    strong: QColor,
    ground: QColor,
) -> None:
    painter.fillRect(box, ground)
    if span.is_interval:
        painter.fillRect(QRectF(box.left(), box.top(), box.width(), 2), strong)
        painter.fillRect(QRectF(box.right() - 1, box.top(), 1, box.height()), strong)
    painter.fillRect(QRectF(box.left(), box.top(), 2, box.height()), strong)
    room = box.intersected(area).adjusted(_PAD, 1, -2, 0)
    if room.width() < _MIN_TEXT_W:
        return
    side = Qt.TextElideMode.ElideRight
    painter.setPen(strong)
    painter.drawText(
        room,
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
        painter.fontMetrics().elidedText(span.text, side, int(room.width())),
    )
