"""The recording that is open: its video, and what was read in it."""

import logging
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.datatypes import Frame, FrameResult
from fer_live.errors import FerLiveError
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorded_faces import RecordedFaces, row_index
from fer_live.recording.recorder import FACES_FILE, Recording
from fer_live.recording.row_index import RowIndex, load_index
from fer_live.window.background import Background

_SOON = 4 << 20
"""Bytes of rows that are read before anybody waits, in a tenth of a second or so."""
_LOG = logging.getLogger(__name__)


class Opened(QObject):
    """Opens one recording at a time. Rows of hours that have no index yet are read on a thread of
    their own, and `read` is emitted when they are there; `faces` is None until then.

    Where a recording cannot be played, `trouble` says why, and there is no `player`.
    """

    read = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.recording: Recording | None = None
        self.player: ClipPlayer | None = None
        self.faces: RecordedFaces | None = None
        self.trouble = ""
        self._number = 0
        self._background = Background(self)

    def open(self, folder: Path) -> None:
        """Close what is open, and open the recording in this folder."""
        self.close()
        try:
            self.recording = Recording.open(folder)
            self.player = ClipPlayer(self.recording.video)
        except FerLiveError as error:
            _LOG.warning("a recording cannot be played: %s", type(error).__name__)
            self.trouble = str(error)
            return
        self._read(self.recording)

    def close(self) -> None:
        """Let go of the video, and of what was being read."""
        self._number += 1
        if self.player is not None:
            self.player.close()
        self.player = self.recording = self.faces = None
        self.trouble = ""

    def wait(self) -> None:
        """Block until nothing is being read any more."""
        self._background.wait()

    def read_again(self) -> None:
        """The faces were grouped in another way; their rows and the video are the same."""
        if self.recording is not None:
            self._read(self.recording)

    def result_at(self, time_s: float) -> FrameResult | None:
        """The picture at this time with what was read in it; None where there is none."""
        frame = None if self.player is None else self.player.at(time_s)
        if frame is None:
            return None
        return self.result(frame)

    def result(self, frame: Frame) -> FrameResult:
        """What was read in this frame, as far as it is known yet."""
        if self.faces is None:
            return FrameResult(frame, (), {}, "", "")
        return self.faces.result(frame)

    def _read(self, recording: Recording) -> None:
        rows, number = recording.folder / FACES_FILE, self._number
        index = load_index(rows, recording.about.labels)
        if index is None and not (rows.is_file() and rows.stat().st_size > _SOON):
            index = row_index(recording)
        if index is not None:
            self.faces = RecordedFaces(recording, index)
            return
        self._background.run(
            lambda: row_index(recording, lambda: self._number != number), self._taker(number)
        )

    def _taker(self, number: int) -> Callable[[object], None]:
        def take(index: object) -> None:
            if number != self._number or not isinstance(index, RowIndex):
                return
            assert self.recording is not None
            self.faces = RecordedFaces(self.recording, index)
            self.read.emit()

        return take
