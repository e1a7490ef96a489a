"""Measures how long the GUI thread is busy with one thing."""

import time

from PyQt6.QtCore import QObject, QTimer

from fer_live.session.meter import Meter

_EVERY_MS = 20


class Heartbeat(QTimer):
    """Adds the time from each beat to the next to the meter, milliseconds; runs from the start."""

    def __init__(self, parent: QObject, meter: Meter) -> None:
        super().__init__(parent)
        self._meter = meter
        self._last_s = time.monotonic()
        self.timeout.connect(self._beat)
        self.start(_EVERY_MS)

    def _beat(self) -> None:
        now_s = time.monotonic()
        self._meter.add_gui_gap((now_s - self._last_s) * 1000)
        self._last_s = now_s
