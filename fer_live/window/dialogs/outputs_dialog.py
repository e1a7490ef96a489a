"""Data out: each output switched on by hand, for this window alone."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QCheckBox, QDialog, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.registry import Kind
from fer_live.window.translated import Translated

_STATUS_EVERY_MS = 500


class OutputsDialog(Translated, QDialog):
    """One row per output: a switch, where its data goes, and how it does.

    `places` gives the rows in their order, with what stands in their fields at first, and
    `name(kind)` what a kind is called. `switch(kind, where)` starts an output, or ends it with
    `where` None, and returns what went wrong. `status(kind)` says how it does, None where it is
    off.
    """

    def __init__(
        self,
        parent: QWidget,
        places: Mapping[Kind, str],
        name: Callable[[Kind], str],
        switch: Callable[[Kind, str | None], str],
        status: Callable[[Kind], str | None],
    ) -> None:
        super().__init__(parent)
        self._name, self._switch, self._status = name, switch, status
        self._rows: dict[Kind, tuple[QCheckBox, QLineEdit, QLabel]] = {}
        self._trouble = QLabel()
        self._trouble.setWordWrap(True)
        grid = QGridLayout()
        for row, (kind, place) in enumerate(places.items()):
            check, where, how = QCheckBox(), QLineEdit(place), QLabel()
            where.setMinimumWidth(260)
            how.setWordWrap(True)
            how.setMinimumWidth(200)
            how.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            check.clicked.connect(lambda on, kind=kind: self._clicked(kind, on))
            for column_number, widget in enumerate((check, where, how)):
                grid.addWidget(widget, row, column_number)
            self._rows[kind] = check, where, how
        column = QVBoxLayout(self)
        column.addLayout(grid)
        column.addWidget(self._trouble)
        timer = QTimer(self)
        timer.timeout.connect(self.refresh)
        timer.start(_STATUS_EVERY_MS)
        self.translate()

    def refresh(self) -> None:
        """Show which outputs run now, and how they do."""
        for kind, (check, where, how) in self._rows.items():
            status = self._status(kind)
            check.setChecked(status is not None)
            where.setEnabled(status is None)
            how.setText(status or "")

    def _clicked(self, kind: Kind, on: bool) -> None:
        self._trouble.setText(self._switch(kind, self._rows[kind][1].text() if on else None))
        self.refresh()

    def translate(self) -> None:
        self.setWindowTitle(tr("Data out"))
        for kind, (check, where, _) in self._rows.items():
            name = self._name(kind)
            check.setText(name)
            where.setAccessibleName(tr("{name}: where to", name=name))
        self.refresh()
