"""The window as a small picture in front of the others, and as a full screen."""

from PyQt6.QtCore import QByteArray, QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QMainWindow, QToolBar, QWidget

from fer_live.window.pages import Pages

_SMALL = QSize(360, 270)
_LEAST = QSize(200, 150)


class SmallMode(QObject):
    """Hides everything but the picture, and puts all of it back. Escape leaves it, and the full
    screen. `changed` tells whether the window is small now."""

    changed = pyqtSignal(bool)

    def __init__(self, window: QMainWindow, pages: Pages) -> None:
        super().__init__(window)
        self._window, self._pages = window, pages
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window, self._leave)
        self._escape.setEnabled(False)
        self._geometry = QByteArray()
        self._least = QSize()
        self._hidden: list[QWidget] = []

    @property
    def is_on(self) -> bool:
        """Whether the window is small now."""
        return not self._geometry.isEmpty()

    def switch(self, on: bool) -> None:
        """Make the window small and keep it in front, or put it back as it was."""
        if on == self.is_on:
            return
        if on:
            self._shrink()
        else:
            self._grow()
        self._escape.setEnabled(on)
        self.changed.emit(on)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or leave it."""
        self.switch(False)
        window = self._window
        window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)
        self._escape.setEnabled(window.isFullScreen())

    def _leave(self) -> None:
        if self.is_on:
            self.switch(False)
        elif self._window.isFullScreen():
            self.toggle_full_screen()

    def _shrink(self) -> None:
        window = self._window
        self._geometry, self._least = window.saveGeometry(), window.minimumSize()
        around = (window.menuBar(), window.statusBar(), *window.findChildren(QToolBar))
        self._hidden = [part for part in around if part is not None and part.isVisibleTo(window)]
        for part in self._hidden:
            part.hide()
        self._pages.show_picture_alone(True)
        window.setMinimumSize(_LEAST)
        window.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint, True)
        window.showNormal()
        window.resize(_SMALL)

    def _grow(self) -> None:
        window = self._window
        geometry, self._geometry = self._geometry, QByteArray()
        window.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint, False)
        window.setMinimumSize(self._least)
        self._pages.show_picture_alone(False)
        for part in self._hidden:
            part.show()
        window.restoreGeometry(geometry)
        window.show()
