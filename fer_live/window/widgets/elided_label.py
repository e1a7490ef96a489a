"""A line of text that is cut with an ellipsis where there is no room for all of it."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy


class ElidedLabel(QLabel):
    """Shows one line, which takes no room of its own; the whole of it stands in its tooltip."""

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.whole = self._more = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def show_text(self, text: str, more: str = "") -> None:
        """Show this text from now on; the tooltip goes on with `more`."""
        self.whole, self._more = text, more
        self.setToolTip("\n".join(filter(None, (text, more))))
        self.setAccessibleDescription(text)
        self.setText(self.fontMetrics().elidedText(text, self._mode, self.contentsRect().width()))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self.show_text(self.whole, self._more)
