"""Which source a tile shows, and the change to another one."""

from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.translation import tr
from fer_live.session.live import LiveSession
from fer_live.sources.camera import CameraMode
from fer_live.sources.choice import Camera, Location, SourceChoice
from fer_live.sources.several import NamedSource
from fer_live.window.notices import warned
from fer_live.window.preferences import Preferences

_MAX_RECENT = 5


class ChosenSource(QObject):
    """Opens the source in its live session, and remembers it for the next start.

    `free_name` makes a name one that no other source of the window has. `leaving` is emitted before
    a source is opened, for whatever belongs to the one before, and `chosen` after another one was
    chosen or it got another name. `said` brings a line for the person, `paused` whether the source
    is closed until the person goes on.
    """

    leaving = pyqtSignal()
    chosen = pyqtSignal()
    paused = pyqtSignal(bool)
    said = pyqtSignal(object)

    def __init__(
        self,
        parent: QObject,
        first: NamedSource,
        session: LiveSession,
        preferences: Preferences,
        free_name: Callable[[str], str],
    ) -> None:
        super().__init__(parent)
        self._named, self._session, self._preferences = first, session, preferences
        self._free_name = free_name
        self._name = free_name(first.given_name or first.choice.name)
        self._checked_size = self.is_paused = False

    @property
    def name(self) -> str:
        """The name of the source, as outputs and recordings get it."""
        return self._name

    @property
    def named(self) -> NamedSource:
        """What is open, with the name that the person gave it."""
        return self._named

    @property
    def is_mirrored(self) -> bool:
        """Whether the picture is painted as a mirror shows it."""
        return self.can_be_mirrored and self._preferences.now.mirror

    @property
    def can_be_mirrored(self) -> bool:
        """Whether it is a camera: files are shown as they are."""
        return self._named.choice.is_mirrored

    @property
    def is_camera(self) -> bool:
        """Whether the source is a camera of this computer."""
        return isinstance(self._named.choice, Camera)

    def choose(self, choice: SourceChoice) -> None:
        """Switch to another source. The next start takes a camera again, and offers a location."""
        if isinstance(choice, Camera):
            self._preferences.change({"camera": choice.number, "camera_name": choice.device})
        elif isinstance(choice, Location):
            known = self._preferences.now.recent_locations
            others = [where for where in known if where != choice.where]
            recent = (choice.where, *others)[:_MAX_RECENT]
            self._preferences.change({"recent_locations": recent})
        self._named = replace(self._named, choice=choice)
        if not self._named.given_name:
            self._name = self._free_name(choice.name)
        self.open()
        self.chosen.emit()

    def rename(self, name: str) -> None:
        """Call it so from now on, also in outputs; the empty name is that of its choice."""
        self._named = replace(self._named, given_name=name)
        self._name = self._free_name(name or self._named.choice.name)
        self._session.rename(self._name)
        self.chosen.emit()

    def open(self) -> None:
        """Open the source, or open it again."""
        self.leaving.emit()
        self._set_paused(False)
        choice = self._named.choice
        if isinstance(choice, Camera):
            settings = self._preferences.now
            mode = CameraMode(settings.camera_size_wh, settings.camera_fps)
            choice = replace(choice, mode=mode)
        self._checked_size = False
        self._session.open(choice.open, self._name)

    def set_paused(self, paused: bool) -> None:
        """Close the source, so that a camera's light goes out, or open it again."""
        if paused == self.is_paused:
            return
        if paused:
            self.leaving.emit()
            self._session.close_source()
            self._set_paused(True)
        else:
            self.open()

    def _set_paused(self, paused: bool) -> None:
        if paused != self.is_paused:
            self.is_paused = paused
            self.paused.emit(paused)

    def reopen_camera(self) -> None:
        """Open the source again where it is a camera: another size or rate was set."""
        if self.is_camera and not self.is_paused:
            self.open()

    def check_size(self, width: int, height: int) -> None:
        """Say once that the camera sends another size than the settings ask for."""
        wanted = self._preferences.now.camera_size_wh
        if self._checked_size or not self.is_camera or wanted is None:
            return
        self._checked_size = True
        if wanted != (width, height):
            line = tr(
                "The camera does not do {wanted}; it sends {real}",
                wanted=f"{wanted[0]} x {wanted[1]}",
                real=f"{width} x {height}",
            )
            self.said.emit(warned(line))
