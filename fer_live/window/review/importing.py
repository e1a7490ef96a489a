"""Opening any video as a recording: it is read on another thread, and then is in the list."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import recordings_folder
from fer_live.session.set_up import set_up
from fer_live.vision.pipeline import Pipeline
from fer_live.window.file_dialogs import ask_to_open
from fer_live.window.review.work import Tell, Work


class Importing(QObject):
    """Asks for a video and reads it by a pipeline of its own; `opened` brings its folder."""

    opened = pyqtSignal(object)

    def __init__(self, parent: QWidget, load: Callable[[], Pipeline], work: Work) -> None:
        super().__init__(parent)
        self._parent, self._load, self._work = parent, load, work

    def ask(self) -> None:
        """Ask for a video, and read it."""
        chosen = ask_to_open(self._parent, tr("Open a video"))
        if chosen:
            self.read(Path(chosen))

    def read(self, path: Path) -> None:
        """Read a video into a new recording, which refers to it and leaves it where it is."""
        from fer_live.recording.opened_video import open_video  # not before it is needed

        def read(tell: Tell) -> Path:
            with closing(ClipPlayer(path)) as player:
                length_s = max(player.length_s, 0.001)
            with closing(self._load()) as pipeline:
                return open_video(path, pipeline, recordings_folder(), lambda s: tell(s / length_s))

        title = tr("Reading {name}…", name=path.name)
        self._work.begin(title, 1.0, read, self.opened.emit)


def read_videos_by(load: Callable[[Settings], Pipeline], settings: Settings) -> Pipeline:
    """A pipeline for a video that is read to its end, however long each frame takes."""
    pipeline = load(settings)
    set_up(pipeline, settings)
    pipeline.signals_budget = None
    return pipeline
