"""What a calibration looks like: one place for words, one for pictures, one row of buttons.

Nothing jumps: every page has the size of the largest, and a button that is not offered leaves its
place empty.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.window.personal.preview import Preview
from fer_live.window.personal.takes_check import TakesCheck

_N_BUTTONS = 3
_TITLE_SCALE = 1.7


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: its text, and what it does."""

    text: str
    do: Callable[[], None]


class CalibrateView(QWidget):
    """The form, the preview, the check, or the bar; above them words, below them buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.hint = QLabel(), QLabel()
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * _TITLE_SCALE)
        self.title.setFont(font)
        for label in (self.title, self.hint):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setMinimumHeight(3 * self.hint.fontMetrics().lineSpacing())
        self.preview, self.check = Preview(), TakesCheck()
        self.person = QComboBox()
        self.person.setEditable(True)
        self.person.setAccessibleName(tr("Whose face?"))
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Calibrating"))
        self._form, self._busy = self._make_form(), self._make_busy()
        self._pages = QStackedWidget()
        self._pages.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # where no button may have it
        for page in (self._form, self.preview, self.check, self._busy):
            self._pages.addWidget(page)
        self.buttons = [QPushButton() for _ in range(_N_BUTTONS)]
        self._actions: list[Callable[[], None]] = []
        self._lay_out()

    def _make_form(self) -> QWidget:
        page = QWidget()
        form = QFormLayout()
        form.addRow(tr("&Whose face?"), self.person)
        column = QVBoxLayout(page)
        column.addStretch()
        column.addLayout(form)
        column.addStretch()
        return page

    def _make_busy(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.addStretch()
        column.addWidget(self.bar)
        column.addStretch()
        return page

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for number, button in enumerate(self.buttons):
            button.setMinimumHeight(34)
            button.setAutoDefault(False)
            policy = button.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.MinimumExpanding)
            policy.setRetainSizeWhenHidden(True)
            button.setSizePolicy(policy)
            button.clicked.connect(lambda _, number=number: self._actions[number]())
            row.addWidget(button, 1)  # thirds of the row, whatever is written on them
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.hint)
        column.addWidget(self._pages, 1)
        column.addLayout(row)

    def say(self, title: str, hint: str = "") -> None:
        """Set the words above the picture."""
        self.title.setText(title)
        self.hint.setText(hint)

    def offer(self, *choices: Choice, has_default: bool = True) -> None:
        """Offer these, the first by Enter, unless a slip would lose something."""
        self._actions = [choice.do for choice in choices]
        for number, button in enumerate(self.buttons):
            button.setVisible(number < len(choices))
            button.setDefault(False)
            if number < len(choices):
                button.setText(choices[number].text)
        if choices and has_default:
            self.buttons[0].setDefault(True)
            self.buttons[0].setFocus()
        else:
            self._pages.setFocus()

    def show_form(self) -> None:
        """Show the question whose face it is."""
        self._pages.setCurrentWidget(self._form)

    def show_preview(self) -> None:
        """Show the live picture."""
        self._pages.setCurrentWidget(self.preview)

    def show_check(self) -> None:
        """Show the thumbnails."""
        self._pages.setCurrentWidget(self.check)

    def show_busy(self) -> None:
        """Show the bar."""
        self._pages.setCurrentWidget(self._busy)
