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
from fer_live.window.notices import done, failed, warned


class LiveRecording(QObject):
    """Starts and ends a recording; `mark` is what the picture says meanwhile.

    `ended` is emitted when a recording ends, also by an error, and `said` brings a line for the
    person. `end` does not wait for the disk; `wait` does.
    """

    ended = pyqtSignal()
    said = pyqtSignal(object)
    _failed = pyqtSignal(str)
    _closed = pyqtSignal(object, int)

    def __init__(self, parent: QObject, session: LiveSession) -> None:
        super().__init__(parent)
        self._output = AttachedOutput(session, called="recording")
        self.since_s = 0.0
        self._recorder: Recorder | None = None
        self._failed.connect(self._end_failed)
        self._closed.connect(self._tell)

    @property
    def is_on(self) -> bool:
        """Whether the session is being recorded."""
        return self._output.is_on

    @property
    def mark(self) -> str:
        """The visible sign that the session is recorded, and since when; empty while it is not."""
        return f"● {clock(time.monotonic() - self.since_s)}" if self.is_on else ""

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
            self.said.emit(failed(str(error)))
            return
        self._recorder = recorder
        self._output.begin(recorder, lambda error: self._failed.emit(str(error)))
        self.since_s = time.monotonic()

    def end(self) -> None:
        """Finish the recording; what waits is written on another thread."""
        worker, recorder = self._output.worker, self._recorder
        if worker is None:
            return
        self._output.end(lambda: self._closed.emit(recorder, worker.dropped))
        self.ended.emit()

    def wait(self) -> None:
        """Block until every recording that ended is on the disk."""
        self._output.wait()

    def _tell(self, recorder: Recorder, n_dropped: int) -> None:
        """Say what there is now, which is known once the last frame is on the disk."""
        if recorder.is_empty:
            self.said.emit(warned(tr("No picture came, so nothing was recorded")))
            return
        missing = tr(", {number} frames dropped", number=n_dropped) if n_dropped else ""
        line = tr("Recorded; it is in the review tab") + missing
        self.said.emit(done(line, recorder.folder))

    def _end_failed(self, message: str) -> None:
        self.end()
        self.said.emit(failed(message))
