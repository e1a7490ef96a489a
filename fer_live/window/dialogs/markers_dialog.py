"""Markers: what the digits mean, and which other programs are heard."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import MarkerKey
from fer_live.base.translation import tr
from fer_live.outputs.markers import MAX_TEXT, clean_text
from fer_live.session.marker_inputs import MARKER_INPUTS, SUGGESTED_PORT
from fer_live.window.translated import Translated

_N_KEYS = 9
_STATUS_EVERY_MS = 500
_SUGGESTED = {"osc": SUGGESTED_PORT, "lsl": ""}


class MarkersDialog(Translated, QDialog):
    """A line for each digit, and one for each way in.

    `keys_changed` brings all keys after each edit. `places` are the addresses that were given
    before; `switch` and `status` are those of `LiveMarkers`.
    """

    keys_changed = pyqtSignal(tuple)

    def __init__(
        self,
        parent: QWidget | None,
        places: Mapping[str, str],
        switch: Callable[[str, str | None], str],
        status: Callable[[str], str | None],
    ) -> None:
        super().__init__(parent)
        self._switch, self._status = switch, status
        self.keys: list[tuple[QLineEdit, QCheckBox]] = []
        self.inputs: dict[str, tuple[QCheckBox, QLineEdit, QLabel]] = {}
        self._keys_box, self._inputs_box, self._hint = QGroupBox(), QGroupBox(), QLabel()
        self._trouble = QLabel()
        for label in (self._hint, self._trouble):
            label.setWordWrap(True)
        self._make_keys()
        self._make_inputs(places)
        column = QVBoxLayout(self)
        for widget in (self._keys_box, self._inputs_box, self._hint, self._trouble):
            column.addWidget(widget)
        timer = QTimer(self)
        timer.timeout.connect(self.refresh)
        timer.start(_STATUS_EVERY_MS)
        self.translate()

    def _make_keys(self) -> None:
        grid = QGridLayout(self._keys_box)
        for row in range(_N_KEYS):
            text, lasts = QLineEdit(), QCheckBox()
            text.setMaxLength(MAX_TEXT)
            text.setMinimumWidth(240)
            text.editingFinished.connect(self._tell_keys)
            lasts.clicked.connect(self._tell_keys)
            for column, widget in enumerate((QLabel(f"<b>{row + 1}</b>"), text, lasts)):
                grid.addWidget(widget, row, column)
            self.keys.append((text, lasts))

    def _make_inputs(self, places: Mapping[str, str]) -> None:
        grid = QGridLayout(self._inputs_box)
        for row, name in enumerate(MARKER_INPUTS):
            check, how = QCheckBox(), QLabel()
            where = QLineEdit(places.get(name, _SUGGESTED[name]))
            check.clicked.connect(lambda on, name=name: self._clicked(name, on))
            for column, widget in enumerate((check, where, how)):
                grid.addWidget(widget, row, column)
            self.inputs[name] = check, where, how

    def show_keys(self, keys: tuple[MarkerKey, ...]) -> None:
        """Show what the digits mean now."""
        for number, (text, lasts) in enumerate(self.keys):
            key = keys[number] if number < len(keys) else MarkerKey()
            text.setText(key.text)
            lasts.setChecked(key.is_interval)
        self.refresh()

    def refresh(self) -> None:
        """Show of each way in whether it is open, and what came."""
        for name, (check, where, how) in self.inputs.items():
            status = self._status(name)
            check.setChecked(status is not None)
            where.setEnabled(status is None)
            how.setText(status or "")

    def _tell_keys(self) -> None:
        keys = [
            MarkerKey(text=clean_text(text.text()), is_interval=lasts.isChecked())
            for text, lasts in self.keys
        ]
        while keys and not keys[-1].text:
            keys.pop()
        self.keys_changed.emit(tuple(keys))

    def _clicked(self, name: str, on: bool) -> None:
        self._trouble.setText(self._switch(name, self.inputs[name][1].text() if on else None))
        self.refresh()

    def translate(self) -> None:
        self.setWindowTitle(tr("Markers"))
        self._keys_box.setTitle(tr("What the keys 1 to 9 mark in the live view"))
        for number, (text, lasts) in enumerate(self.keys, 1):
            text.setAccessibleName(tr("text of the key {number}", number=number))
            lasts.setText(tr("lasts until pressed again"))
        self._inputs_box.setTitle(tr("From other programs"))
        texts = {
            "osc": (tr("OSC, /fer/marker TEXT"), tr("port")),
            "lsl": (tr("LSL, streams of type Markers"), tr("name; empty: all")),
        }
        for name, (check, where, _) in self.inputs.items():
            check.setText(texts[name][0])
            where.setPlaceholderText(texts[name][1])
            where.setAccessibleName(tr("{name}: where from", name=texts[name][0]))
        self._hint.setText(
            tr(
                "K marks any moment with a text of your own. An interval called exclude is left "
                "out of reports. Over WebSocket, markers come in while that output is on."
            )
        )
