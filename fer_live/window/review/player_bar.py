"""The controls below the picture of a recording: play, single frames, speed, time."""

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from fer_live.base.translation import tr
from fer_live.recording.history import clock_tenths
from fer_live.window.review.playback import SPEEDS, Playback
from fer_live.window.translated import Translated


class PlayerBar(Translated, QWidget):
    """Shows and steers a `Playback`; `row` has room for more at its end."""

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self._playback = playback
        self.play = QPushButton()
        self.play.clicked.connect(playback.toggle)
        self.back, self.forward = QPushButton("◂|"), QPushButton("|▸")
        self.speed = QComboBox()
        self.speed.addItems([f"{speed:g}x" for speed in SPEEDS])
        self.speed.activated.connect(lambda place: playback.set_speed(SPEEDS[place]))
        self.clock = QLabel()
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(6, 2, 6, 2)
        for widget in (self.back, self.play, self.forward, self.speed, self.clock):
            self.row.addWidget(widget)
        for button in (self.back, self.forward):
            button.setMaximumWidth(44)
        playback.changed.connect(self._show)
        playback.moved.connect(self.show_time)
        self.translate()

    def show_time(self) -> None:
        """Tell the position and the length, or nothing where nothing is open."""
        length_s = self._playback.length_s
        if length_s is None:
            self.clock.clear()
            return
        now, length = (clock_tenths(s) for s in (self._playback.position_s, length_s))
        self.clock.setText(f"{now} / {length}")

    def _show(self) -> None:
        self.play.setText(tr("Pause") if self._playback.is_playing else tr("Play"))
        self.speed.setCurrentIndex(SPEEDS.index(self._playback.speed))

    def translate(self) -> None:
        self._show()
        self.play.setToolTip(tr("Space"))
        for button, name in (
            (self.back, tr("One frame back (,)")),
            (self.forward, tr("One frame on (.)")),
            (self.speed, tr("Speed")),
        ):
            button.setToolTip(name)
            button.setAccessibleName(name)
