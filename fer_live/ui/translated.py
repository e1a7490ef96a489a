"""A widget whose texts follow the language."""

from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QWidget


class TranslatedWidget(QWidget):
    """Calls `translate` whenever the language changes; a subclass calls it when it is built."""

    def translate(self) -> None:
        """Set every text anew."""
        raise NotImplementedError

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.LanguageChange:
            self.translate()
