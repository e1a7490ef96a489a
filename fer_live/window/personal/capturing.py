"""Capturing clips for retraining from the window's live session."""

from datetime import datetime

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.personal.capture import about_now, room_bytes
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.clips import clips_folder
from fer_live.personal.consent import consent_points
from fer_live.recording.history import clock
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline
from fer_live.window.dialogs.question import confirm
from fer_live.window.preferences import Preferences


class Capturing(QObject):
    """Starts, pauses and ends a clip; `mark` is what the picture says meanwhile.

    `changed` is emitted after each of these and once the clip is on the disk. `ended` brings a line
    for the person where an error ended the clip. `end` does not wait for the disk; `wait` does.
    """

    changed = pyqtSignal()
    ended = pyqtSignal(str)
    _failed = pyqtSignal(str)

    def __init__(self, parent: QObject, session: LiveSession) -> None:
        super().__init__(parent)
        self._output = AttachedOutput(session)
        self._recorder: ClipRecorder | None = None
        self._failed.connect(self._end_failed)

    @property
    def is_on(self) -> bool:
        """Whether a clip is being captured, or paused."""
        return self._output.is_on

    @property
    def is_paused(self) -> bool:
        """Whether a clip was begun and takes no frames for now."""
        return self._recorder is not None and self._recorder.paused

    @property
    def is_closing(self) -> bool:
        """Whether a clip that ended is still on its way to the disk."""
        return self._output.is_closing

    @property
    def mark(self) -> str:
        """The visible sign that faces are captured; empty while none are."""
        recorder = self._recorder
        if recorder is None:
            return ""
        if recorder.paused:
            return "⏸ " + tr("capture paused, {n} kept", n=recorder.n_kept)
        return "● " + tr(
            "capturing {time}, {n} kept", time=clock(recorder.seconds), n=recorder.n_kept
        )

    def begin(self, pipeline: Pipeline, source: str, settings: Settings) -> None:
        """Capture from now on; the caller has asked for consent."""
        if self.is_on:
            return
        room = room_bytes(settings)
        self._recorder = ClipRecorder(
            clips_folder(settings.person), lambda: about_now(pipeline, source), room
        )
        self._output.begin(self._recorder, lambda error: self._failed.emit(str(error)))
        self.changed.emit()

    def set_paused(self, paused: bool) -> None:
        """Pause the clip that is being captured, or resume it."""
        if self._recorder is not None:
            self._recorder.paused = paused
            self.changed.emit()

    def end(self) -> None:
        """Finish the clip; what waits is written on another thread."""
        if self._recorder is None:
            return
        self._recorder = None
        self._output.end(on_closed=self.changed.emit)
        self.changed.emit()

    def wait(self) -> None:
        """Block until every clip that ended is on the disk."""
        self._output.wait()

    def _end_failed(self, message: str) -> None:
        self.end()
        self.ended.emit(message)


def ask_for_consent(parent: QWidget, preferences: Preferences) -> bool:
    """Whether the person agrees to be captured; asked until they do, and kept from then on."""
    if preferences.now.capture_accepted_on:
        return True
    points = "".join(f"<p>• {point}</p>" for point in consent_points())
    question = tr("Capture pictures of your face to learn from?")
    if not confirm(parent, tr("Capture your face"), question, points, tr("&Capture")):
        return False
    preferences.change({"capture_accepted_on": f"{datetime.now():%Y-%m-%d}"})
    return True
