"""Enter presses the button that has the focus, which Qt does in dialogs alone."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QAbstractButton, QWidget

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def press_by_enter(within: QWidget, event: QKeyEvent) -> bool:
    """Press the focused button in a widget where the key is Enter; whether that was done."""
    focused = within.focusWidget()
    if event.key() not in _ENTER or not isinstance(focused, QAbstractButton):
        return False
    if not focused.hasFocus():
        return False
    focused.click()
    return True
