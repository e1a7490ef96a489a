"""Long work on a recording: on another thread, with its progress and Cancel."""

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QMessageBox, QProgressDialog, QWidget

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.window.background import Background

Tell = Callable[[float], None]
"""Called with the seconds of the recording that are done."""
_STEPS = 1000


class WorkCancelled(Exception):
    """The person pressed Cancel; what was begun is taken away again."""


class Work(QObject):
    """One piece of work at a time; `is_running` until it has ended."""

    _told = pyqtSignal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._background = Background(self)
        self._cancelled = threading.Event()
        self.dialog: QProgressDialog | None = None

    @property
    def is_running(self) -> bool:
        """Whether something is being made."""
        return self.dialog is not None

    def begin(
        self,
        title: str,
        length_s: float,
        do: Callable[[Tell], object],
        then: Callable[[object], None],
    ) -> None:
        """Start `do`; `then` gets its result, unless it failed, which is said, or was cancelled."""
        if self.is_running:
            return
        self._cancelled.clear()
        self.dialog = dialog = QProgressDialog(title, tr("Cancel"), 0, _STEPS, self._parent)
        dialog.setWindowTitle("FER Live")
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        dialog.setMinimumDuration(0)
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.setValue(0)
        dialog.show()
        dialog.canceled.connect(self._cancelled.set)
        self._told.connect(dialog.setValue)
        shown = 0

        def tell(done_s: float) -> None:
            nonlocal shown
            if self._cancelled.is_set():
                raise WorkCancelled
            step = min(round(_STEPS * done_s / max(length_s, 0.001)), _STEPS - 1)
            if step > shown:
                shown = step
                self._told.emit(step)

        def work() -> object:
            try:
                return do(tell)
            except WorkCancelled as cancelled:
                return cancelled

        self._background.run(work, lambda result: self._end(result, then))

    def stop(self) -> None:
        """Cancel what is running, and wait for its end."""
        self._cancelled.set()
        self._background.wait()

    def _end(self, result: object, then: Callable[[object], None]) -> None:
        assert self.dialog is not None
        self._told.disconnect(self.dialog.setValue)
        self.dialog.deleteLater()
        self.dialog.hide()
        self.dialog = None
        if isinstance(result, FerLiveError):
            QMessageBox.warning(self._parent, "FER Live", str(result))
        elif not isinstance(result, WorkCancelled):
            then(result)
