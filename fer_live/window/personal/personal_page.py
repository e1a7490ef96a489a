"""The personal tab: the clips that were captured, learning from them, and one's own models."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.clips import person_names
from fer_live.personal.forget import (
    check_forgettable,
    forget_person,
    models_learnt_from,
    settings_without,
)
from fer_live.personal.retraining import COMMAND
from fer_live.window.personal.clips_list import ClipsList
from fer_live.window.personal.learning_panel import LearningPanel
from fer_live.window.personal.models_list import ModelsList
from fer_live.window.personal.own_expressions_row import OwnExpressionsRow
from fer_live.window.translated import Translated


class PersonalPage(Translated, QWidget):
    """Three parts in two `columns`: clips, learning and models, all of one person at a time.

    `capture_wanted` and `calibration_wanted` are for the window, which has the camera; the latter
    brings whose kept clips and takes are enough, or "" for a new calibration.
    """

    capture_wanted = pyqtSignal()
    calibration_wanted = pyqtSignal(str)

    def __init__(
        self,
        settings: Callable[[], Settings],
        change: Callable[[dict[str, object]], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__()
        self._settings, self._change = settings, change
        self._is_filling = False
        self.columns = QHBoxLayout(self)
        self.person, self._person_label = QComboBox(), QLabel()
        self.person.currentTextChanged.connect(self._choose_person)
        self.clips = ClipsList(settings)
        self.learning = LearningPanel(settings, command)
        self.models = ModelsList(settings, change)
        self._said = QLabel()
        self._said.setWordWrap(True)
        self.clips.said.connect(self._said.setText)
        self.clips.changed.connect(self.learning.set_n_clips)
        self.learning.installed.connect(self._use)
        self._why = QLabel()
        self._why.setWordWrap(True)
        self.capture_button, self.calibrate_button = QPushButton(), QPushButton()
        self.forget_button = QPushButton()
        self.own = OwnExpressionsRow(settings)
        self.own.said.connect(self._said_own)
        self.capture_button.clicked.connect(self.capture_wanted)
        self.calibrate_button.clicked.connect(lambda: self.calibration_wanted.emit(""))
        self.models.remake_wanted.connect(self.calibration_wanted)
        self.forget_button.clicked.connect(self._ask_to_forget)
        self._lay_out()
        self.translate()

    def _lay_out(self) -> None:
        whose = QHBoxLayout()
        whose.addWidget(self._person_label)
        whose.addWidget(self.person, 1)
        whose.addWidget(self.forget_button)
        self._person_label.setBuddy(self.person)
        captures = QHBoxLayout()
        captures.addWidget(self.calibrate_button)
        captures.addWidget(self.capture_button)
        captures.addStretch()
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self._why)
        left.addLayout(whose)
        left.addLayout(captures)
        left.addWidget(self.own)
        left.addWidget(self.clips, 1)
        left.addWidget(self._said)
        right = QVBoxLayout()
        right.setSpacing(24)
        right.addWidget(self.learning)
        right.addWidget(self.models, 1)
        self.columns.setContentsMargins(18, 14, 18, 14)
        self.columns.setSpacing(28)
        self.columns.addLayout(left, 3)
        self.columns.addLayout(right, 2)

    def refresh(self) -> None:
        """Read clips and models from the disk again."""
        self._show_persons()
        self.own.refresh()
        self.clips.refresh()
        self.models.refresh()

    def stop(self) -> None:
        """End a retraining and wait for other work, before the window is closed."""
        self.learning.stop()
        self.clips.stop()
        self.models.stop()

    def _show_persons(self) -> None:
        """List everyone of whom something is kept, the present one chosen."""
        now = self._settings().person
        names = list(dict.fromkeys([*person_names(), now]))
        self._is_filling = True
        self.person.clear()
        self.person.addItems(names)
        self.person.setCurrentText(now)
        self._is_filling = False

    def _said_own(self, line: str) -> None:
        self._said.setText(line)
        self.clips.refresh()

    def _choose_person(self, name: str) -> None:
        if not self._is_filling and name and name != self._settings().person:
            self._change({"person": name})
            self.refresh()

    def _ask_to_forget(self) -> None:
        """Delete all that is kept of the person and was learnt from it, if they say so."""
        person = self._settings().person
        try:
            check_forgettable(person)
        except FerLiveError as error:
            self._said.setText(str(error))
            return
        models = models_learnt_from(person)
        names = ", ".join(model.name for model in models) or tr("none")
        question = tr(
            "Delete every clip and take of {person} from the disk, the models learnt from them "
            "({models}), and the lists of what was opened and marked last? Recordings, snapshots "
            "and files that you saved stay.",
            person=person,
            models=names,
        )
        answer = QMessageBox.question(self, tr("Delete everything"), question)
        if answer != QMessageBox.StandardButton.Yes:
            return
        self._change(dict(settings_without(person, self._settings())))
        try:
            unread = forget_person(person).unread
            said = tr(
                "No clip, take or model of {person} is left. Recordings are deleted in the tab "
                "Review.",
                person=person,
            )
            if unread:
                said = tr(
                    "What is known to be of {person} is deleted. These models stay: they cannot be "
                    "read, so they may be theirs: {names}. Remove them in the list of models.",
                    person=person,
                    names=", ".join(unread),
                )
            self._said.setText(said)
        except FerLiveError as error:
            self._said.setText(str(error))
        self.refresh()

    def _use(self, folder: str) -> None:
        self._change({"model": folder})
        self.models.refresh()

    def translate(self) -> None:
        self._why.setText(
            tr(
                "The model has never seen you. Ten seconds of all sorts of faces, without any "
                "label, show it your face, your room and your light; single expressions teach it "
                "more, and with two takes of each they prove it."
            )
        )
        self._person_label.setText(tr("P&erson"))
        self.person.setAccessibleName(tr("Whose clips, takes and models these are"))
        self.forget_button.setText(tr("Delete e&verything…"))
        self.calibrate_button.setText(tr("Calibrate to a &face…"))
        self.capture_button.setText(tr("Ca&pture clips"))
