"""The live picture of a calibration, with what a person must see from a distance painted into it.

A large countdown, then a red dot and a ring that closes while the camera records. In the corner, a
drawing of the expression that is asked for.
"""

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.window.personal.example_face import has_example, paint_example

_RED = QColor("#d9363e")
_SHADE = QColor(0, 0, 0, 110)
_RING_WIDTH = 8


class Preview(QWidget):
    """Shows pictures one after the other; what is painted over them stays until it is changed."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QImage()
        self._countdown = 0
        self._recorded: float | None = None
        self._example = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 240)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(560, 360)

    @property
    def countdown(self) -> int:
        """The number that is shown now; 0 where none is."""
        return self._countdown

    @property
    def is_recording(self) -> bool:
        """Whether the ring is shown."""
        return self._recorded is not None

    def show_picture(self, image_bgr: UInt8Array) -> None:
        """Show a picture (H, W, 3) under what is painted."""
        height, width = image_bgr.shape[:2]
        data = image_bgr.tobytes()
        picture = QImage(data, width, height, 3 * width, QImage.Format.Format_BGR888)
        self._picture = picture.copy()
        self.update()

    def count_down(self, seconds: int) -> None:
        """Paint a large number."""
        self._countdown, self._recorded = seconds, None
        self._describe(tr("Recording begins in {seconds}", seconds=seconds))

    def show_recording(self, share: float) -> None:
        """Paint the red dot, and the ring closed by `share`, 0 to 1."""
        self._countdown, self._recorded = 0, share
        self._describe(tr("Recording"))

    def show_example(self, label: str) -> None:
        """Paint a drawing of this expression into the corner, where there is one."""
        self._example = label
        self.update()

    @property
    def example(self) -> str:
        """The expression that is drawn in the corner; empty where none is."""
        return self._example

    def clear(self) -> None:
        """Paint nothing over the picture."""
        self._countdown, self._recorded, self._example = 0, None, ""
        self._describe(tr("The camera's picture"))

    def _describe(self, text: str) -> None:
        if self.accessibleName() != text:
            self.setAccessibleName(text)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor("#10141a"))
        if not self._picture.isNull():
            size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
            target = QRectF(left, top, size.width(), size.height())
            painter.drawImage(target, self._picture)
        if self._countdown:
            self._paint_number(painter)
        if has_example(self._example):
            self._paint_example(painter)
        if self._recorded is not None:
            self._paint_ring(painter, self._recorded)
        painter.end()

    def _paint_number(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), _SHADE)
        font = QFont(painter.font())
        font.setPixelSize(max(self.height() // 2, 48))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor("white"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._countdown))

    def _paint_example(self, painter: QPainter) -> None:
        side = min(max(min(self.width(), self.height()) / 3.5, 72), 160)
        place = QRectF(12, 12, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawRoundedRect(place, 8, 8)
        paint_example(painter, place.adjusted(8, 8, -8, -8), self._example)

    def _paint_ring(self, painter: QPainter, share: float) -> None:
        side = max(min(self.width(), self.height()) // 8, 36)
        place = QRectF(self.width() - side - 16, 16, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_SHADE)
        painter.drawEllipse(place.adjusted(-6, -6, 6, 6))
        painter.setBrush(_RED)
        painter.drawEllipse(place.center(), side / 5, side / 5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_RED, _RING_WIDTH, cap=Qt.PenCapStyle.FlatCap))
        painter.drawArc(place, 90 * 16, -round(min(share, 1.0) * 360 * 16))
