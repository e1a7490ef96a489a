"""Widgets whose texts follow the language."""

import re
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QWidget

if TYPE_CHECKING:
    _Base = QWidget
else:
    _Base = object  # the widget stands beside it: class Page(Translated, QWidget)


class Translated(_Base):
    """Calls `translate` whenever the language changes; a subclass calls it when it is built."""

    def translate(self) -> None:
        """Set every text of this widget in the language spoken now."""
        raise NotImplementedError

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  # Qt's name
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.LanguageChange:
            self.translate()


def plain(text: str) -> str:
    """The text of an action as it reads without its underlined letter: "Open a file…"."""
    return re.sub(r"\(&.\)", "", text).replace("&", "")


def as_sentence(text: str) -> str:
    """The text with a capital letter, for a line that stands alone."""
    return text[:1].upper() + text[1:]
