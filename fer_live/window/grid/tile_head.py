"""The line above a picture where there are several: name, how it does, Retry and Close."""

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from fer_live.base.translation import tr
from fer_live.window.icons import icon
from fer_live.window.translated import Translated


class Elided(QWidget):
    """A line of text, cut with dots where there is no room for all of it."""

    def __init__(self, *, is_faint: bool, alignment: Qt.AlignmentFlag) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._role = QPalette.ColorRole.PlaceholderText if is_faint else QPalette.ColorRole.Text
        self._alignment = alignment
        self.text = ""

    def show_text(self, text: str) -> None:
        """Show this text, all of it in the tool tip."""
        if text == self.text:
            return
        self.text = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self.text) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(0, QFontMetrics(self.font()).height())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setPen(self.palette().color(self._role))
        elided = QFontMetrics(self.font()).elidedText(
            self.text, Qt.TextElideMode.ElideRight, self.width()
        )
        painter.drawText(self.rect(), int(self._alignment | Qt.AlignmentFlag.AlignVCenter), elided)
        painter.end()


class TileHead(Translated, QWidget):
    """Says which source the tile shows and how that does.

    `retry` and `close_wanted` are emitted by its buttons, `pressed` by a click elsewhere in it and
    `rename` by a double click.
    """

    rename = pyqtSignal()
    retry = pyqtSignal()
    close_wanted = pyqtSignal()
    pressed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._name = Elided(is_faint=False, alignment=Qt.AlignmentFlag.AlignLeft)
        self._status = Elided(is_faint=True, alignment=Qt.AlignmentFlag.AlignRight)
        self._retry, self._close = self._button("rotate-ccw"), self._button("x")
        self._retry.clicked.connect(self.retry)
        self._close.clicked.connect(self.close_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 1, 2, 1)
        row.setSpacing(3)
        row.addWidget(self._name, 3)
        row.addWidget(self._status, 3)
        for button in (self._retry, self._close):
            row.addWidget(button)
        self.translate()

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self._name.text

    @property
    def status(self) -> str:
        """How the source does, as it is shown."""
        return self._status.text

    def show_name(self, name: str) -> None:
        """Show the name of the source."""
        self._name.show_text(name)

    def show_status(self, status: str) -> None:
        """Show how the source does."""
        self._status.show_text(status)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.pressed.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.rename.emit()

    def _button(self, picture: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(picture))
        button.setIconSize(QSize(14, 14))
        button.setAutoRaise(True)
        button.setStyleSheet("padding: 2px; border: none;")  # a line has less room than a toolbar
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def translate(self) -> None:
        for button, text in (
            (self._retry, tr("Try this source again")),
            (self._close, tr("Close this source")),
        ):
            button.setToolTip(text)
            button.setAccessibleName(text)
