"""The bar below the timeline: a box that marks a moment, and a button for each digit."""

import time
from collections.abc import Sequence
from datetime import datetime

from PyQt6.QtCore import QStringListModel, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QCompleter, QHBoxLayout, QLineEdit, QPushButton, QWidget

from fer_live.base.settings import MarkerKey
from fer_live.base.translation import tr
from fer_live.window.translated import Translated

_DIGITS = range(1, 10)
_CHIP_W = 170
_TOLD_FOR_MS = 4000
_MAX_OTHERS = 6
"""Of intervals that no digit names, the last so many have a button."""


class MarkerBar(Translated, QWidget):
    """Asks what happened at a moment: the one at which it was opened, not when it was written.

    It is there while it is open or offered, and where digits have a meaning or an interval lasts.
    `marked`
    brings a text, which may be empty, and its time on the monotonic clock; `key_pressed` a digit
    and the time of the press; `ended` the name of an interval and when it was ended.
    """

    marked = pyqtSignal(str, float)
    key_pressed = pyqtSignal(int, float)
    ended = pyqtSignal(str, float)
    keys_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._at_s: float | None = None
        self._is_offered = False
        self._keys: tuple[MarkerKey, ...] = ()
        self._begun: list[str] = []
        self._chips: list[QPushButton] = []
        self.box = _MomentBox()
        self._recent = QStringListModel(self)
        completer = QCompleter(self._recent, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.box.setCompleter(completer)
        self.box.entered.connect(self._note_moment)
        self.box.returnPressed.connect(lambda: self._finish(""))
        self._mark, self._begin, self._more = QPushButton(), QPushButton(), QPushButton()
        self._mark.clicked.connect(lambda: self._finish(""))
        self._begin.clicked.connect(lambda: self._finish("begin:"))
        self._more.clicked.connect(self.keys_wanted)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.box)
        escape.setContext(Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self.close_box)
        for digit in _DIGITS:
            shortcut = QShortcut(QKeySequence(str(digit)), self)
            shortcut.activated.connect(lambda digit=digit: self._press(digit))
        self._told = QTimer(self)
        self._told.setSingleShot(True)
        self._told.timeout.connect(self.translate)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 4, 6, 4)
        self._row.addWidget(self.box, 1)
        for button in (self._mark, self._begin, self._more):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._row.addWidget(button)
        self._show_parts()
        self.translate()

    @property
    def chips(self) -> list[QPushButton]:
        """The buttons of the digits, then those of other intervals that last."""
        return self._chips

    def open(self) -> None:
        """Ask what happens now."""
        self._at_s = None
        self._note_moment()
        self.box.clear()
        self._show_parts()
        self.box.setFocus()

    def offer(self, is_offered: bool) -> None:
        """Be there without being asked, for instance while something is recorded."""
        if is_offered != self._is_offered:
            self._is_offered = is_offered
            self._show_parts()

    def tell(self, line: str) -> None:
        """Say in the empty box for a few seconds what was marked."""
        self.box.setPlaceholderText(f"✓ {line}")
        self._told.start(_TOLD_FOR_MS)

    def close_box(self) -> None:
        """Mark nothing."""
        self._at_s = None
        self.box.clear()
        self.box.clearFocus()
        self._show_parts()
        self.translate()

    def show_choices(
        self, keys: tuple[MarkerKey, ...], begun: Sequence[str], recent: Sequence[str]
    ) -> None:
        """Offer these keys, let the intervals that last be ended, and offer the last texts."""
        if list(recent) != self._recent.stringList():
            self._recent.setStringList(list(recent))
        if (keys, list(begun)) != (self._keys, self._begun):
            self._keys, self._begun = keys, list(begun)
            self._make_chips()
            self._show_parts()

    def _make_chips(self) -> None:
        for chip in self._chips:
            self._row.removeWidget(chip)
            chip.deleteLater()
        self._chips = []
        for digit, key in enumerate(self._keys, 1):
            if key.text:
                chip = self._chip(f"{digit}  {key.text}", is_on=key.text in self._begun)
                chip.clicked.connect(lambda _, digit=digit: self._press(digit))
        named = {key.text for key in self._keys}
        others = [name for name in self._begun if name not in named]
        for name in others[-_MAX_OTHERS:]:
            chip = self._chip(f"■  {name}", is_on=True)
            chip.clicked.connect(lambda _, name=name: self.ended.emit(name, time.monotonic()))

    def _chip(self, text: str, *, is_on: bool) -> QPushButton:
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _CHIP_W - 24)
        chip = QPushButton(shown.replace("&", "&&"))
        chip.setToolTip(tr("{text}: lasts until pressed again", text=text) if is_on else text)
        chip.setCheckable(is_on)
        chip.setChecked(is_on)
        chip.setMaximumWidth(_CHIP_W)
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._row.insertWidget(self._row.count() - 1, chip)
        self._chips.append(chip)
        return chip

    def _press(self, digit: int) -> None:
        self.key_pressed.emit(digit, time.monotonic())

    def _note_moment(self) -> None:
        if self._at_s is None:
            self._at_s = time.monotonic()
            at = f"{datetime.now():%H:%M:%S.%f}"[:-5]
            text = tr("What happened at {time}? Enter marks it, Esc does not", time=at)
            self.box.setPlaceholderText(text)

    def _finish(self, head: str) -> None:
        at_s = time.monotonic() if self._at_s is None else self._at_s
        text = self.box.text().strip()
        self.close_box()
        self.marked.emit(head + text if text else "", at_s)

    def _show_parts(self) -> None:
        is_open = self._at_s is not None
        self._begin.setVisible(is_open)
        self._mark.setVisible(is_open)
        has_chips = bool(self._begun) or any(key.text for key in self._keys)
        self.setVisible(is_open or has_chips or self._is_offered)

    def translate(self) -> None:
        if self._at_s is None:
            self.box.setPlaceholderText(tr("K: what happens now"))
        self.box.setAccessibleName(tr("marker"))
        self._mark.setText(tr("Mark"))
        self._begin.setText(tr("Begin interval"))
        self._begin.setToolTip(tr("It lasts until you end it by its button"))
        self._more.setText(tr("Keys…"))
        self._more.setToolTip(tr("What the keys 1 to 9 mark, and markers from other programs"))


class _MomentBox(QLineEdit):
    """Tells when it is entered."""

    entered = pyqtSignal()

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  # Qt's name
        super().focusInEvent(event)
        if event is not None and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.entered.emit()
