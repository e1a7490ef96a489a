"""Naming the recording that is open; its folder keeps its name."""

from collections.abc import Callable

from PyQt6.QtWidgets import QInputDialog, QWidget

from fer_live.base.translation import tr
from fer_live.recording.shelf import renamed
from fer_live.window.review.changes import Changes, attempt
from fer_live.window.review.opened import Opened


class Renaming:
    """Asks for a name; each can be undone. `show` is called whenever there is another."""

    def __init__(
        self, parent: QWidget, now: Opened, changes: Changes, show: Callable[[], None]
    ) -> None:
        self._parent, self._now, self._changes, self._show = parent, now, changes, show

    def ask(self) -> None:
        """Let the person write a name for the recording that is open; an empty one is none."""
        recording = self._now.recording
        if recording is None:
            return
        name, is_sure = QInputDialog.getText(
            self._parent,
            tr("Name the recording"),
            tr("Name; the folder on the disk keeps its own"),
            text=recording.about.name,
        )
        if is_sure:
            self.name(name)

    def name(self, name: str) -> None:
        """Give the recording that is open this name."""
        recording = self._now.recording
        if recording is None or name == recording.about.name:
            return
        before = recording.about.name
        self._changes.make(tr("Name"), lambda: self._give(name), lambda: self._give(before))

    def _give(self, name: str) -> bool:
        if not attempt(self._parent, lambda: self._rename(name)):
            return False
        self._show()
        return True

    def _rename(self, name: str) -> None:
        assert self._now.recording is not None, "the changes are cleared when it is closed"
        self._now.recording = renamed(self._now.recording, name)
