"""A drawing of what the window shows: a face with its box, number and label, and bars beside it."""

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from fer_live.base.translation import tr, tr_label
from fer_live.painting.overlay import expression_color, overlay_font

_WIDTH, _HEIGHT = 440, 190
_BACKGROUND, _SKIN, _LINE = QColor("#10141a"), QColor("#d9b99b"), QColor("#3a2a20")
_TRACK, _CHIP_TEXT = QColor("#2a323d"), QColor("#10141a")
_FACE = QRectF(52, 52, 100, 122)
_BARS = (("happiness", 0.82), ("neutral", 0.34), ("surprise", 0.22), ("sadness", 0.1))


class SampleFace(QWidget):
    """Drawn, not photographed: no camera is open when it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(_WIDTH, _HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        around = QPainterPath()
        around.addRoundedRect(QRectF(self.rect()), 10, 10)
        painter.fillPath(around, _BACKGROUND)
        painter.translate((self.width() - _WIDTH) / 2, 0)
        self._paint_head(painter)
        self._paint_box(painter)
        self._paint_bars(painter)

    def _paint_head(self, painter: QPainter) -> None:
        middle, height = _FACE.center(), _FACE.height()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SKIN)
        painter.drawEllipse(_FACE.adjusted(10, 8, -10, -6))
        painter.setBrush(_LINE)
        for side in (-1, 1):
            painter.drawEllipse(QPointF(middle.x() + side * 17, middle.y() - height * 0.08), 4, 5.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_LINE, 3, cap=Qt.PenCapStyle.RoundCap))
        mouth = QRectF(middle.x() - 20, middle.y() + 4, 40, 28)
        painter.drawArc(mouth, -160 * 16, 140 * 16)
        for side in (-1, 1):
            brow = QRectF(middle.x() + side * 17 - 9, middle.y() - height * 0.22, 18, 10)
            painter.drawArc(brow, 40 * 16, 100 * 16)

    def _paint_box(self, painter: QPainter) -> None:
        color = expression_color("happiness")
        painter.setPen(QPen(color, 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(_FACE, 4, 4)
        painter.setFont(overlay_font(15))
        text = f"1   {tr_label('happiness')}"
        width = painter.fontMetrics().horizontalAdvance(text) + 14
        chip = QRectF(_FACE.left() - 1.5, _FACE.top() - 30, max(width, 60), 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(_CHIP_TEXT)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bars(self, painter: QPainter) -> None:
        left, width = 216.0, 172.0
        painter.setFont(overlay_font(14))
        for number, (label, share) in enumerate(_BARS):
            top = 30.0 + number * 36
            painter.setPen(QColor("#e6eaee"))
            painter.drawText(QPointF(left, top + 12), tr_label(label))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_TRACK)
            painter.drawRoundedRect(QRectF(left, top + 18, width, 8), 4, 4)
            painter.setBrush(expression_color(label))
            painter.drawRoundedRect(QRectF(left, top + 18, width * share, 8), 4, 4)

    def describe(self) -> None:
        """Name the drawing for those who cannot see it, in the language spoken now."""
        self.setAccessibleName(
            tr("A drawing of the window: a face with its box and label, and bars beside it")
        )
