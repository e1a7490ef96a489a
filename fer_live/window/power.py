"""What the machine's power asks for: a battery that should last, and a camera lost in sleep."""

import time
from collections.abc import Callable

import psutil
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fer_live.base.translation import tr
from fer_live.window.notices import Notice
from fer_live.window.preferences import Preferences

ON_BATTERY_PER_SECOND = 12.0
"""Frames that are read in a second where a battery should last; no expression is shorter."""

_EVERY_MS = 5000
_SLEPT_FOR_S = 15.0


class Power(QObject):
    """Looks every five seconds. On a battery, and where the settings want it, fewer frames are
    read, as `read_at_most` is told; `said` tells the person. `woke` comes after the machine has
    slept.

    `wall_s` is a clock that goes on while the machine sleeps. A jump of it, as when somebody sets
    the clock, is taken for a sleep: the camera is then opened again for nothing, in a moment.
    """

    woke = pyqtSignal()
    said = pyqtSignal(object)

    def __init__(
        self,
        parent: QObject,
        read_at_most: Callable[[float | None], None],
        preferences: Preferences,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._read_at_most, self._preferences = read_at_most, preferences
        self._wall_s = wall_s
        self._looked_at_s = wall_s()
        self._is_sparing = False
        preferences.changed.connect(lambda _: self._spare())
        timer = QTimer(self)
        timer.timeout.connect(self.look)
        timer.start(_EVERY_MS)
        QTimer.singleShot(0, self.look)

    def look(self) -> None:
        """Look now."""
        now_s = self._wall_s()
        slept = now_s - self._looked_at_s > _EVERY_MS / 1000 + _SLEPT_FOR_S
        self._looked_at_s = now_s
        if slept:
            self.woke.emit()
        self._spare()

    def _spare(self) -> None:
        spares = self._preferences.now.spare_battery and on_battery()
        if spares == self._is_sparing:
            return
        self._is_sparing = spares
        self._read_at_most(ON_BATTERY_PER_SECOND if spares else None)
        if spares:
            self.said.emit(Notice(tr("On battery: fewer frames are read; Settings can change it")))


def on_battery() -> bool:
    """Whether the machine lives on its battery now."""
    if not hasattr(psutil, "sensors_battery"):
        return False
    try:
        battery = psutil.sensors_battery()
    except OSError:  # Linux without /sys/class/power_supply, as in some containers
        return False
    return battery is not None and battery.power_plugged is False
