"""What is larger than its window is scrolled, and no window is larger than its screen."""

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QWidget

_FRAME = QSize(16, 48)
"""About what the system draws around a window."""


class Scrolled(QScrollArea):
    """Gives a widget all the room there is, and scroll bars where that is not enough.

    `columns` is a layout of the widget that has its parts side by side: where the room is too
    narrow for that, they stand one below the other.
    """

    def __init__(self, inner: QWidget, columns: QBoxLayout | None = None) -> None:
        super().__init__()
        self._columns = columns
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inner)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        inner = self.widget()
        assert inner is not None
        return inner.sizeHint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        if self._columns is not None:
            self._columns.setDirection(QBoxLayout.Direction.LeftToRight)
            inner = self.widget()
            assert inner is not None
            if inner.minimumSizeHint().width() > self.width():
                self._columns.setDirection(QBoxLayout.Direction.TopToBottom)
        super().resizeEvent(event)


def resize_within_screen(window: QWidget, wanted: QSize) -> None:
    """Give a window this size, or as much of it as its screen has room for."""
    screen = window.screen()
    assert screen is not None
    window.resize(wanted.boundedTo(screen.availableSize() - _FRAME))
