"""The action that records: red, and while it does, "Stop" with the time it has taken."""

import time
from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtGui import QAction

from fer_live.base.translation import tr
from fer_live.recording.history import clock
from fer_live.window.icons import RED_SIGN, icon

_EVERY_MS = 500


class RecordClock(QTimer):
    """Keeps the text of `action` true; `since_s` gives when a recording began, None without one."""

    def __init__(
        self, parent: QObject, action: QAction, since_s: Callable[[], float | None]
    ) -> None:
        super().__init__(parent)
        self._action, self._since_s = action, since_s
        self._icons = icon("circle", RED_SIGN), icon("circle-stop", "#ffffff")
        self.timeout.connect(self._show_time)

    def show(self) -> None:
        """Take over whether it records now."""
        is_on = self._since_s() is not None
        self._action.setChecked(is_on)
        self._action.setIcon(self._icons[is_on])
        if is_on:
            self.start(_EVERY_MS)
        else:
            self.stop()
        self._show_time()

    def _show_time(self) -> None:
        since_s = self._since_s()
        if since_s is None:
            self._action.setIconText(tr("Record"))
            return
        taken = clock(time.monotonic() - since_s)
        self._action.setIconText(tr("Stop {time}", time=taken))
