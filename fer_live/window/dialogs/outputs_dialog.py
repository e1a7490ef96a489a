"""Data out: each output switched on by hand, for this window alone."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QCheckBox, QDialog, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.registry import output_kinds
from fer_live.window.translated import Translated

_STATUS_EVERY_MS = 500


class OutputsDialog(Translated, QDialog):
    """One row for each output that there is.

    `places` are what the person wrote before; elsewhere stands what the output suggests.
    `switch(name, where)` starts an output, or ends it with `where` None, and returns what went
    wrong; `status(name)` says how it does, None where it is off.
    """

    def __init__(
        self,
        parent: QWidget | None,
        places: Mapping[str, str],
        switch: Callable[[str, str | None], str],
        status: Callable[[str], str | None],
    ) -> None:
        super().__init__(parent)
        self._switch, self._status = switch, status
        self._kinds = output_kinds()
        self._rows: dict[str, tuple[QCheckBox, QLineEdit, QLabel]] = {}
        self._trouble = QLabel()
        self._trouble.setWordWrap(True)
        grid = QGridLayout()
        for row, (name, kind) in enumerate(self._kinds.items()):
            place = places.get(name, kind.suggest())
            check, where, how = QCheckBox(), QLineEdit(place), QLabel()
            where.setMinimumWidth(260)
            how.setWordWrap(True)
            how.setMinimumWidth(200)
            how.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            check.clicked.connect(lambda on, name=name: self._clicked(name, on))
            for column, widget in enumerate((check, where, how)):
                grid.addWidget(widget, row, column)
            self._rows[name] = check, where, how
        layout = QVBoxLayout(self)
        layout.addLayout(grid)
        layout.addWidget(self._trouble)
        timer = QTimer(self)
        timer.timeout.connect(self.refresh)
        timer.start(_STATUS_EVERY_MS)
        self.translate()

    def row(self, name: str) -> tuple[QCheckBox, QLineEdit, QLabel]:
        """Of one output: the box that switches it, where to, and how it does."""
        return self._rows[name]

    def refresh(self) -> None:
        """Show of every output whether it runs, and how it does."""
        for name, (check, where, how) in self._rows.items():
            status = self._status(name)
            check.setChecked(status is not None)
            where.setEnabled(status is None)
            how.setText(status or "")

    def _clicked(self, name: str, on: bool) -> None:
        self._trouble.setText(self._switch(name, self._rows[name][1].text() if on else None))
        self.refresh()

    def translate(self) -> None:
        self.setWindowTitle(tr("Data out"))
        for name, (check, where, _) in self._rows.items():
            title = tr(self._kinds[name].title)
            check.setText(title)
            where.setAccessibleName(tr("{name}: where to", name=title))
        self.refresh()
