"""The guided session as the window sees it: there is at most one, and it gets the live picture."""

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.settings import Settings
from fer_live.datatypes import Frame
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline
from fer_live.window.personal.guided_dialog import GuidedDialog


class GuidedSession(QObject):
    """Opens the dialog of a guided session; `ended` is emitted when the dialog is closed."""

    ended = pyqtSignal()

    def __init__(self, parent: QWidget, session: LiveSession) -> None:
        super().__init__(parent)
        self._parent, self._session = parent, session
        self._dialog: GuidedDialog | None = None

    def open(self, pipeline: Pipeline, settings: Settings) -> None:
        """Show the dialog; the one that is open already comes to the front."""
        if self._dialog is None:
            self._dialog = GuidedDialog(self._parent, self._session, pipeline, settings)
            self._dialog.ended.connect(self._forget)
        self._dialog.show()
        self._dialog.raise_()

    def show_frame(self, frame: Frame, *, mirror: bool) -> None:
        """Show the live picture in the dialog, where one is open."""
        if self._dialog is not None:
            self._dialog.show_frame(frame, mirror=mirror)

    def end(self) -> None:
        """Close the dialog, where one is open; takes that nobody reviewed are discarded."""
        if self._dialog is not None:
            self._dialog.done(0)

    def _forget(self) -> None:
        self._dialog = None
        self.ended.emit()
