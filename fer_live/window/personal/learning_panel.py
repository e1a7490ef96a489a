"""Retraining on the clips: begin, watch, cancel and resume it, then install its model."""

import contextlib
import logging
from collections.abc import Callable, Sequence

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import tr, tr_n
from fer_live.errors import FerLiveError
from fer_live.personal.models import InstalledModel, install_model, list_models
from fer_live.personal.proof import FACES_FILE, Proof, load_proof
from fer_live.personal.retraining import (
    COMMAND,
    Outcome,
    Retraining,
    arguments_for,
    discard,
    finished_run,
    require_training_packages,
    settle,
    unfinished_run,
)
from fer_live.recording.history import clock
from fer_live.window.background import Background
from fer_live.window.personal.compare_dialog import compare_run
from fer_live.window.translated import Translated, as_sentence

_LOOK_EVERY_MS = 250
_LESS_THAN_A_MINUTE_S = 45
_LOG = logging.getLogger(__name__)


class LearningPanel(Translated, QWidget):
    """Shows the retraining that runs, or the one that waits to be resumed or installed.

    `installed` brings the folder of a model that was just installed. `command` is the program that
    a retraining runs, with its first arguments.
    """

    installed = pyqtSignal(str)

    def __init__(
        self,
        settings: Callable[[], Settings],
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__()
        self._settings, self._command = settings, command
        self._run: Retraining | None = None
        self._n_clips = 0
        self._is_ending = False
        self._finished = finished_run()
        self._trouble = ""
        self._background = Background(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._make_widgets()
        self.translate()

    def _make_widgets(self) -> None:
        self._title, self._text = QLabel(), QLabel()
        self._text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.begin_button, self.resume_button = QPushButton(), QPushButton()
        self.cancel_button, self.choose_button = QPushButton(), QPushButton()
        self.install_button, self.discard_button = QPushButton(), QPushButton()
        self.begin_button.clicked.connect(lambda: self.begin())
        self.resume_button.clicked.connect(self.resume)
        self.discard_button.clicked.connect(self._discard)
        self.cancel_button.clicked.connect(self.cancel)
        self.choose_button.clicked.connect(self._choose)
        self.install_button.clicked.connect(self._install)
        row = QHBoxLayout()
        row.addWidget(self.begin_button)
        row.addWidget(self.resume_button)
        row.addWidget(self.discard_button)
        row.addWidget(self.cancel_button)
        row.addWidget(self.choose_button)
        row.addWidget(self.install_button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._title, self._text, self.bar):
            column.addWidget(widget)
        column.addLayout(row)

    @property
    def message(self) -> str:
        """The text that the panel shows now."""
        return self._text.text()

    def set_n_clips(self, n: int) -> None:
        """Tell the panel how many clips there are to learn from."""
        self._n_clips = n
        self._show()

    def begin(self, whose: str = "") -> None:
        """Start a retraining on all clips and takes; `whose` says whose face is learnt."""
        try:
            require_training_packages()
            self._watch(
                Retraining.start(
                    arguments_for(self._start(), whose, self._settings().person), self._command
                )
            )
        except FerLiveError as error:
            self._trouble = str(error)
        self._show()

    def resume(self) -> None:
        """Resume the retraining that was interrupted."""
        run_dir = unfinished_run()
        if run_dir is not None:
            try:
                self._watch(Retraining.resume(run_dir, self._command))
            except FerLiveError as error:
                self._trouble = str(error)
        self._show()

    def cancel(self) -> None:
        """End the retraining that runs; it can be resumed."""
        run, self._run = self._run, None
        self._timer.stop()
        if run is not None:
            self._is_ending = True
            self._background.run(run.cancel, self._has_ended)
        self._trouble = tr("Cancelled; it can be resumed")
        self._show()

    def _discard(self) -> None:
        run_dir, self._trouble = unfinished_run(), ""
        try:
            if run_dir is not None:
                discard(run_dir)
        except FerLiveError as error:
            self._trouble = str(error)
        self._show()

    def _has_ended(self, _: object) -> None:
        self._is_ending = False
        self._show()

    def stop(self) -> None:
        """End the retraining with the window; the next start offers to resume it."""
        if self._run is not None:
            self.cancel()
        self._background.wait()

    def _start(self) -> InstalledModel:
        in_use = self._settings().model
        shipped, *own = list_models()
        return next((model for model in own if str(model.folder) == in_use), shipped)

    def _watch(self, run: Retraining) -> None:
        self._run, self._finished, self._trouble = run, None, ""
        self._timer.start()

    def _look(self) -> None:
        run = self._run
        if run is None or run.is_running:
            self._show()
            return
        self._timer.stop()
        self._run = None
        assert run.outcome is not None
        self._end(run, run.outcome)
        self._show()

    def _end(self, run: Retraining, outcome: Outcome) -> None:
        if outcome.code in (0, 3):
            self._finished = run.run_dir
            return
        # Once faces were found it can be resumed, whatever the mistake was.
        if outcome.code == 2 and not (run.run_dir / FACES_FILE).exists():
            with contextlib.suppress(FerLiveError):  # there is no face in it
                discard(run.run_dir)
        if outcome.asks_whose:
            self._trouble = outcome.message
            self._ask_whose(outcome.message)
        else:
            _LOG.warning("a retraining ended with %d: %s", outcome.code, outcome.message)
            self._trouble = end_in_plain_words(outcome)
            self._text.setToolTip(outcome.message)

    def _ask_whose(self, message: str) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(tr("Several people in a clip"))
        box.setText(tr("Whose face is to be learnt?"))
        box.setInformativeText(message)
        largest = box.addButton(tr("The largest"), QMessageBox.ButtonRole.AcceptRole)
        everyone = box.addButton(tr("All of them"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        for button, whose in ((largest, "largest"), (everyone, "all")):
            if box.clickedButton() is button:
                self.begin(whose)

    def _choose(self) -> None:
        if self._finished is None:
            return
        try:
            wants = compare_run(self._finished, self)
        except FerLiveError as error:
            self._trouble = str(error)
            wants = False
        if wants:
            self._install()
        self._show()

    def _install(self) -> None:
        run_dir = self._finished
        if run_dir is None:
            return
        self.install_button.setEnabled(False)
        self._background.run(lambda: install_model(run_dir), self._was_installed)

    def _was_installed(self, result: object) -> None:
        if isinstance(result, InstalledModel):
            if self._finished is not None:
                settle(self._finished)
            self._finished = None
            self._trouble = tr("{name} is installed and in use", name=result.name)
            self.installed.emit(str(result.folder))
        else:
            self._trouble = str(result)
        self.install_button.setEnabled(True)
        self._show()

    def _proof(self) -> Proof | None:
        try:
            return None if self._finished is None else load_proof(self._finished)
        except FerLiveError as error:
            self._finished, self._trouble = None, str(error)
            return None

    def _show(self) -> None:
        run, proof = self._run, self._proof()
        self.bar.setVisible(run is not None)
        is_free = run is None and not self._is_ending
        can_begin = is_free and self._n_clips > 0
        self.begin_button.setVisible(can_begin)
        can_resume = is_free and unfinished_run() is not None
        self.resume_button.setVisible(can_resume)
        self.discard_button.setVisible(can_resume)
        self.cancel_button.setVisible(run is not None)
        self.choose_button.setVisible(proof is not None and proof.may_ask)
        self.install_button.setVisible(proof is not None and proof.passes)
        if run is not None:
            self._show_progress(run)
        elif proof is not None:
            lines = [as_sentence(proof.verdict()), *_flicker_line(proof), *_skipped_line(proof)]
            self._text.setText("\n".join(lines))
        elif self._trouble:
            self._text.setText(self._trouble)
        elif can_begin:
            self._text.setText(
                tr(
                    "Slower than a calibration, and sometimes better: the network itself learns "
                    "from your clips, on this computer. It takes minutes, more where the computer "
                    "has other work; the app goes on meanwhile. Nothing changes before you install "
                    "the result."
                )
            )
        else:
            self._text.setText(tr("Capture or import clips first."))

    def _show_progress(self, run: Retraining) -> None:
        progress = run.progress
        stages = {
            "faces": tr("finding faces"),
            "calibrate": tr("calibrating"),
            "learn": tr("learning"),
            "export": tr("exporting"),
        }
        self.bar.setValue(round(progress.done * 1000))
        text = as_sentence(stages.get(progress.stage, progress.stage))
        text += ", " + tr("{time} so far", time=clock(progress.elapsed_s))
        if progress.left_s is not None:
            text += ", " + left_in_plain_words(progress.left_s)
        slows = tr("Other programs slow it down, and so does a camera; to pause it, press Ctrl+P.")
        self._text.setText(f"{text}\n{slows}")

    def translate(self) -> None:
        self._title.setText(tr("<b>Learn</b>"))
        self.bar.setAccessibleName(tr("Progress of the retraining"))
        self.begin_button.setText(tr("Re&train"))
        self.resume_button.setText(tr("&Go on"))
        self.discard_button.setText(tr("&Discard it"))
        self.cancel_button.setText(tr("&Cancel"))
        self.choose_button.setText(tr("C&hoose between the two"))
        self.install_button.setText(tr("I&nstall and use"))
        self._show()


def left_in_plain_words(left_s: float) -> str:
    """About how long it still takes, in whole minutes: nobody can know it better."""
    if left_s < _LESS_THAN_A_MINUTE_S:
        return tr("less than a minute left")
    n_minutes = max(round(left_s / 60), 1)
    return tr_n("about {n} minute left", "about {n} minutes left", n_minutes)


def end_in_plain_words(outcome: Outcome) -> str:
    """How a retraining ended that made nothing, and what to do next."""
    if outcome.was_interrupted:
        return tr("It was stopped before it was done. Nothing was changed, and it can go on.")
    if outcome.code == 2 and outcome.message:
        return outcome.message  # the person's to mend, and it says how
    return tr(
        "It ended with an error. Nothing was changed, and your clips and takes are as they were. "
        "Try it once more; if it ends like this again, choose Report a problem in the menu Help."
    )


def _skipped_line(proof: Proof) -> list[str]:
    if not proof.skipped:
        return []
    return [
        tr("{n} files were skipped: {files}", n=len(proof.skipped), files="; ".join(proof.skipped))
    ]


def _flicker_line(proof: Proof) -> list[str]:
    if proof.flicker is None:
        return []
    return [
        tr(
            "The likeliest label switches {after:.0f} times a minute, {before:.0f} before. That "
            "proves nothing: a model that always says the same never switches.",
            before=proof.flicker.before,
            after=proof.flicker.after,
        )
    ]
