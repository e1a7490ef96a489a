"""The action that records: red, and while it does, "Stop" with the time it has taken."""

import time

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QAction

from fer_live.base.translation import tr
from fer_live.recording.history import clock
from fer_live.window.icons import RED, icon
from fer_live.window.live_recording import LiveRecording

_EVERY_MS = 500


class RecordClock(QTimer):
    """Keeps the text of `action` true while `recording` is on."""

    def __init__(self, action: QAction, recording: LiveRecording) -> None:
        super().__init__(recording)
        self._action, self._recording = action, recording
        self._icons = icon("circle", RED), icon("circle-stop", "#ffffff")
        self.timeout.connect(self._show_time)

    def show(self) -> None:
        """Take over whether it records now."""
        is_on = self._recording.is_on
        self._action.setChecked(is_on)
        self._action.setIcon(self._icons[is_on])
        if is_on:
            self.start(_EVERY_MS)
        else:
            self.stop()
        self._show_time()

    def _show_time(self) -> None:
        if not self._recording.is_on:
            self._action.setIconText(tr("Record"))
            return
        taken = clock(time.monotonic() - self._recording.since_s)
        self._action.setIconText(tr("Stop {time}", time=taken))
