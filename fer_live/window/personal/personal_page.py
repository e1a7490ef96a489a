"""The personal tab: the clips that were captured, learning from them, and one's own models."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.personal.retraining import COMMAND
from fer_live.window.personal.clips_list import ClipsList
from fer_live.window.personal.learning_panel import LearningPanel
from fer_live.window.personal.models_list import ModelsList
from fer_live.window.translated import Translated


class PersonalPage(Translated, QWidget):
    """Three parts side by side: clips, learning and models.

    `capture_wanted` and `guide_wanted` are for the window, which has the camera.
    """

    capture_wanted = pyqtSignal()
    guide_wanted = pyqtSignal()

    def __init__(
        self,
        settings: Callable[[], Settings],
        change: Callable[[dict[str, object]], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__()
        self._change = change
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
        self.capture_button, self.guide_button = QPushButton(), QPushButton()
        self.capture_button.clicked.connect(self.capture_wanted)
        self.guide_button.clicked.connect(self.guide_wanted)
        self._lay_out()
        self.translate()

    def _lay_out(self) -> None:
        captures = QHBoxLayout()
        captures.addWidget(self.capture_button)
        captures.addWidget(self.guide_button)
        captures.addStretch()
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self._why)
        left.addLayout(captures)
        left.addWidget(self.clips, 1)
        left.addWidget(self._said)
        right = QVBoxLayout()
        right.setSpacing(24)
        right.addWidget(self.learning)
        right.addWidget(self.models, 1)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(18, 14, 18, 14)
        columns.setSpacing(28)
        columns.addLayout(left, 3)
        columns.addLayout(right, 2)

    def refresh(self) -> None:
        """Read clips and models from the disk again."""
        self.clips.refresh()
        self.models.refresh()

    def stop(self) -> None:
        """End a retraining and wait for other work, before the window is closed."""
        self.learning.stop()
        self.clips.stop()

    def _use(self, folder: str) -> None:
        self._change({"model": folder})
        self.models.refresh()

    def translate(self) -> None:
        self._why.setText(
            tr(
                "The model has never seen you. From some minutes of clips, without any label, it "
                "learns your face, your room and your light. A guided session adds a few labels, "
                "and with them a proof."
            )
        )
        self.capture_button.setText(tr("Ca&pture clips"))
        self.guide_button.setText(tr("Gui&ded session…"))
