"""The real window, used by nobody: it does one thing over and over and tells what it has done.

python -m tests.trust.chaos.app recording|outputs|capture|settings|look FOLDER

Each line of its output is JSON: what had been written, and so may not be lost, when it was said.
`look` is the next start: it tells what is said to the person, and how long it took to the first
picture, also without the time in which other processes had the processors; then it ends by itself.
"""

import itertools
import json
import sys
from pathlib import Path

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from fer_live.base.settings import load_settings, save_settings
from fer_live.session.options import LiveOptions
from fer_live.sources.choice import Demo
from fer_live.sources.several import NamedSource
from fer_live.window import main_window
from fer_live.window.app import run_window
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import Notice
from tests.trust.chaos.processors import alone_s
from tests.trust.counted import CountedWorker, counting_workers

_TELL_EVERY_MS, _MARK_EVERY_MS, _SET_EVERY_MS = 20, 50, 5


class UsedWindow(MainWindow):
    """Begins with its first picture."""

    does, folder = "", Path()

    def __init__(self, *arguments: object, **named: object) -> None:
        self._said: list[str] = []
        self._n_set = itertools.count()
        self._set = self._n_marked = -1
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.first_painted.connect(self._begin)

    def say(self, message: str | Notice, feed: object = None) -> None:
        self._said.append(message if isinstance(message, str) else message.text)
        super().say(message, feed)  # type: ignore[arg-type]

    def _begin(self) -> None:
        if self.does == "look":
            # What is said once the window is there comes with the next turn of the loop.
            QTimer.singleShot(0, self._tell_start)
            return
        if self.does in ("recording", "outputs"):
            self.set_recording(True)
            self._every(_MARK_EVERY_MS, self._mark)
        if self.does == "outputs":
            for name in ("csv", "jsonl"):
                self.data_out.switch(name, str(self.folder / f"faces.{name}"))
        if self.does == "capture":
            self.set_capturing(True)
        if self.does == "settings":
            self._every(_SET_EVERY_MS, self._choose)
        self._every(_TELL_EVERY_MS, self._tell)

    def _tell_start(self) -> None:
        first_s = self._meter.summary()["first_overlay_s"]
        told = {"started_s": first_s, "alone_s": alone_s(first_s), "said": self._said}
        print(json.dumps(told), flush=True)
        QApplication.quit()

    def _every(self, interval_ms: int, what: object) -> None:
        timer = QTimer(self)
        timer.timeout.connect(what)  # type: ignore[arg-type]
        timer.start(interval_ms)

    def _mark(self) -> None:
        self._n_marked += 1
        self.feeds.markers.add(f"m{self._n_marked}", "key")

    def _choose(self) -> None:
        number = next(self._n_set)
        self.preferences.keep({"person": f"p{number}"})
        self._set = number

    def _tell(self) -> None:
        rows = {worker.name: worker.n_faces for worker in CountedWorker.all}
        pictures = {worker.name: worker.written for worker in CountedWorker.all}
        told = {"rows": rows, "pictures": pictures, "set": self._set}
        print(json.dumps(told), flush=True)


def main() -> None:
    """Use the window until it is killed."""
    UsedWindow.does, UsedWindow.folder = sys.argv[1], Path(sys.argv[2])
    settings, _ = load_settings()
    if not settings.notice_accepted_on:
        today = {"notice_accepted_on": "2026-11-26", "capture_accepted_on": "2026-11-26"}
        save_settings(settings.but(provider="cpu", **today))
    main_window.MainWindow = UsedWindow  # type: ignore[misc]
    with counting_workers():
        sys.exit(run_window(LiveOptions(sources=[NamedSource(Demo())])))


if __name__ == "__main__":
    main()
