"""The menu of the sources: cameras, files, streams, what was opened before, and the demo."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QInputDialog, QMenu, QWidget

from fer_live.base.translation import tr
from fer_live.sources.camera import list_cameras
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
from fer_live.window.file_dialogs import ask_to_open
from fer_live.window.preferences import Preferences
from fer_live.window.translated import Translated

_OPENERS = ("open_file", "open_address")
_OF_SEVERAL = ("next_source", "name_source", "close_source")


class SourceMenu(QMenu):
    """Lists the sources each time it opens, those in use marked.

    `chosen` brings what is to take the place of the chosen source, `added` what is to stand beside
    it. `names` gives the names of the choices that are open, the chosen one's first. `actions` are
    those of the window, by their ids.
    """

    chosen = pyqtSignal(object)
    added = pyqtSignal(object)

    def __init__(
        self,
        parent: QWidget,
        names: Callable[[], list[str]],
        preferences: Preferences,
        actions: Mapping[str, QAction],
    ) -> None:
        super().__init__(parent)
        self._names, self._preferences, self._actions = names, preferences, actions
        self.adding = AddingMenu(self)
        self.adding.aboutToShow.connect(self._fill_adding)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the sources that are there now."""
        self.clear()
        names = self._names()
        self._list(self, names[:1], self.chosen.emit)
        self.addSeparator()
        self.addMenu(self.adding)
        if len(names) > 1:
            self.addActions([self._actions[name] for name in _OF_SEVERAL])

    def show_adding(self) -> None:
        """Let the person choose what to show beside the sources that are there."""
        parent = self.parentWidget()
        assert parent is not None
        self.adding.popup(parent.mapToGlobal(parent.rect().center()))

    def ask_for_file(self) -> None:
        """Let the person choose a video or an image."""
        self._ask_for_file(self.chosen.emit)

    def ask_for_address(self) -> None:
        """Let the person type the address of a stream."""
        self._ask_for_address(self.chosen.emit)

    def _fill_adding(self) -> None:
        self.adding.clear()
        self._list(self.adding, self._names(), self.added.emit)

    def _list(self, menu: QMenu, names: list[str], take: Callable[[SourceChoice], object]) -> None:
        def add(text: str, choice: SourceChoice) -> None:
            action = menu.addAction(text)
            assert action is not None
            action.setCheckable(True)
            action.setChecked(choice.name in names)
            action.triggered.connect(lambda: take(choice))

        cameras = list_cameras()
        for number, name in cameras.items():
            add(name, Camera(number, device=name))
        if not cameras:
            add(tr("camera {number}", number=0), Camera(0))
        menu.addSeparator()
        if menu is self:
            menu.addActions([self._actions[name] for name in _OPENERS])
        else:
            for name, ask in zip(
                _OPENERS, (self._ask_for_file, self._ask_for_address), strict=True
            ):
                action = menu.addAction(self._actions[name].text())
                assert action is not None
                action.triggered.connect(lambda _, ask=ask: ask(take))
        for where in self._preferences.now.recent_locations:
            add(Location(where).name, Location(where))
        menu.addSeparator()
        add(tr("demo"), Demo())

    def _ask_for_file(self, take: Callable[[SourceChoice], object]) -> None:
        parent = self.parentWidget()
        chosen = ask_to_open(parent, tr("Open a video or image"))
        if chosen:
            take(Location(chosen))

    def _ask_for_address(self, take: Callable[[SourceChoice], object]) -> None:
        chosen, accepted = QInputDialog.getText(
            self.parentWidget(),
            tr("Open a stream"),
            tr("Address, for example rtsp://192.168.1.20/stream"),
        )
        if accepted and chosen.strip():
            take(Location(chosen.strip()))


class AddingMenu(Translated, QMenu):
    """The sources once more, to be opened beside those that are there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.translate()

    def translate(self) -> None:
        self.setTitle(tr("A&dd another source…"))
