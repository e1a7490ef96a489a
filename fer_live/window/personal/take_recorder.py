"""Counts down, then records the live session for some seconds: one take, or a clip of all faces."""

import time
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fer_live.base.settings import Settings
from fer_live.errors import FerLiveError
from fer_live.personal.capture import about_now, room_bytes
from fer_live.personal.clip_recorder import MIN_CHANGE, ClipRecorder
from fer_live.personal.clips import CALIBRATION
from fer_live.recording.recorder import Recording
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline

_TICK_MS = 33


class TakeRecorder(QObject):
    """Records once for each `begin`; `pause` stops the clock of a countdown.

    `counting` brings the whole seconds that are left before the recording begins, `recording` the
    share of it that is done, 0 to 1. `recorded` brings the recording, or None where no face was
    seen; `failed` brings a line for the person, and nothing was kept then.
    """

    counting = pyqtSignal(int)
    recording = pyqtSignal(float)
    recorded = pyqtSignal(object)
    failed = pyqtSignal(str)
    _broke = pyqtSignal(str)

    def __init__(self, parent: QObject, session: LiveSession, settings: Settings) -> None:
        super().__init__(parent)
        self._output, self._settings = AttachedOutput(session), settings
        self._recorder: ClipRecorder | None = None
        self._pipeline: Pipeline | None = None
        self._folder = Path()
        self._seconds = self._countdown_s = self._began_s = 0.0
        self._keeps_all = True
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._broke.connect(self._fail)

    @property
    def is_on(self) -> bool:
        """Whether it counts down or records."""
        return self._timer.isActive()

    @property
    def is_recording(self) -> bool:
        """Whether frames are taken now."""
        return self._recorder is not None

    def begin(
        self,
        pipeline: Pipeline,
        folder: Path,
        seconds: float,
        countdown_s: float,
        *,
        keeps_all: bool,
    ) -> None:
        """Count down, then record into a new folder below `folder`.

        Without `keeps_all`, frames in which no face changed are left out.
        """
        self.stop()
        self._pipeline, self._folder, self._seconds = pipeline, folder, seconds
        self._countdown_s, self._keeps_all = countdown_s, keeps_all
        self._began_s = time.monotonic()
        self._timer.start()
        self._tick()

    def stop(self) -> Path | None:
        """End at once; the folder of what was recorded so far, None where nothing was."""
        self._timer.stop()
        recorder, self._recorder = self._recorder, None
        self._output.end()
        self._output.wait()  # it is read next
        return recorder.recorder.folder if recorder and recorder.recorder else None

    def _tick(self) -> None:
        passed_s = time.monotonic() - self._began_s
        if self._recorder is None:
            if passed_s < self._countdown_s:
                self.counting.emit(int(self._countdown_s - passed_s) + 1)
                return
            self._start()
            return
        if passed_s < self._seconds:
            self.recording.emit(passed_s / self._seconds)
            return
        folder = self.stop()
        try:
            recording = None if folder is None else Recording.open(folder)
        except FerLiveError as error:
            self.failed.emit(str(error))
            return
        self.recorded.emit(recording)

    def _start(self) -> None:
        pipeline = self._pipeline
        assert pipeline is not None
        self._recorder = ClipRecorder(
            self._folder,
            lambda: about_now(pipeline, CALIBRATION),
            room_bytes(self._settings),
            min_change=0.0 if self._keeps_all else MIN_CHANGE,
        )
        self._output.begin(self._recorder, lambda error: self._broke.emit(str(error)))
        self._began_s = time.monotonic()
        self.recording.emit(0.0)

    def _fail(self, message: str) -> None:
        if self._recorder is not None:
            self.stop()
            self.failed.emit(message)
