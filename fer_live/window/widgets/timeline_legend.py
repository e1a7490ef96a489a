"""The row above a timeline: what each colour means, and what can be done by a click."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QToolButton, QWidget

from fer_live.base.translation import tr, tr_label
from fer_live.painting.overlay import expression_color
from fer_live.window.translated import Translated
from fer_live.window.widgets.flow_layout import FlowLayout

_CHIP = """
QCheckBox::indicator {{ width: 11px; height: 11px; border: 1px solid palette(placeholder-text);
  border-radius: 3px; background: none; image: none; }}
QCheckBox::indicator:checked {{ background: {color}; image: none; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border: 2px solid palette(highlight); }}
"""
_BUTTON = """
QToolButton { border: 1px solid palette(mid); border-radius: 5px; padding: 1px 5px;
  background: palette(button); color: palette(button-text); }
QToolButton:hover, QToolButton:focus { border-color: palette(highlight); }
QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }
QToolButton:disabled { color: palette(placeholder-text); background: none; }
"""


class TimelineLegend(Translated, QWidget):
    """A chip for each expression, which takes it out of the band and back, and the buttons.

    `chosen` brings the labels that are switched off, as a frozen set.
    """

    chosen = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._labels: tuple[str, ...] = ()
        self.chips: dict[str, QCheckBox] = {}
        self.nearer, self.farther, self.usual = QToolButton(), QToolButton(), QToolButton()
        self.now, self.lines = QToolButton(), QToolButton()
        self.lanes, self.episodes = QToolButton(), QToolButton()
        self._row = FlowLayout(self, gap=6)
        self._row.setContentsMargins(6, 3, 6, 3)
        for button in self.buttons:
            button.setStyleSheet(_BUTTON)
            self._row.addWidget(button)
        for button in (self.lines, self.lanes, self.episodes):
            button.setCheckable(True)
        self.translate()

    def show_labels(self, labels: tuple[str, ...]) -> None:
        """Have a chip for each of these; all are on."""
        if labels == self._labels:
            return
        self._labels = labels
        for chip in self.chips.values():
            self._row.removeWidget(chip)
            chip.deleteLater()
        for button in self.buttons:
            self._row.removeWidget(button)
        self.chips = {label: self._chip(label) for label in labels}
        for button in self.buttons:
            self._row.addWidget(button)
        self.translate()
        self._tell()

    def show_state(self, *, can_go_to_now: bool, is_whole: bool) -> None:
        """Offer the way back to now, and zooming out, where there is any."""
        if self.now.isVisibleTo(self) != can_go_to_now:
            self.now.setVisible(can_go_to_now)
        self.farther.setEnabled(not is_whole)

    @property
    def off(self) -> frozenset[str]:
        """The labels that are switched off."""
        return frozenset(label for label, chip in self.chips.items() if not chip.isChecked())

    def show_every(self) -> None:
        """Switch all expressions on."""
        for chip in self.chips.values():
            chip.setChecked(True)

    @property
    def buttons(self) -> tuple[QToolButton, ...]:
        """All of them, from the left."""
        zooming = (self.farther, self.nearer, self.usual)
        return (*zooming, self.now, self.lines, self.lanes, self.episodes)

    def _chip(self, label: str) -> QCheckBox:
        chip = QCheckBox()
        chip.setChecked(True)
        chip.setStyleSheet(_CHIP.format(color=expression_color(label, self._labels).name()))
        chip.toggled.connect(self._tell)
        self._row.addWidget(chip)
        return chip

    def _tell(self) -> None:
        for chip in self.chips.values():
            font = chip.font()
            font.setStrikeOut(not chip.isChecked())
            chip.setFont(font)
        self.chosen.emit(self.off)

    def translate(self) -> None:
        for label, chip in self.chips.items():
            chip.setText(tr_label(label))
            chip.setToolTip(
                tr("Show {label} in the timeline, or leave it out", label=tr_label(label))
            )
            chip.setAccessibleName(tr("{label} in the timeline", label=tr_label(label)))
        for button, text, tip in (
            (self.nearer, "+", tr("Zoom in (+)")),
            (self.farther, "−", tr("Zoom out (-)")),
            (self.usual, "0", tr("The usual length (0)")),
            (self.now, tr("Back to now"), tr("Follow what happens now")),
            (self.lines, tr("Lines"), tr("A line for each expression, in place of a stack")),
            (self.lanes, tr("All faces"), tr("A lane for each face below the band")),
            (
                self.episodes,
                tr("Episodes"),
                tr("What was shown from when to when; a click goes there"),
            ),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip if len(text) == 1 else text)
