"""The icon beside the system's clock: the camera can be paused while the window is away."""

from collections.abc import Mapping

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMainWindow, QMenu, QSystemTrayIcon

from fer_live.base.translation import tr

_IN_MENU = ("pause_source", "record", "small", "quit")


class Tray(QObject):
    """Shows the icon where the system has a place for it; a click brings the window to the front.

    The menu holds the window's own actions, so their keys, texts and switches are the same.
    """

    def __init__(self, window: QMainWindow, actions: Mapping[str, QAction]) -> None:
        super().__init__(window)
        self._window = window
        self.menu = QMenu(window)
        self._show = QAction(window)
        self._show.triggered.connect(self._bring_to_front)
        self.menu.addAction(self._show)
        self.menu.addActions([actions[name] for name in _IN_MENU])
        self._icon = QSystemTrayIcon(window.windowIcon(), window)
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._clicked)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._icon.show()
        self.translate()

    def translate(self) -> None:
        """Set the texts in the language spoken now; those of the actions follow by themselves."""
        self._show.setText(tr("Show the window"))
        self._icon.setToolTip("FER Live")

    def hide(self) -> None:
        """Take the icon away, as the window is closed."""
        self._icon.hide()

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._bring_to_front()

    def _bring_to_front(self) -> None:
        window = self._window
        if window.isMinimized():
            window.showNormal()
        window.show()
        window.raise_()
        window.activateWindow()
