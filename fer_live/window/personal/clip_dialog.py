"""Plays one clip or take: what was captured, to look at before it is learnt from or deleted."""

import time

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.recording.history import clock
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import Recording
from fer_live.window.personal.preview import Preview

_TICK_MS = 33


class ClipDialog(QDialog):
    """Begins to play as it opens. Raises `SourceError` where the clip cannot be decoded."""

    def __init__(self, parent: QWidget, clip: Recording, title: str) -> None:
        super().__init__(parent)
        self._player = ClipPlayer(clip.video)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.preview, self.clock = Preview(), QLabel()
        self.play, self.slider = QPushButton(), QSlider(Qt.Orientation.Horizontal)
        self.play.setCheckable(True)
        self.play.toggled.connect(self._set_playing)
        self.slider.setRange(0, max(round(self._player.length_s * 1000), 1))
        self.slider.setAccessibleName(tr("Place in the clip"))
        self.slider.valueChanged.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._ticked_at_s = 0.0
        self._lay_out()
        self._show(0)
        self.preview.clear()
        self.preview.setAccessibleName(title)
        self.play.setChecked(True)

    def _lay_out(self) -> None:
        controls = QHBoxLayout()
        controls.addWidget(self.play)
        controls.addWidget(self.slider, 1)
        controls.addWidget(self.clock)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.preview, 1)
        column.addLayout(controls)
        column.addWidget(buttons)

    def done(self, result: int) -> None:
        self._timer.stop()
        self._player.close()
        super().done(result)

    def _set_playing(self, plays: bool) -> None:
        self.play.setText(tr("&Pause") if plays else tr("&Play"))
        if not plays:
            self._timer.stop()
            return
        if self.slider.value() >= self.slider.maximum():
            self.slider.setValue(0)
        self._ticked_at_s = time.monotonic()
        self._timer.start()

    def _tick(self) -> None:
        now_s = time.monotonic()
        passed_s, self._ticked_at_s = now_s - self._ticked_at_s, now_s
        self.slider.setValue(self.slider.value() + round(passed_s * 1000))
        if self.slider.value() >= self.slider.maximum():
            self.play.setChecked(False)

    def _show(self, at_ms: int) -> None:
        frame = self._player.at(at_ms / 1000)
        if frame is not None:
            self.preview.show_picture(frame.image_bgr)
        self.clock.setText(f"{clock(at_ms / 1000)} / {clock(self._player.length_s)}")
