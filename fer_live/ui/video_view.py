"""The picture: the latest result, painted on its own frame."""

import time
from collections.abc import Callable

from PyQt6.QtCore import QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from fer_live.datatypes import FrameResult
from fer_live.ui.overlay import Hud, overlay_font, paint_result

_BACKGROUND = QColor(16, 20, 26)
_MESSAGE_COLOR = QColor(200, 206, 214)
_FPS_WINDOW_S = 1.0


class VideoView(QWidget):
    """Shows one result at a time, letterboxed, with its overlay; or a message where there is none.

    `on_painted` is called with the frame's capture time after each *new* result has been painted.
    """

    def __init__(self, on_painted: Callable[[float], None]) -> None:
        super().__init__()
        self.setMinimumSize(320, 240)
        self.setAccessibleName("video")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._on_painted = on_painted
        self._result: FrameResult | None = None
        self._labels: tuple[str, ...] = ()
        self._warning = ""
        self._mirror = False
        self._new = False
        self._message = "Loading…"
        self._painted_at_s: list[float] = []
        self._latency_ms = 0.0

    def show_result(
        self,
        result: FrameResult,
        labels: tuple[str, ...],
        *,
        warning: str,
        mirror: bool,
    ) -> None:
        """Paint this result next."""
        self._result, self._labels = result, labels
        self._warning, self._mirror = warning, mirror
        self._message = "" if result.faces else "No face in view"
        self._new = True
        self.update()

    def show_message(self, message: str) -> None:
        """Say something in place of the picture."""
        self._result, self._message = None, message
        self._painted_at_s.clear()
        self.update()

    @property
    def message(self) -> str:
        """What is said now: in place of the picture, or below it where it holds no face."""
        return self._message

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._result is None:
            painter.setPen(_MESSAGE_COLOR)
            painter.setFont(overlay_font(17))
            painter.drawText(
                self.rect().adjusted(24, 24, -24, -24),
                int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap),
                self._message,
            )
            painter.end()
            return
        if self._new:
            self._measure(self._result.frame.captured_at_s)
        area = _letterbox(self.rect().toRectF(), self._result.frame.image_bgr.shape)
        hud = Hud(self._fps(), self._latency_ms, self._warning)
        paint_result(painter, area, self._result, self._labels, hud, mirror=self._mirror)
        if self._message:
            painter.setPen(_MESSAGE_COLOR)
            below = area.adjusted(0, 0, 0, -12)
            painter.drawText(
                below,
                int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.AlignmentFlag.AlignBottom),
                self._message,
            )
        painter.end()
        if self._new:
            self._new = False
            self._on_painted(self._result.frame.captured_at_s)

    def _measure(self, captured_at_s: float) -> None:
        now_s = time.monotonic()
        latency_ms = (now_s - captured_at_s) * 1000
        self._latency_ms += (
            0.1 * (latency_ms - self._latency_ms) if self._latency_ms else latency_ms
        )
        self._painted_at_s.append(now_s)
        while now_s - self._painted_at_s[0] > _FPS_WINDOW_S:
            self._painted_at_s.pop(0)

    def _fps(self) -> float:
        times = self._painted_at_s
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def _letterbox(outer: QRectF, image_shape: tuple[int, ...]) -> QRectF:
    """The largest rectangle of the image's proportions in the middle of `outer`."""
    size = QSizeF(image_shape[1], image_shape[0]).scaled(
        outer.size(), Qt.AspectRatioMode.KeepAspectRatio
    )
    inner = QRectF(outer.topLeft(), size)
    inner.moveCenter(outer.center())
    return inner
