"""Grouping faces of a recording as persons, as one change that can be undone."""

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QWidget

from fer_live.base.translation import tr
from fer_live.recording.persons import Persons, load_persons, save_persons
from fer_live.recording.recorder import Recording
from fer_live.window.dialogs.persons_dialog import PersonsDialog
from fer_live.window.review.changes import Changes, attempt


class Regrouping(QObject):
    """Opens the dialog, which keeps each grouping at once; `show` is called when it is closed."""

    def __init__(
        self, parent: QWidget, recording: Recording, changes: Changes, show: Callable[[], None]
    ) -> None:
        super().__init__(parent)
        self._parent, self._recording = parent, recording
        self._changes, self._show = changes, show
        self._before = load_persons(recording.folder) or Persons()
        dialog = PersonsDialog(recording, parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._take)
        dialog.open()

    def _take(self) -> None:
        before, after = self._before, load_persons(self._recording.folder) or Persons()
        if before == after:
            self._show()
        else:
            self._changes.make(
                tr("Persons"), lambda: self._group(after), lambda: self._group(before)
            )

    def _group(self, persons: Persons) -> bool:
        folder = self._recording.folder
        if not attempt(self._parent, lambda: save_persons(folder, persons)):
            return False
        self._show()
        return True
