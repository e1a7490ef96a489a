"""The part of a calibration that asks for single expressions, and lets the person check them."""

from dataclasses import dataclass

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.own_expressions import own_expressions
from fer_live.personal.takes import next_round, unreviewed_folder
from fer_live.recording.recorder import Recording
from fer_live.vision.pipeline import Pipeline
from fer_live.window.personal.calibrate_view import CalibrateView, Choice
from fer_live.window.personal.prompts import asked_for, how_to_show
from fer_live.window.personal.take_recorder import TakeRecorder
from fer_live.window.personal.take_round import TakeRound


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: all sorts of faces, a single expression, and the countdown before each."""

    all_faces_s: float = 10.0
    take_s: float = 3.0
    countdown_s: float = 3.0


class RoundPages(QObject):
    """Asks for each expression once; `over` is emitted when the person has checked what there is.

    A countdown runs by itself from one expression to the next. Nothing that Enter does during it
    loses a take.
    """

    over = pyqtSignal()

    def __init__(
        self, parent: QObject, view: CalibrateView, recorder: TakeRecorder, timing: Timing
    ) -> None:
        super().__init__(parent)
        self._view, self._recorder, self._timing = view, recorder, timing
        self._pipeline: Pipeline | None = None
        self._round = TakeRound("", [])
        recorder.counting.connect(view.preview.count_down)
        recorder.recording.connect(view.preview.show_recording)
        recorder.recorded.connect(self._recorded)
        recorder.failed.connect(self._tell_failure)

    @property
    def is_recording(self) -> bool:
        """Whether it counts down or records."""
        return self._recorder.is_on

    def begin(self, pipeline: Pipeline, person: str) -> None:
        """Say what will be asked for, and wait for the person."""
        self._pipeline = pipeline
        common = pipeline.labels[: len(pipeline.labels) - len(pipeline.own_labels)]
        labels, timing = (*common, *own_expressions(person)), self._timing
        self._round = TakeRound(person, next_round(labels, person))
        self._view.say(
            tr("Single expressions"),
            tr(
                "{n} expressions, one after the other, about {seconds} seconds in all. Each is "
                "counted down, then hold it. Afterwards you see them all and keep the good ones.",
                n=len(labels),
                seconds=round(len(labels) * (timing.take_s + timing.countdown_s)),
            ),
        )
        self._view.show_preview()
        self._view.offer(Choice(tr("&Begin"), self._ask), Choice(tr("Not &now"), self._leave))

    def stop(self) -> None:
        """End a recording; what nobody has checked is not kept."""
        self._recorder.stop()
        self._view.preview.clear()

    def _ask(self) -> None:
        """Record the next take; after the last one, show them all."""
        step = self._round.step
        if step is None:
            self._check()
            return
        to_go = tr("{n} to go", n=len(self._round.remaining))
        self._view.say(asked_for(step.label), f"{how_to_show(step.label)}\n{to_go}".strip())
        self._view.show_preview()
        self._view.preview.show_example(step.label)
        self._view.offer(
            Choice(tr("&Pause"), self._pause),
            Choice(tr("S&kip this one"), self._skip),
            has_default=False,
        )
        assert self._pipeline is not None
        self._recorder.begin(
            self._pipeline,
            unreviewed_folder(self._round.person),
            self._timing.take_s,
            self._timing.countdown_s,
            keeps_all=True,
        )

    def _recorded(self, recording: Recording | None) -> None:
        self._view.preview.clear()
        self._round.add(recording)
        self._ask()

    def _tell_failure(self, message: str) -> None:
        self._view.preview.clear()
        self._view.say(tr("That did not work"), message)
        self._view.offer(
            Choice(tr("&Again"), self._ask),
            Choice(tr("S&kip this one"), self._skip),
            Choice(tr("That is &enough"), self._check),
        )

    def _pause(self) -> None:
        self.stop()
        self._view.hint.setText(tr("Paused"))
        self._view.offer(
            Choice(tr("&Go on"), self._ask), Choice(tr("That is &enough"), self._check)
        )

    def _skip(self) -> None:
        self.stop()
        self._round.skip()
        self._ask()

    def _check(self) -> None:
        self._round.remaining = []
        if not self._round.taken:
            self._leave()
            return
        self._view.check.show_shots(self._round.shots(), can_choose=True)
        self._view.say(
            tr("Which of these show what was asked for?"),
            tr("Uncheck the others: what is kept is learnt from."),
        )
        self._view.show_check()
        self._view.offer(
            Choice(tr("&Keep the checked"), self._keep),
            Choice(tr("Record the others &again"), self._keep_and_go_on),
        )

    def _keep(self) -> None:
        if self._keeps():
            self._leave()

    def _keep_and_go_on(self) -> None:
        if not self._keeps():
            return
        if self._round.step is None:
            self._leave()
        else:
            self._ask()

    def _keeps(self) -> bool:
        try:
            self._round.keep(self._view.check.kept)
        except FerLiveError as error:
            self._view.hint.setText(str(error))
            return False
        return True

    def _leave(self) -> None:
        self.over.emit()
