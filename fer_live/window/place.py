"""Where the window stands: as it was left, or else fitted to the screen."""

import base64
import binascii

from PyQt6.QtCore import QByteArray
from PyQt6.QtWidgets import QMainWindow

_WANTED = (1100, 720)
_SHARE_OF_SCREEN = 0.9


def place(window: QMainWindow, kept: str) -> None:
    """Put the window where `place_of` says, or, where that is nothing, in the screen's middle."""
    try:
        geometry = QByteArray(base64.b64decode(kept, validate=True))
    except binascii.Error:
        geometry = QByteArray()
    if not geometry.isEmpty() and window.restoreGeometry(geometry):
        return
    screen = window.screen()
    assert screen is not None
    free = screen.availableGeometry()
    width, height = (
        min(wanted, round(side * _SHARE_OF_SCREEN))
        for wanted, side in zip(_WANTED, (free.width(), free.height()), strict=True)
    )
    window.resize(width, height)


def place_of(window: QMainWindow) -> str:
    """Place and size, for the settings."""
    return base64.b64encode(window.saveGeometry().data()).decode()
