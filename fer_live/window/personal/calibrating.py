"""The calibration as the window sees it: there is at most one, and it gets the live picture."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.datatypes import Frame
from fer_live.session.live import LiveSession
from fer_live.vision.pipeline import Pipeline
from fer_live.window.personal.capturing import ask_for_consent
from fer_live.window.preferences import Preferences

if TYPE_CHECKING:
    from fer_live.window.personal.calibrate_dialog import CalibrateDialog


class Calibrating(QObject):
    """Opens the dialog of a calibration to the face of one source, the one that `chosen` gives.

    `ended` is emitted when the dialog is closed, and after another model was put to use. `opened`
    asks for the tab behind the dialog. `open_soon` waits for the first picture.
    """

    opened = pyqtSignal()
    ended = pyqtSignal()

    def __init__(
        self, parent: QWidget, chosen: Callable[[], LiveSession], preferences: Preferences
    ) -> None:
        super().__init__(parent)
        self._parent, self._session_to_take, self._preferences = parent, chosen, preferences
        self._session: LiveSession | None = None
        self._dialog: CalibrateDialog | None = None
        self._is_wanted = False

    @property
    def is_recording(self) -> bool:
        """Whether the dialog counts down or records."""
        return self._dialog is not None and self._dialog.is_recording

    def open(self, *, person: str = "") -> None:
        """Show the dialog, once a model is loaded; the one that is open already comes to the front.

        With `person`, it calibrates at once from what is kept of them.
        """
        session = self._session or self._session_to_take()
        pipeline = session.pipeline
        if pipeline is None or not (person or ask_for_consent(self._parent, self._preferences)):
            return
        if self._dialog is None:
            self._session, self._dialog = session, self._made(session, pipeline)
        self.opened.emit()
        self._dialog.show()
        self._dialog.raise_()
        if person:
            self._dialog.begin_kept(person)

    def open_soon(self) -> None:
        """Show the dialog with the first picture."""
        self._is_wanted = True

    def show_frame(self, session: LiveSession, frame: Frame, *, mirror: bool) -> None:
        """Show a live picture of `session` in its dialog, where one is open or wanted."""
        if self._is_wanted:
            self._is_wanted = False
            self.open()
        if self._dialog is not None and session is self._session:
            self._dialog.show_frame(frame, mirror=mirror)

    def end_of(self, session: LiveSession) -> None:
        """Close the dialog of `session`, where one is open."""
        if session is self._session:
            self.end()

    def end(self) -> None:
        """Close the dialog, where one is open; takes that nobody checked are deleted."""
        self._is_wanted = False
        if self._dialog is not None:
            self._dialog.done(0)

    def _made(self, session: LiveSession, pipeline: Pipeline) -> "CalibrateDialog":
        from fer_live.window.personal.calibrate_dialog import CalibrateDialog

        dialog = CalibrateDialog(self._parent, session, pipeline, self._preferences.now)
        dialog.used.connect(self._use)
        dialog.ended.connect(self._forget)
        return dialog

    def _use(self, folder: str | None, person: str) -> None:
        self._preferences.change({"model": folder, "person": person})
        self.ended.emit()

    def _forget(self) -> None:
        self._dialog = self._session = None
        self.ended.emit()
