"""The markers of a recording: a list in which they are renamed, moved and deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.clocks import moved
from fer_live.base.translation import tr
from fer_live.outputs.markers import MarkedSpan, clean_text
from fer_live.recording.history import clock_tenths, seconds_in
from fer_live.window.translated import Translated

_FROM, _UNTIL, _TEXT = range(3)


class MarkerEditor(Translated, QWidget):
    """A row for each moment and interval; a click goes there, a double click edits the cell.

    `position_s` is what the buttons "From here" and "Until here" mean by here. `sought` tells the
    time of a row that was clicked, `changed` all markers, in order of time, after each edit.
    `line`, which belongs beside the player's controls, adds a moment.
    """

    sought = pyqtSignal(float)
    changed = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.position_s = 0.0
        self._spans: list[MarkedSpan] = []
        self._length_s = 0.0
        self._utc_at: Callable[[float], datetime] | None = None
        self._title = QLabel()
        self.line = QLineEdit()
        self.line.returnPressed.connect(self._add_line)
        self.table = QTableWidget(0, 3)
        rows = self.table.verticalHeader()
        assert rows is not None
        rows.hide()
        rows.setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.table.horizontalHeader()
        assert header is not None
        for column in (_FROM, _UNTIL):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_TEXT, QHeaderView.ResizeMode.Stretch)
        self.table.cellClicked.connect(lambda row, _: self.sought.emit(self._spans[row].from_s))
        self.table.itemChanged.connect(self._take_edit)
        self._from_here, self._until_here, self._delete = (QPushButton() for _ in range(3))
        self._from_here.clicked.connect(self.move_here)
        self._until_here.clicked.connect(self.end_here)
        self._delete.clicked.connect(self.delete_selected)
        shortcut = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.delete_selected)
        self._lay_out()
        self.translate()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self._from_here, self._until_here, self._delete):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._title)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)

    def show_spans(
        self,
        spans: list[MarkedSpan],
        length_s: float,
        utc_at: Callable[[float], datetime] | None,
    ) -> None:
        """Show the markers of a recording of this length; `utc_at` tells its wall clock."""
        self._spans, self._length_s, self._utc_at = list(spans), length_s, utc_at
        chosen = self.table.currentRow()
        self.table.blockSignals(True)
        self.table.setRowCount(len(spans))
        for row, span in enumerate(spans):
            until = "" if not span.is_interval else "…" if span.to_s is None else None
            until = clock_tenths(span.to_s or 0.0) if until is None else until
            for column, text in ((_FROM, clock_tenths(span.from_s)), (_UNTIL, until)):
                self.table.setItem(row, column, QTableWidgetItem(text))
            item = QTableWidgetItem(span.text)
            item.setToolTip(span.text)
            self.table.setItem(row, _TEXT, item)
        if 0 <= chosen < len(spans):
            self.table.selectRow(chosen)
        self.table.blockSignals(False)

    def add(self, text: str) -> bool:
        """Add a moment at this position; whether anything is left of the text."""
        line = clean_text(text)
        if not line or self._utc_at is None:
            return False
        at_s = round(self.position_s, 3)
        self._change([*self._spans, MarkedSpan(line, at_s, at_s, self._utc_at(at_s), "review")])
        return True

    def _add_line(self) -> None:
        if self.add(self.line.text()):
            self.line.clear()

    def move_here(self) -> None:
        """Let the chosen marker begin at this position; an interval keeps its length."""
        self._replace_chosen(lambda span: self._moved(span, self.position_s))

    def end_here(self) -> None:
        """Let the chosen marker last until this position."""
        self._replace_chosen(lambda span: _until(span, self.position_s))

    def delete_selected(self) -> None:
        """Delete the chosen markers."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        if rows:
            self._change([span for row, span in enumerate(self._spans) if row not in rows])

    def _replace_chosen(self, edit: Callable[[MarkedSpan], MarkedSpan]) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._spans):
            self._change_row(row, edit(self._spans[row]))

    def _change_row(self, row: int, span: MarkedSpan) -> None:
        self._change([*self._spans[:row], span, *self._spans[row + 1 :]])

    def _change(self, spans: list[MarkedSpan]) -> None:
        self.changed.emit(sorted(spans, key=lambda span: span.from_s))

    def _take_edit(self, item: QTableWidgetItem) -> None:
        span, text = self._spans[item.row()], item.text()
        edited = span
        if item.column() == _TEXT:
            edited = replace(span, text=clean_text(text) or span.text)
        elif item.column() == _FROM:
            at_s = seconds_in(text)
            edited = span if at_s is None else self._moved(span, at_s)
        elif not text.strip():
            edited = replace(span, to_s=span.from_s)
        elif text.strip() != "…":
            to_s = seconds_in(text)
            edited = span if to_s is None else _until(span, min(to_s, self._length_s))
        self._change_row(item.row(), edited)

    def _moved(self, span: MarkedSpan, at_s: float) -> MarkedSpan:
        from_s = round(min(max(at_s, 0.0), self._length_s), 3)
        by_s = from_s - span.from_s
        to_s = None if span.to_s is None else round(span.to_s + by_s, 6)
        return replace(span, from_s=from_s, to_s=to_s, utc=moved(span.utc, by_s))

    def translate(self) -> None:
        self._title.setText(tr("Markers"))
        self.line.setPlaceholderText(tr("Marker at this moment, then Enter"))
        self.line.setAccessibleName(tr("Marker at this moment, then Enter"))
        self.table.setHorizontalHeaderLabels([tr("From"), tr("Until"), tr("Text")])
        self.table.setAccessibleName(tr("Markers"))
        self._from_here.setText(tr("From here"))
        self._from_here.setToolTip(tr("The chosen marker begins at what is shown"))
        self._until_here.setText(tr("Until here"))
        self._until_here.setToolTip(
            tr("The chosen marker lasts until what is shown; an empty cell makes it a moment")
        )
        self._delete.setText(tr("Remove"))
        self._delete.setToolTip(tr("Remove the chosen marker"))


def _until(span: MarkedSpan, to_s: float) -> MarkedSpan:
    """The marker with another end; where that is before its begin, the two change places."""
    begin, end = sorted((span.from_s, round(to_s, 3)))
    if begin == span.from_s:
        return replace(span, to_s=end)
    return replace(span, from_s=begin, to_s=end, utc=moved(span.utc, begin - span.from_s))
