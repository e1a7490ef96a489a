"""Runs what would hold the window up on a thread of its own."""

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.errors import FerLiveError


class Background(QObject):
    """`run` starts work on a thread; its `then` gets the result back on the GUI thread."""

    _finished = pyqtSignal(object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._finished.connect(self._deliver)
        self._threads: list[threading.Thread] = []

    def run(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """Start `work`; `then` gets its result, or the `FerLiveError` that it raised."""

        def do() -> None:
            try:
                result = work()
            except FerLiveError as error:
                result = error
            self._finished.emit(then, result)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=do, name="background", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _deliver(self, then: Callable[[object], None], result: object) -> None:
        # A method, not a lambda: Qt forgets it with this object, and what comes later is dropped.
        then(result)

    def wait(self) -> None:
        """Block until all work that was started is done."""
        for thread in self._threads:
            thread.join()
