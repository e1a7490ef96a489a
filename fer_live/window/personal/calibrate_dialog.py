"""Calibrates the model to a face: ten seconds of all sorts of faces, and single expressions after
that for those who like. What comes of it is used by the person's word alone."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDialog, QVBoxLayout, QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import FerLiveError
from fer_live.personal.clips import clips_folder, list_clips, list_takes, person_names
from fer_live.personal.models import check_name
from fer_live.recording.recorder import Recording
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline
from fer_live.window.personal.calibrate_view import CalibrateView, Choice
from fer_live.window.personal.calibration_work import CalibrationWork
from fer_live.window.personal.prompts import asked_for
from fer_live.window.personal.result_pages import ResultPages
from fer_live.window.personal.round_pages import RoundPages, Timing
from fer_live.window.personal.take_recorder import TakeRecorder
from fer_live.window.personal.take_round import drop_unreviewed
from fer_live.window.personal.takes_check import Shot, faces_of
from fer_live.window.widgets.scrolled import Scrolled, resize_within_screen

if TYPE_CHECKING:
    from fer_live.personal.personalize import Personalized

_N_THUMBNAILS = 8


class CalibrateDialog(QDialog):
    """Leads through one calibration. `used` brings the folder of a model that is to be used from
    now on, None for the shipped one, and whose it is. `ended` is emitted when it is closed."""

    used = pyqtSignal(object, str)
    ended = pyqtSignal()

    def __init__(
        self,
        parent: QWidget,
        session: LiveSession,
        pipeline: Pipeline,
        settings: Settings,
        timing: Timing = Timing(),  # noqa: B008  # is frozen
    ) -> None:
        super().__init__(parent)
        self._pipeline, self._timing, self._person = pipeline, timing, settings.person
        self._clip: Recording | None = None
        drop_unreviewed()  # of a calibration that was cut off
        self.view = CalibrateView()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Scrolled(self.view))
        self._recorder = TakeRecorder(self, session, settings)
        self._recorder.counting.connect(self.view.preview.count_down)
        self._recorder.recording.connect(self._show_recording)
        self._recorder.recorded.connect(self._clip_recorded)
        self._recorder.failed.connect(self._tell_failure)
        self._round = RoundPages(self, self.view, TakeRecorder(self, session, settings), timing)
        self._round.over.connect(self._after_round)
        self._result = ResultPages(self, self.view)
        self._result.used.connect(self.used)
        self._result.more_wanted.connect(self._begin_round)
        self._result.closed.connect(self.accept)
        self._work = CalibrationWork(self)
        self._work.phase.connect(self.view.hint.setText)
        self._work.ended.connect(self._show_result)
        self.setWindowTitle(tr("Calibrate to a face"))
        resize_within_screen(self, QSize(640, 600))
        self._welcome()

    @property
    def is_recording(self) -> bool:
        """Whether it counts down or records."""
        return self._recorder.is_on or self._round.is_recording

    def show_frame(self, frame: Frame, *, mirror: bool) -> None:
        """Show the live picture, without what the model reads in it: people would act until the
        model agrees."""
        if self.view.preview.isVisible():
            image = frame.image_bgr
            self.view.preview.show_picture(image[:, ::-1] if mirror else image)

    def begin_kept(self, person: str) -> None:
        """Calibrate at once from what is kept of a person."""
        self._person = person
        self._compute()

    def done(self, result: int) -> None:
        self._stop_recording()
        self._round.stop()
        drop_unreviewed()
        self._work.wait()
        super().done(result)
        self.ended.emit()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.done(0)
        super().closeEvent(event)

    def _welcome(self) -> None:
        names = person_names()
        self.view.person.clear()
        self.view.person.addItems(names)
        self.view.person.setCurrentText(self._person)
        self.view.say(
            tr("Calibrate to a face"),
            tr(
                "Make all sorts of faces for ten seconds. The model learns where this face lies "
                "among others; no labels are needed, and everything stays on this computer."
            ),
        )
        self.view.show_form()
        self.view.offer(
            Choice(tr("&Begin"), partial(self._name_and, self._record_all_faces)),
            Choice(tr("&Single expressions"), partial(self._name_and, self._begin_round)),
            Choice(tr("&Close"), self.reject),
        )

    def _name_and(self, go_on: Callable[[], None]) -> None:
        name = self.view.person.currentText().strip()
        try:
            check_name(name)
        except FerLiveError as error:
            self.view.hint.setText(str(error))
            return
        self._person = name
        go_on()

    def _record_all_faces(self) -> None:
        if self._clip is not None:
            self._delete(self._clip)
            self._clip = None
        self.view.say(tr("Make all sorts of faces"), tr("The recording begins in a moment."))
        self.view.show_preview()
        self.view.offer(Choice(tr("&Cancel"), self._cancel_recording), has_default=False)
        folder, timing = clips_folder(self._person), self._timing
        self._recorder.begin(
            self._pipeline, folder, timing.all_faces_s, timing.countdown_s, keeps_all=False
        )

    def _cancel_recording(self) -> None:
        self._stop_recording()
        self.view.preview.clear()
        self._welcome()

    def _stop_recording(self) -> None:
        """What was not recorded to its end is not kept."""
        unfinished = self._recorder.stop()
        if unfinished is not None:
            self._delete(Recording.open(unfinished))

    def _show_recording(self, share: float) -> None:
        self.view.preview.show_recording(share)
        labels = self._pipeline.labels
        number = min(int(share * len(labels)), len(labels) - 1)
        self.view.hint.setText(tr("For instance: {what}", what=asked_for(labels[number])))

    def _clip_recorded(self, clip: Recording | None) -> None:
        self.view.preview.clear()
        self._clip = clip
        if clip is None:
            self._tell_failure(tr("No face was seen. Look at the camera, in more light."))
        else:
            self._check_clip(clip)

    def _check_clip(self, clip: Recording) -> None:
        shots = [Shot("", face) for face in faces_of(clip, _N_THUMBNAILS)]
        self.view.check.show_shots(shots, can_choose=False)
        self.view.say(
            tr("Is this you, with different faces?"), tr("The more they differ, the better.")
        )
        self.view.show_check()
        self.view.offer(
            Choice(tr("&Calibrate"), self._compute),
            Choice(tr("&Record again"), self._record_all_faces),
            Choice(tr("C&lose"), self.reject),
        )

    def _tell_failure(self, message: str) -> None:
        """Say why a recording failed: the disk is full, say, or no face was seen."""
        self.view.preview.clear()
        self.view.say(tr("That did not work"), message)
        self.view.offer(
            Choice(tr("&Again"), self._record_all_faces), Choice(tr("&Close"), self.reject)
        )

    def _begin_round(self) -> None:
        self._round.begin(self._pipeline, self._person)

    def _after_round(self) -> None:
        """Ask what to do with the takes; without any, begin anew."""
        n_takes = len(list_takes(self._person))
        if not n_takes and not list_clips(self._person):
            self._welcome()
            return
        self.view.say(
            tr("{n} takes are kept", n=n_takes),
            tr(
                "Calibrate now. Or record each expression once more: with two takes of an "
                "expression, one can be learnt from and the other one can prove it."
            ),
        )
        self.view.show_preview()
        self.view.offer(
            Choice(tr("&Calibrate"), self._compute),
            Choice(tr("&Once more"), self._begin_round),
            Choice(tr("C&lose"), self.reject),
        )

    def _compute(self) -> None:
        self.view.say(tr("Calibrating"))
        self.view.show_busy()
        self.view.offer()
        self._work.begin(self._person)

    def _show_result(self, result: "Personalized | FerLiveError") -> None:
        self._result.show(result, self._person)

    def _delete(self, clip: Recording) -> None:
        try:
            clip.delete()
        except FerLiveError as error:
            self.view.hint.setText(str(error))
