from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSlider,
    QTabBar,
    QToolButton,
)

from tests.helpers.window import GRAY


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(qtbot, open_window):
    window, _ = open_window(GRAY)
    window._show_settings()
    window._show_outputs()
    for kind in (QPushButton, QToolButton, QCheckBox, QComboBox, QSlider, QLineEdit, QListWidget):
        for widget in window.findChildren(kind):
            if widget.objectName().startswith("qt_") or isinstance(widget.parent(), QTabBar):
                continue
            name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            assert name, f"{widget} has no name"
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{name}: not by keyboard"
    shortcuts = [a.shortcut().toString() for a in window.actions()]
    assert len(set(shortcuts)) == len(shortcuts), "two actions have one key"
