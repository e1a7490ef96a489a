"""What is larger than its window is scrolled, and no window is larger than its screen."""

from PyQt6.QtCore import QEvent, QObject, QSize, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QStyle, QWidget

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
            inner = self.widget()
            assert inner is not None
            self._lay_out(self._columns, QBoxLayout.Direction.LeftToRight)
            if inner.minimumSizeHint().width() > self.width():
                self._lay_out(self._columns, QBoxLayout.Direction.TopToBottom)
        super().resizeEvent(event)

    def _lay_out(self, columns: QBoxLayout, direction: QBoxLayout.Direction) -> None:
        columns.setDirection(direction)
        inner = self.widget()
        layout = None if inner is None else inner.layout()
        if layout is not None:
            layout.activate()  # those around `columns` remember its size until then


class ScrolledBelow(Scrolled):
    """The same for what stands below something else: as high as its widget, and lower, down to
    `least` pixels, only where the window has no more room."""

    def __init__(self, inner: QWidget, least: int) -> None:
        super().__init__(inner)
        self._least = least
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        inner = self.widget()
        assert inner is not None
        least = inner.minimumSizeHint()
        return QSize(least.width(), min(least.height(), self._least))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if event is not None and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self.updateGeometry()
        return super().eventFilter(watched, event)


def room_for(inner: QWidget) -> QSize:
    """What a scrolled widget takes without scrolling sideways, in the style that it will have."""
    for widget in reversed([inner, *inner.findChildren(QWidget)]):
        widget.ensurePolished()
        if (layout := widget.layout()) is not None:
            layout.invalidate()
            layout.activate()  # before it is shown, layouts within remember how it was made
    style = inner.style()
    assert style is not None
    bar = style.pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    return inner.sizeHint() + QSize(bar, 0)


def resize_within_screen(window: QWidget, wanted: QSize) -> None:
    """Give a window this size, or as much of it as its screen has room for."""
    screen = window.screen()
    assert screen is not None
    window.resize(wanted.boundedTo(screen.availableSize() - _FRAME))
