"""Recording the live session, for the review tab."""

import time
from datetime import datetime

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.painting.annotated_video import FramePainter
from fer_live.recording.history import clock
from fer_live.recording.recorder import About, Recorder, recordings_folder
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline


class LiveRecording(QObject):
    """Starts and ends a recording; `mark` is what the picture says meanwhile.

    `ended` is emitted when a recording ends, also by an error, and `said` brings a line for the
    person. `end` does not wait for the disk; `wait` does.
    """

    ended = pyqtSignal()
    said = pyqtSignal(str)
    _failed = pyqtSignal(str)

    def __init__(self, parent: QObject, session: LiveSession) -> None:
        super().__init__(parent)
        self._output = AttachedOutput(session)
        self._since_s = 0.0
        self._failed.connect(self._end_failed)

    @property
    def is_on(self) -> bool:
        """Whether the session is being recorded."""
        return self._output.is_on

    @property
    def mark(self) -> str:
        """The visible sign that the session is recorded, and since when; empty while it is not."""
        return f"● {clock(time.monotonic() - self._since_s)}" if self.is_on else ""

    def begin(
        self, pipeline: Pipeline, source: str, *, with_overlay: bool, called: str = ""
    ) -> None:
        """Record from now on, into a folder that is `called` so; says why where that cannot be."""
        if self.is_on:
            return
        about = About(
            labels=pipeline.labels,
            own_labels=pipeline.own_labels,
            model=pipeline.classifier.name,
            source=source,
            began_at=datetime.now().astimezone(),
            with_overlay=with_overlay,
        )
        paint = FramePainter(pipeline.labels) if with_overlay else None
        try:
            recorder = Recorder(recordings_folder(), about, paint, called)
        except FerLiveError as error:
            self.said.emit(str(error))
            return
        self._output.begin(recorder, lambda error: self._failed.emit(str(error)))
        self._since_s = time.monotonic()

    def end(self) -> None:
        """Finish the recording; what waits is written on another thread."""
        worker = self._output.worker
        if worker is None:
            return
        self._output.end()
        missing = tr(", {number} frames dropped", number=worker.dropped) if worker.dropped else ""
        self.said.emit(tr("Recorded; it is in the review tab") + missing)
        self.ended.emit()

    def wait(self) -> None:
        """Block until every recording that ended is on the disk."""
        self._output.wait()

    def _end_failed(self, message: str) -> None:
        self.end()
        self.said.emit(message)
