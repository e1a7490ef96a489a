"""The picture: the latest result, painted on its own frame."""

from collections.abc import Callable

from PyQt6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PyQt6.QtWidgets import QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.painting.overlay import (
    WARNING_COLOR,
    overlay_font,
    paint_lines,
    paint_result,
    to_area,
)

_BACKGROUND = QColor(16, 20, 26)
_MESSAGE_COLOR = QColor(200, 206, 214)
_MESSAGE_SIZES = (17, 15, 13, 11, 9)
_SMALL_PX = 320
_RECORDING_COLOR = QColor("#ff6b5e")


class VideoView(QWidget):
    """Shows one result at a time, letterboxed, with its overlay; or a message where there is none.

    `on_painted` is called with the frame's capture time after each *new* result has been painted.
    `pressed` is emitted at every click, and `face_clicked` tells the number of a face that the
    person clicked, 0 beside all faces. `menu_wanted` brings the same of a click with the right
    button, and where on the screen that was.
    """

    pressed = pyqtSignal()
    face_clicked = pyqtSignal(int)
    menu_wanted = pyqtSignal(int, QPoint)

    def __init__(self, on_painted: Callable[[float], None] = lambda _: None) -> None:
        super().__init__()
        self.setMinimumSize(240, 180)
        self.setAccessibleName(tr("video"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._on_painted = on_painted
        self._result: FrameResult | None = None
        self._labels: tuple[str, ...] = ()
        self._followed: int | None = None
        self._lines: tuple[str, str] = ("", "")
        self._mirror = False
        self._new = False
        self._message = tr("Loading…")

    def show_result(
        self,
        result: FrameResult,
        labels: tuple[str, ...],
        *,
        mirror: bool,
        followed: int | None = None,
        lines: tuple[str, str] = ("", ""),
    ) -> None:
        """Paint this result next.

        `lines` stand in the picture's corner: that it is recorded, and a warning.
        """
        self._result, self._labels = result, labels
        self._mirror, self._followed = mirror, followed
        self._lines = lines
        self._message = "" if result.faces else tr("No face in view")
        self._new = True
        self.update()

    def show_message(self, message: str) -> None:
        """Show a message in place of the picture, until the next result."""
        self._result, self._message = None, message
        self.update()

    def say(self, message: str) -> None:
        """Show a message below the picture that is there, until the next result."""
        self._message = message
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether a result is shown, and not a message in its place."""
        return self._result is not None

    @property
    def message(self) -> str:
        """The message in place of the picture, or below a picture without a face; may be empty."""
        return self._message

    def picture(self) -> QImage | None:
        """The picture with its overlay, in the size of its frame; None while a message is shown."""
        if self._result is None:
            return None
        height, width = self._result.frame.image_bgr.shape[:2]
        image = QImage(width, height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        self._paint_result(painter, QRectF(0, 0, width, height), self._result)
        painter.end()
        return image

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.pressed.emit()
        if event is None or self._result is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self.face_clicked.emit(self._face_at(event.position(), self._result))

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is not None:
            result, at = self._result, QPointF(event.pos())
            self.menu_wanted.emit(self._face_at(at, result) if result else 0, event.globalPos())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._result is None:
            self._paint_message(painter)
            painter.end()
            return
        area = self._area(self._result)
        self._paint_result(painter, area, self._result)
        colors = (_RECORDING_COLOR, WARNING_COLOR)
        paint_lines(painter, area, zip(self._lines, colors, strict=True))
        if self._message:
            painter.setPen(_MESSAGE_COLOR)
            painter.drawText(
                area.adjusted(0, 0, 0, -12),
                int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.AlignmentFlag.AlignBottom),
                self._message,
            )
        painter.end()
        if self._new:
            self._new = False
            self._on_painted(self._result.frame.captured_at_s)

    def _paint_message(self, painter: QPainter) -> None:
        """As large as there is room for all of it."""
        margin = 24 if self.width() > _SMALL_PX else 6
        area = self.rect().adjusted(margin, margin, -margin, -margin)
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        for size in _MESSAGE_SIZES:
            painter.setFont(overlay_font(size))
            if area.contains(painter.boundingRect(area, flags, self._message)):
                break
        painter.setPen(_MESSAGE_COLOR)
        painter.drawText(area, flags, self._message)

    def _paint_result(self, painter: QPainter, area: QRectF, result: FrameResult) -> None:
        paint_result(
            painter,
            area,
            result,
            self._labels,
            None,
            mirror=self._mirror,
            followed=self._followed if len(result.faces) > 1 else None,
        )

    def _face_at(self, point: QPointF, result: FrameResult) -> int:
        height, width = result.frame.image_bgr.shape[:2]
        area = self._area(result)
        boxes = {
            face.track_id: to_area(face, area, width, height, mirror=self._mirror)
            for face in result.faces
        }
        hit = [number for number, box in boxes.items() if box.contains(point)]
        # Of faces that overlap, the smallest: the larger one can be clicked beside it.
        return min(hit, key=lambda number: boxes[number].width(), default=0)

    def _area(self, result: FrameResult) -> QRectF:
        return _letterbox(self.rect().toRectF(), result.frame.image_bgr.shape)


def _letterbox(outer: QRectF, image_shape: tuple[int, ...]) -> QRectF:
    """The largest rectangle of the image's proportions in the middle of `outer`."""
    size = QSizeF(image_shape[1], image_shape[0]).scaled(
        outer.size(), Qt.AspectRatioMode.KeepAspectRatio
    )
    inner = QRectF(outer.topLeft(), size)
    inner.moveCenter(outer.center())
    return inner
