"""What was changed in a recording, to be undone and done again."""

from collections.abc import Callable

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QUndoCommand, QUndoStack
from PyQt6.QtWidgets import QMessageBox, QWidget

from fer_live.errors import FerLiveError


class Changes(QUndoStack):
    """The changes of the recording that is open; one that the disk refuses is forgotten."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)

    def make(self, text: str, do: Callable[[], bool], undo: Callable[[], bool]) -> None:
        """Carry a change out, and keep how it is undone; both tell whether they could."""
        self.push(_Change(text, do, undo))


class _Change(QUndoCommand):
    def __init__(self, text: str, do: Callable[[], bool], undo: Callable[[], bool]) -> None:
        super().__init__(text)
        self._do, self._undo = do, undo

    def redo(self) -> None:
        self.setObsolete(not self._do())

    def undo(self) -> None:
        self.setObsolete(not self._undo())


def attempt(parent: QWidget, change: Callable[[], object]) -> bool:
    """Change something on the disk; where that fails, say why. Whether it could be done."""
    try:
        change()
    except FerLiveError as error:
        QMessageBox.warning(parent, "FER Live", str(error))
        return False
    return True
