"""Short messages over the window: what was done, what to mind, and what went wrong."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtGui import QEnterEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.window.icons import RED_SIGN, icon
from fer_live.window.links import show_file

Severity = Literal["done", "info", "warning", "error"]

_LOOKS: dict[Severity, tuple[str, str, int]] = {
    "done": ("circle-check", "#2f9e5b", 6000),
    "info": ("info", "#4d93c4", 6000),
    "warning": ("triangle-alert", "#bd6f00", 10_000),
    "error": ("circle-x", RED_SIGN, 0),
}
"""Icon, its colour, and how long it stays (ms; 0: until it is closed)."""
_MOST = 3
_MARGIN = 12
_WIDTH = 420


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for the person. `open_path` is a file or folder that a button opens."""

    text: str
    severity: Severity = "info"
    open_path: Path | None = None


def done(text: str, open_path: Path | None = None) -> Notice:
    """That something was carried out."""
    return Notice(text, "done", open_path)


def warned(text: str) -> Notice:
    """That something is not as it was asked for, and the app goes on."""
    return Notice(text, "warning")


def failed(text: str) -> Notice:
    """That something failed; it stays until it is closed."""
    return Notice(text, "error")


class Notices(QWidget):
    """Lies over the lower left of `parent` and holds the latest messages, the last one lowest.

    The same text is shown once.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        parent.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """What is shown now, the last one at the end."""
        return tuple(card.text for card in self._cards())

    def show_notice(self, notice: Notice) -> None:
        """Show it, in place of the same one, or of the oldest where there is no more room."""
        logging.getLogger(__name__).info("said (%s): %s", notice.severity, notice.text)
        cards = self._cards()
        for card in cards:
            if card.text == notice.text:
                card.leave()
        cards = self._cards()
        if len(cards) >= _MOST:
            cards[0].leave()
        card = _Card(notice, self._settle)
        self._column.addWidget(card)
        self._settle()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  # Qt's name
        if event is not None and event.type() == QEvent.Type.Resize:
            self._settle()
        return super().eventFilter(watched, event)

    def _cards(self) -> list["_Card"]:
        found = (self._column.itemAt(index) for index in range(self._column.count()))
        widgets = (item.widget() for item in found if item is not None)
        return [card for card in widgets if isinstance(card, _Card)]

    def _settle(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        if not self._cards():
            self.hide()
            return
        width = min(_WIDTH, parent.width() - 2 * _MARGIN)
        self.setFixedWidth(max(width, 1))
        self._column.activate()
        height = (
            self._column.totalHeightForWidth(self.width())
            if self._column.hasHeightForWidth()
            else self.sizeHint().height()
        )
        self.resize(self.width(), height)
        self.move(_MARGIN, parent.height() - height - _MARGIN)
        self.show()
        self.raise_()


class _Card(QFrame):
    """One message; it leaves after its time, but not while the pointer rests on it."""

    def __init__(self, notice: Notice, on_left: Callable[[], None]) -> None:
        super().__init__()
        self.text, self._on_left = notice.text, on_left
        name, color, self._stays_ms = _LOOKS[notice.severity]
        self.setObjectName("notice")
        self.setAccessibleName(notice.text)
        picture = QLabel()
        picture.setPixmap(icon(name, color).pixmap(20, 20))
        self._words = QLabel(notice.text)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        close = QToolButton()
        close.setIcon(icon("x"))
        close.setAutoRaise(True)
        close.setAccessibleName(tr("Close this message"))
        close.setToolTip(tr("Close this message"))
        close.clicked.connect(self.leave)
        row = QHBoxLayout(self)
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        path = notice.open_path
        if path is not None:
            opener = QPushButton(tr("Open"))
            opener.setAccessibleName(tr("Open {path}", path=path))
            opener.clicked.connect(lambda: show_file(self.window() or self, path))
            row.addWidget(opener, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.leave)
        self._start()

    def leave(self) -> None:
        """Go away now."""
        self._timer.stop()
        self.hide()
        self.setParent(None)
        self.deleteLater()
        self._on_left()

    def enterEvent(self, event: QEnterEvent | None) -> None:  # noqa: N802  # Qt's name
        self._timer.stop()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        self._start()

    def _start(self) -> None:
        if self._stays_ms:
            self._timer.start(self._stays_ms)
