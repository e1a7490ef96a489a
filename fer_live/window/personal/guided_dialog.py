"""The guided session asks for each expression twice and lets the person review each take."""

import contextlib
import time
from collections.abc import Callable

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QImage, QPixmap
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import mark, tr, tr_label
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import FerLiveError
from fer_live.personal.capture import about_now, room_bytes
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.takes import (
    TAKE_SECONDS,
    TakeStep,
    discard_unreviewed,
    keep_take,
    steps,
    unreviewed_folder,
    without,
)
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import Recording
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline

_TICK_MS = 33
_PICTURE_WH = (320, 240)
_ASKED = {
    "neutral": mark("Look as you do when nothing happens"),
    "happiness": mark("Look happy"),
    "surprise": mark("Look surprised"),
    "sadness": mark("Look sad"),
    "anger": mark("Look angry"),
    "disgust": mark("Look disgusted"),
    "fear": mark("Look afraid"),
    "contempt": mark("Look contemptuous"),
}


class GuidedDialog(QDialog):
    """Asks for one expression after another and keeps the takes that the person approves.

    Each take is recorded for `take_s` seconds after a countdown of `countdown_s` seconds, and then
    played. All first takes come before all second ones. What was kept stays when the dialog is
    closed, and the rest is discarded; then `ended` is emitted.
    """

    ended = pyqtSignal()
    _failed = pyqtSignal(str)

    def __init__(
        self,
        parent: QWidget,
        session: LiveSession,
        pipeline: Pipeline,
        settings: Settings,
        *,
        take_s: float = TAKE_SECONDS,
        countdown_s: float = 3.0,
    ) -> None:
        super().__init__(parent)
        self._pipeline, self._settings = pipeline, settings
        self._take_s, self._countdown_s = take_s, countdown_s
        self._remaining = steps(pipeline.labels)
        self._n_steps = len(self._remaining)
        self._began_s = 0.0
        self._output = AttachedOutput(session)
        self._recorder: ClipRecorder | None = None
        self._take: Recording | None = None
        self._player: ClipPlayer | None = None
        self.n_kept = 0
        _discard_unreviewed()  # of a session that was cut off
        self._make_labels()
        self._make_buttons()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._tick: Callable[[], None] = lambda: None
        self._timer.timeout.connect(self._on_tick)
        self._failed.connect(self._tell_failure)
        self._ask()

    def _make_labels(self) -> None:
        self._count, self._asked, self._hint = QLabel(), QLabel(), QLabel()
        font = self._asked.font()
        font.setPointSizeF(font.pointSizeF() * 1.8)
        self._asked.setFont(font)
        for label in (self._count, self._asked, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setMinimumSize(*_PICTURE_WH)

    def _make_buttons(self) -> None:
        self.record_button, self.keep_button = QPushButton(), QPushButton()
        self.again_button, self.skip_button = QPushButton(), QPushButton()
        self.close_button = QPushButton()
        self.record_button.clicked.connect(self._count_down)
        self.keep_button.clicked.connect(self._keep)
        self.again_button.clicked.connect(self._ask)
        self.skip_button.clicked.connect(self._skip)
        self.close_button.clicked.connect(self.accept)
        self.record_button.setText(tr("&Record"))
        self.keep_button.setText(tr("&Keep"))
        self.again_button.setText(tr("&Again"))
        self.skip_button.setText(tr("&Skip this expression"))
        self.close_button.setText(tr("Close"))
        self._buttons = (
            self.record_button,
            self.keep_button,
            self.again_button,
            self.skip_button,
            self.close_button,
        )

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for button in self._buttons:
            button.setMinimumHeight(34)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 18, 24, 18)
        column.setSpacing(10)
        for widget in (self._count, self._asked, self._hint, self._picture):
            column.addWidget(widget)
        column.addLayout(row)
        self.setMinimumWidth(460)
        self.setWindowTitle(tr("Guided session"))

    @property
    def step(self) -> TakeStep | None:
        """The take that is asked for now; None once all are kept or skipped."""
        return self._remaining[0] if self._remaining else None

    def done(self, result: int) -> None:
        self._timer.stop()
        self._close_player()
        self._end_recording()
        _discard_unreviewed()
        super().done(result)
        self.ended.emit()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.done(0)
        super().closeEvent(event)

    def show_frame(self, frame: Frame, *, mirror: bool) -> None:
        """Show the live picture without what the model reads in it, unless a take is played."""
        if self._player is None:
            self._show_picture(frame.image_bgr[:, ::-1] if mirror else frame.image_bgr)

    def _on_tick(self) -> None:
        try:
            self._tick()
        except FerLiveError as error:
            self._tell_failure(str(error))

    def _tell_failure(self, message: str) -> None:
        """Say why a take failed: the disk is full, say, or the clips have reached their limit."""
        self._timer.stop()
        self._end_recording()
        _discard_unreviewed()
        self._hint.setText(message)
        self._offer(self.again_button, self.skip_button)

    def _ask(self) -> None:
        """Ask for the next take, or say that there is none left."""
        self._close_player()
        self._drop_take()
        self._picture.clear()
        step = self.step
        if step is None:
            self._count.clear()
            self._asked.setText(tr("Thank you"))
            self._hint.setText(
                tr(
                    "{n} takes are kept. Retrain now: they are learnt, and they prove it.",
                    n=self.n_kept,
                )
            )
            self._offer(self.close_button)
            return
        done = self._n_steps - len(self._remaining)
        self._count.setText(tr("{number} of {n}", number=done + 1, n=self._n_steps))
        asked = _ASKED.get(step.label)
        self._asked.setText(tr(asked) if asked else tr("Show: {label}", label=tr_label(step.label)))
        self._hint.setText(
            tr("First take: the model learns from it.")
            if step.take == 1
            else tr("Second take: the proof. It is never learnt from.")
        )
        self._offer(self.record_button, self.skip_button)

    def _count_down(self) -> None:
        self._offer(self.skip_button)
        self._run(self._tick_countdown)

    def _tick_countdown(self) -> None:
        left_s = self._countdown_s - (time.monotonic() - self._began_s)
        if left_s > 0:
            self._hint.setText(str(int(left_s) + 1))
            return
        self._begin_recording()

    def _begin_recording(self) -> None:
        self._recorder = ClipRecorder(
            unreviewed_folder(),
            lambda: about_now(self._pipeline, "guided session"),
            room_bytes(self._settings),
            min_change=0.0,
        )
        self._output.begin(self._recorder, lambda error: self._failed.emit(str(error)))
        self._offer()
        self._run(self._tick_recording)

    def _tick_recording(self) -> None:
        left_s = self._take_s - (time.monotonic() - self._began_s)
        if left_s > 0:
            self._hint.setText("● " + tr("recording, hold it"))
            return
        self._timer.stop()
        recorder = self._end_recording()
        folder = recorder.recorder.folder if recorder and recorder.recorder else None
        if folder is None:
            self._hint.setText(tr("No face was seen. Look at the camera and try again."))
            self._offer(self.again_button, self.skip_button)
            return
        self._take = Recording.open(folder)
        self._player = ClipPlayer(self._take.video)
        self._hint.setText(tr("Is this what was asked for?"))
        self._offer(self.keep_button, self.again_button, self.skip_button)
        self._run(self._tick_player)

    def _tick_player(self) -> None:
        if self._player is None:
            return
        length_s = max(self._player.length_s, 0.1)
        frame = self._player.at((time.monotonic() - self._began_s) % length_s)
        if frame is not None:
            self._show_picture(frame.image_bgr)

    def _show_picture(self, image_bgr: UInt8Array) -> None:
        height, width = image_bgr.shape[:2]
        picture = QImage(image_bgr.tobytes(), width, height, 3 * width, QImage.Format.Format_BGR888)
        shown = QPixmap.fromImage(picture).scaled(
            *_PICTURE_WH,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._picture.setPixmap(shown)

    def _keep(self) -> None:
        step, take = self.step, self._take
        self._close_player()
        if step is None or take is None:
            return
        try:
            keep_take(take, step)
        except FerLiveError as error:
            self._hint.setText(str(error))
            return
        self._take = None
        self.n_kept += 1
        self._remaining = self._remaining[1:]
        self._ask()

    def _skip(self) -> None:
        if self.step is not None:
            before = len(self._remaining)
            self._remaining = without(self._remaining, self.step.label)
            self._n_steps -= before - len(self._remaining)
        self._timer.stop()
        self._ask()

    def _run(self, tick: Callable[[], None]) -> None:
        self._timer.stop()
        self._tick = tick
        self._began_s = time.monotonic()
        self._timer.start()

    def _offer(self, *offered: QPushButton) -> None:
        for button in self._buttons:
            button.setVisible(button in offered)
        if offered:
            offered[0].setDefault(True)
            offered[0].setFocus()

    def _end_recording(self) -> ClipRecorder | None:
        """End the take and wait until it is on the disk, where it is read next."""
        recorder, self._recorder = self._recorder, None
        self._output.end()
        self._output.wait()
        return recorder

    def _close_player(self) -> None:
        self._timer.stop()
        if self._player is not None:
            self._player.close()
            self._player = None

    def _drop_take(self) -> None:
        if self._take is not None:
            self._take = None
            _discard_unreviewed()


def _discard_unreviewed() -> None:
    # What the disk does not let go of now, the next session tries again.
    with contextlib.suppress(FerLiveError):
        discard_unreviewed()
