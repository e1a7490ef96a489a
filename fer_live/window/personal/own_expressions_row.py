"""The expressions of a person's own: which there are, and buttons to add and remove one."""

from collections.abc import Callable

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QInputDialog, QLabel, QPushButton, QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.own_expressions import (
    add_own_expression,
    own_expressions,
    remove_own_expression,
)
from fer_live.window.dialogs.question import confirm
from fer_live.window.translated import Translated


class OwnExpressionsRow(Translated, QWidget):
    """Lists them in one line; the next round of single expressions asks for them, too.

    `said` brings a line for the person after each change.
    """

    said = pyqtSignal(str)

    def __init__(self, settings: Callable[[], Settings]) -> None:
        super().__init__()
        self._settings = settings
        self._names = QLabel()
        self._names.setWordWrap(True)
        self.add_button, self.remove_button = QPushButton(), QPushButton()
        self.add_button.clicked.connect(self._ask_for_name)
        self.remove_button.clicked.connect(self._ask_which_to_remove)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._names, 1)
        row.addWidget(self.add_button)
        row.addWidget(self.remove_button)
        self.translate()

    def refresh(self) -> None:
        """Read from the disk which there are."""
        names = own_expressions(self._settings().person)
        listed = ", ".join(names) or tr("none")
        self._names.setText(tr("Expressions of your own: {names}", names=listed))
        self.remove_button.setEnabled(bool(names))

    def add(self, name: str) -> None:
        """Register one, so that the next round asks for it."""
        try:
            added = add_own_expression(name.strip(), person=self._settings().person)
        except FerLiveError as error:
            self.said.emit(str(error))
            return
        self.said.emit(tr("{name}: record it with the single expressions", name=added))
        self.refresh()

    def remove(self, name: str) -> None:
        """Delete one and its takes, if the person says so."""
        question = tr("Delete {name} and all its takes?", name=name)
        details = tr("A model that has learnt it keeps it until it is calibrated anew.")
        if not confirm(self, tr("Remove"), question, details, tr("&Delete")):
            return
        try:
            remove_own_expression(name, self._settings().person)
            self.said.emit(tr("Deleted: {names}", names=name))
        except FerLiveError as error:
            self.said.emit(str(error))
        self.refresh()

    def _ask_for_name(self) -> None:
        title = tr("An expression of your own")
        name, is_given = QInputDialog.getText(self, title, tr("Its name, e.g. wink left"))
        if is_given and name.strip():
            self.add(name)

    def _ask_which_to_remove(self) -> None:
        names = own_expressions(self._settings().person)
        name, is_given = QInputDialog.getItem(self, tr("Remove"), tr("Which?"), names, 0, False)
        if is_given:
            self.remove(name)

    def translate(self) -> None:
        self.add_button.setText(tr("A&dd…"))
        self.remove_button.setText(tr("Rem&ove…"))
        self.refresh()
