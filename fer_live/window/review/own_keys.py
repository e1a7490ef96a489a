"""Keys that a widget keeps for itself, although the player has them too."""

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QWidget


class OwnKeys(QObject):
    """Space presses a button that has the focus, and Home and End move in a list."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        for kind in (QAbstractButton, QAbstractItemView, QComboBox):
            for widget in page.findChildren(kind):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            in_list = isinstance(watched, QAbstractItemView)
            own = (Qt.Key.Key_Home, Qt.Key.Key_End) if in_list else (Qt.Key.Key_Space,)
            if event.key() in own:
                event.accept()
        return super().eventFilter(watched, event)
