"""A card of the dialog *Data out*: one output, with all that a person needs to use it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QFont, QFontDatabase
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
)

from fer_live.base.translation import tr
from fer_live.outputs.kind import OutputKind
from fer_live.window.file_dialogs import ask_to_save
from fer_live.window.links import copy_text, show_file, show_page
from fer_live.window.translated import Translated, as_sentence
from fer_live.window.widgets.elided_label import ElidedLabel

_COPIED_FOR_MS = 1500


@dataclass(frozen=True, slots=True)
class OutputState:
    """How an output does now.

    `is_waiting` is one that is on and begins with the first picture. `counts` says what was sent,
    `address` where receivers find it, `page` where a browser does. `trouble` is what went wrong
    last, and `obstacle` why it cannot be switched on at all; both are empty where all is well.
    `details` are for whoever mends it.
    """

    is_on: bool = False
    is_waiting: bool = False
    counts: str = ""
    last_message: str = ""
    address: str = ""
    page: str = ""
    trouble: str = ""
    details: str = ""
    obstacle: str = ""


class OutputCard(Translated, QFrame):
    """Switches one output on and off, and shows its `OutputState`.

    `switch(where)` starts it, or ends it with None; `test(then)` sends a test and hands what
    happened to `then`.
    """

    def __init__(
        self,
        kind: OutputKind,
        place: str | None,
        switch: Callable[[str | None], None],
        test: Callable[[Callable[[str], None]], None],
    ) -> None:
        super().__init__()
        self._kind, self._switch, self._test_it = kind, switch, test
        self._suggested = kind.suggest()
        self._state = OutputState()
        self._make_widgets(self._suggested if place is None else place)
        self._lay_out()
        self.translate()

    def _make_widgets(self, place: str) -> None:
        self.check, self.where, self.how = QCheckBox(), QLineEdit(place), QLabel()
        bold = QFont(self.font())
        bold.setBold(True)
        self.check.setFont(bold)
        self.check.clicked.connect(self._clicked)
        self.purpose = QLabel()
        self.where.setCursorPosition(len(place))  # the end of a path tells more than its beginning
        self.where.editingFinished.connect(lambda: self.where.end(False))
        self.browse, self.folder, self.copy = QPushButton(), QPushButton(), QPushButton()
        self.page, self.overlay, self.test = QPushButton(), QPushButton(), QPushButton()
        self.browse.clicked.connect(self._choose_file)
        self.folder.clicked.connect(lambda: show_file(self, Path(self.where.text()).parent))
        self.copy.clicked.connect(
            lambda: self._copy(self.copy, self._state.address or self.where.text())
        )
        self.overlay.clicked.connect(
            lambda: self._copy(self.overlay, f"{self._state.page}?transparent=1")
        )
        self.page.clicked.connect(lambda: show_page(self, self._state.page))
        self.test.clicked.connect(lambda: self._test_it(self.show_answer))
        self.address = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self.message = ElidedLabel(Qt.TextElideMode.ElideRight)
        self.message.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.timeout.connect(self.translate)
        self.answer, self.trouble = QLabel(), QLabel()
        self.trouble.setFont(bold)
        for label in (self.purpose, self.how, self.answer, self.trouble):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self.trouble, self.answer, self.address, self.message):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.hide()

    def _lay_out(self) -> None:
        self.setFrameShape(QFrame.Shape.StyledPanel)
        line, buttons, page = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        line.addWidget(self.where, 1)
        buttons.addWidget(self.how, 1)
        if self._kind.writes_file:
            line.addWidget(self.browse)
            line.addWidget(self.folder)
        page.addWidget(self.address, 1)
        if self._kind.has_page:
            page.addWidget(self.overlay)
            page.addWidget(self.page)
        line.addWidget(self.copy)
        buttons.addWidget(self.test)
        column = QVBoxLayout(self)
        column.addWidget(self.check, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.purpose)
        column.addLayout(line)
        column.addLayout(buttons)
        column.addLayout(page)
        for part in (self.message, self.answer, self.trouble):
            column.addWidget(part)

    def show_state(self, state: OutputState) -> None:
        """Show how the output does now."""
        if self._state.is_on and not state.is_on:
            self.show_answer("")
            self._suggest_anew()
        self._state = state
        self.check.setChecked(state.is_on)
        self._enable()
        self.how.setText(self._how())
        for label, text in (
            (self.address, state.address),
            (
                self.message,
                state.last_message and tr("Last: {sent}", sent=state.last_message),
            ),
        ):
            label.show_text(text)
            label.setVisible(bool(text))
        trouble = state.obstacle if not state.is_on and state.obstacle else state.trouble
        self.trouble.setText(f"⚠ {as_sentence(trouble)}" if trouble else "")
        self.trouble.setToolTip(state.details)
        self.trouble.setVisible(bool(trouble))

    def show_answer(self, text: str) -> None:
        """Show what came of a test; empty takes it away."""
        self.answer.setText(text)
        self.answer.setVisible(bool(text))

    def _how(self) -> str:
        state = self._state
        if state.is_waiting:
            return tr("Begins with the first picture")
        return state.counts if state.is_on else tr("Off")

    def _enable(self) -> None:
        """What cannot work now is off, and its tooltip says why."""
        state = self._state
        runs = state.is_on and not state.is_waiting
        first_on, first_off = tr("Switch it on first"), tr("Switch it off first")
        no_page = tr("The page is for this machine alone") if runs else first_on
        nothing = first_on if self._kind.has_page else tr("Nothing is written there")
        has_where = bool(self.where.text()) and not self._kind.has_page
        why_not = {
            self.check: "" if state.is_on else state.obstacle,
            self.where: first_off if state.is_on else "",
            self.browse: first_off if state.is_on else "",
            self.copy: "" if state.address or has_where else nothing,
            self.page: "" if state.page else no_page,
            self.overlay: "" if state.page else no_page,
            self.test: "" if runs else first_on,
            self.folder: ""
            if Path(self.where.text()).parent.is_dir()
            else tr("The folder is made when the output begins"),
        }
        for widget, why in why_not.items():
            widget.setEnabled(not why)
            widget.setToolTip(why)
        if not why_not[self.where]:
            self.where.setToolTip(self.where.text())

    def _clicked(self, on: bool) -> None:
        if on:
            self._suggest_anew()
        self.show_answer("")
        self._switch(self.where.text() if on else None)

    def _suggest_anew(self) -> None:
        """A suggested file that is there by now was written before: the next one has its own."""
        text = self.where.text()
        if self._kind.writes_file and text == self._suggested and Path(text).exists():
            self._suggested = self._kind.suggest()
            self.where.setText(self._suggested)

    def _choose_file(self) -> None:
        kind = self._kind
        suffix = Path(self._suggested).suffix
        chosen = ask_to_save(
            self,
            tr("Where to write {name}", name=tr(kind.title)),
            self.where.text(),
            f"{tr(kind.title)} (*{suffix})",
            may_replace=False,
        )
        if chosen:
            self.where.setText(chosen if Path(chosen).suffix else chosen + suffix)

    def _copy(self, button: QPushButton, text: str) -> None:
        copy_text(text)
        button.setText(tr("Copied"))
        self._copied.start(_COPIED_FOR_MS)

    def translate(self) -> None:
        title = tr(self._kind.title)
        self.check.setText(title)
        self.purpose.setText(tr(self._kind.purpose))
        for button, text in (
            (self.browse, tr("Browse…")),
            (self.folder, tr("Show folder")),
            (self.copy, tr("Copy")),
            (self.page, tr("Open page")),
            (self.overlay, tr("Copy address for OBS")),
            (self.test, tr("Send a test")),
        ):
            button.setText(text)
            button.setAccessibleName(f"{title}: {text}")
        self.check.setAccessibleDescription(tr(self._kind.purpose))
        self.where.setAccessibleName(tr("{name}: where to", name=title))
        self.address.setAccessibleName(tr("{name}: address for receivers", name=title))
        self.message.setAccessibleName(tr("{name}: last message", name=title))
        self.trouble.setAccessibleName(tr("{name}: what is wrong", name=title))
        self.show_state(self._state)
