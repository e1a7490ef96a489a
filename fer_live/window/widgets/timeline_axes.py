"""The axes of a timeline: percentages at the left, times below; and colours that stand out."""

import time
from datetime import datetime

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPalette

from fer_live.recording.history import clock, clock_tenths
from fer_live.window.widgets.timeline_range import TimeRange, ticks

_TICK_W = 80
_FINE_SPAN_S = 12.0
_GRID = (1.0, 0.75, 0.5, 0.25, 0.0)
_NAMED = (1.0, 0.5, 0.0)
_GRID_ALPHA = 70
_ENOUGH = 3.0


def paint_grid(painter: QPainter, plot: QRectF, palette: QPalette) -> None:
    """Paint a line at each quarter over the band, and what some of them mean to its left."""
    line = QColor(palette.color(QPalette.ColorRole.WindowText))
    line.setAlpha(_GRID_ALPHA)
    row = QFontMetricsF(painter.font()).height()
    painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
    for share in _GRID:
        y = plot.top() + (1 - share) * (plot.height() - 1)
        painter.fillRect(QRectF(plot.left(), round(y), plot.width(), 1), line)
        if share in _NAMED:
            top = min(max(y - row / 2, plot.top()), plot.bottom() - row)
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, plot.left() - 4, row), side, f"{share:.0%}")


def paint_times(painter: QPainter, strip: QRectF, shown: TimeRange, palette: QPalette) -> None:
    """Paint round times below the band: of a recording, live before now, and of the day where a
    live band stands still."""
    painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
    zero_s = 0.0
    if shown.is_live:
        zero_s = shown.end_s if shown.follows else -_wall_offset_s()
    n_most = max(int(strip.width() // _TICK_W), 1)
    for tick in ticks(shown.from_s - zero_s, shown.span_s, n_most):
        place = (tick + zero_s - shown.from_s) / shown.span_s
        box = QRectF(0, strip.top(), _TICK_W, strip.height())
        box.moveLeft(strip.left() + place * strip.width() - _TICK_W / 2)
        side = Qt.AlignmentFlag.AlignHCenter
        if box.left() < strip.left():
            box.moveLeft(strip.left())
            side = Qt.AlignmentFlag.AlignLeft
        elif box.right() > strip.right():
            box.moveRight(strip.right())
            side = Qt.AlignmentFlag.AlignRight
        text = _ago(tick) if shown.follows else time_text(tick + zero_s, shown)
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)


def time_text(time_s: float, shown: TimeRange, *, is_fine: bool = False) -> str:
    """A time of a recording, or the time of the day of a live one; in tenths where it is wanted,
    or where a short stretch is shown."""
    is_fine = is_fine or shown.span_s < _FINE_SPAN_S
    if not shown.is_live:
        return clock_tenths(time_s) if is_fine else clock(time_s + 1e-6)
    at = datetime.fromtimestamp(time_s + _wall_offset_s() + 1e-6)
    return f"{at:%H:%M:%S.%f}"[:-5] if is_fine else f"{at:%H:%M:%S}"


def readable(color: QColor, ground: QColor) -> QColor:
    """The colour, or one as much darker or lighter as stands out from the ground by 3 to 1."""
    towards = QColor("black") if _luminance(ground) > 0.2 else QColor("white")
    for step in range(21):
        share = step / 20
        parts = (
            (1 - share) * one + share * other
            for one, other in zip(color.getRgbF()[:3], towards.getRgbF()[:3], strict=True)
        )
        mixed = QColor.fromRgbF(*parts)
        darker, lighter = sorted((_luminance(mixed), _luminance(ground)))
        if (lighter + 0.05) / (darker + 0.05) >= _ENOUGH:
            return mixed
    return towards


def _luminance(color: QColor) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (color.redF(), color.greenF(), color.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _wall_offset_s() -> float:
    return time.time() - time.monotonic()


def _ago(seconds: float) -> str:
    ago_s = abs(seconds)
    if ago_s < 60:
        return f"{'-' if ago_s else ''}{ago_s:g} s"
    return f"-{clock(ago_s + 1e-6)}"
