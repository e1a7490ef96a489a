"""Capturing clips for retraining, out of the window's live session."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMessageBox, QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.outputs.worker import SinkWorker
from fer_live.personal.capture import about_now, room_bytes
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.clips import clips_folder
from fer_live.personal.consent import consent_text
from fer_live.recording.history import clock
from fer_live.session.live import LiveSession

if TYPE_CHECKING:
    from fer_live.vision.pipeline import Pipeline


class Capturing(QObject):
    """Starts, pauses and ends a clip; `mark` is what the picture says meanwhile.

    `changed` comes after each of these, and `ended` with a line where something ended it by
    itself. `end` may be told to wait until the clip is on the disk.
    """

    changed = pyqtSignal()
    ended = pyqtSignal(str)
    _failed = pyqtSignal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._recorder: ClipRecorder | None = None
        self._worker: SinkWorker | None = None
        self._session: LiveSession | None = None
        self._closing: list[threading.Thread] = []
        self._failed.connect(self._end_failed)

    @property
    def is_on(self) -> bool:
        """Whether a clip is being captured, or paused."""
        return self._worker is not None

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self._recorder is not None and self._recorder.paused

    @property
    def is_closing(self) -> bool:
        """Whether a clip that ended is still on its way to the disk."""
        return any(thread.is_alive() for thread in self._closing)

    @property
    def mark(self) -> str:
        """The visible sign; empty while nothing is captured."""
        recorder = self._recorder
        if recorder is None:
            return ""
        if recorder.paused:
            return "⏸ " + tr("capture paused, {n} kept", n=recorder.n_kept)
        return "● " + tr(
            "capturing {time}, {n} kept", time=clock(recorder.seconds), n=recorder.n_kept
        )

    def begin(
        self, session: LiveSession, pipeline: "Pipeline", source: str, settings: Settings
    ) -> None:
        """Capture from now on; consent is the caller's to ask for."""
        if self.is_on:
            return
        room = room_bytes(settings)
        self._session = session
        self._recorder = ClipRecorder(clips_folder(), lambda: about_now(pipeline, source), room)
        self._worker = SinkWorker(
            self._recorder, on_failure=lambda error: self._failed.emit(str(error))
        )
        session.attach(self._worker)
        self.changed.emit()

    def set_paused(self, paused: bool) -> None:
        """Pause, or go on."""
        if self._recorder is not None:
            self._recorder.paused = paused
            self.changed.emit()

    def end(self, *, wait: bool = False) -> None:
        """Finish the clip, beside everything else."""
        worker, recorder = self._worker, self._recorder
        self._worker = self._recorder = None
        if worker is None or recorder is None or self._session is None:
            return
        self._session.detach(worker)

        def close() -> None:
            worker.close()
            self.changed.emit()

        thread = threading.Thread(target=close, name="closing", daemon=True)
        self._closing = [t for t in self._closing if t.is_alive()] + [thread]
        thread.start()
        if wait:
            for thread in self._closing:
                thread.join()
        self.changed.emit()

    def _end_failed(self, message: str) -> None:
        self.end()
        self.ended.emit(message)


def ask_for_consent(
    parent: QWidget, settings: Settings, change: Callable[[dict[str, object]], None]
) -> bool:
    """Ask once, and keep the answer."""
    if settings.capture_accepted_on:
        return True
    buttons = QMessageBox.StandardButton
    answer = QMessageBox.question(
        parent, tr("Capture for retraining"), consent_text(), buttons.Yes | buttons.No, buttons.No
    )
    if answer != buttons.Yes:
        return False
    change({"capture_accepted_on": f"{datetime.now():%Y-%m-%d}"})
    return True
