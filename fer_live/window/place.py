"""Where the window stands: as it was left, or else fitted to the screen."""

import base64
import binascii

from PyQt6.QtCore import QByteArray, QSize
from PyQt6.QtWidgets import QMainWindow

from fer_live.window.widgets.scrolled import resize_within_screen

_WANTED = QSize(1100, 720)


def place(window: QMainWindow, kept: str) -> None:
    """Put the window where `place_of` says, or, where that is nothing, in the screen's middle."""
    try:
        geometry = QByteArray(base64.b64decode(kept, validate=True))
    except binascii.Error:
        geometry = QByteArray()
    if not geometry.isEmpty() and window.restoreGeometry(geometry):
        return
    resize_within_screen(window, _WANTED)


def place_of(window: QMainWindow) -> str:
    """Place and size, for the settings."""
    return base64.b64encode(window.saveGeometry().data()).decode()
