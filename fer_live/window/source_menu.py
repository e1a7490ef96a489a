"""The menu of the sources: cameras, files, streams, what was opened before, and the demo."""

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from fer_live.base.translation import tr
from fer_live.sources.camera import list_cameras
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
from fer_live.window.chosen_source import ChosenSource
from fer_live.window.preferences import Preferences


class SourceMenu(QMenu):
    """Lists the sources each time it opens, the one in use marked; `chosen` brings the choice.

    `openers` are the actions that ask for a file and for an address.
    """

    chosen = pyqtSignal(object)

    def __init__(
        self,
        parent: QWidget,
        source: ChosenSource,
        preferences: Preferences,
        openers: Sequence[QAction],
    ) -> None:
        super().__init__(parent)
        self._source, self._preferences, self._openers = source, preferences, openers
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the sources that are there now."""
        self.clear()
        cameras = list_cameras()
        for number, name in cameras.items():
            self._add(name, Camera(number, device=name))
        if not cameras:
            self._add(tr("camera {number}", number=0), Camera(0))
        self.addSeparator()
        self.addActions(self._openers)
        for where in self._preferences.now.recent_locations:
            self._add(Location(where).name, Location(where))
        self.addSeparator()
        self._add(tr("demo"), Demo())

    def ask_for_file(self) -> None:
        """Let the person choose a video or an image."""
        parent = self.parentWidget()
        chosen, _ = QFileDialog.getOpenFileName(parent, tr("Open a video or image"))
        if chosen:
            self.chosen.emit(Location(chosen))

    def ask_for_address(self) -> None:
        """Let the person type the address of a stream."""
        chosen, accepted = QInputDialog.getText(
            self.parentWidget(),
            tr("Open a stream"),
            tr("Address, for example rtsp://192.168.1.20/stream"),
        )
        if accepted and chosen.strip():
            self.chosen.emit(Location(chosen.strip()))

    def _add(self, text: str, choice: SourceChoice) -> None:
        action = self.addAction(text)
        assert action is not None
        action.setCheckable(True)
        action.setChecked(choice.name == self._source.name)
        action.triggered.connect(lambda: self.chosen.emit(choice))
