"""What is made of the open recording to take along: table, picture, part, video, report."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMenu, QMessageBox, QPushButton, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.files import FILE_SUFFIXES
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.history import clock_tenths
from fer_live.recording.recorder import Recording, recordings_folder
from fer_live.recording.rows_file import write_recording_rows
from fer_live.window.file_dialogs import ask_to_save
from fer_live.window.review.pane import Pane
from fer_live.window.review.playback import Playback
from fer_live.window.review.reports import Reports
from fer_live.window.review.work import Tell, Work


class Exports(QObject):
    """Asks where each goes, which asks before a file is replaced, and writes it on another thread.

    `part` is from the in point to the out point, both in seconds; None stands for the begin and the
    end. `part_changed` tells that it is another, `part_saved` brings the folder of a part that
    became a recording of its own.
    """

    part_changed = pyqtSignal()
    part_saved = pyqtSignal(object)

    def __init__(self, parent: QWidget, pane: Pane, playback: Playback, work: Work) -> None:
        super().__init__(parent)
        self._parent, self._pane, self._playback, self._work = parent, pane, playback, work
        self.button = QPushButton()
        self.reports = Reports(parent, lambda is_writing: self.button.setEnabled(not is_writing))
        self.part: tuple[float | None, float | None] = (None, None)

    def show_menu(self) -> None:
        """Offer all of them, below the button."""
        menu = QMenu(self._parent)
        for text, export in (
            (tr("Table of the rows…"), self.ask_for_rows),
            (tr("This picture…"), self.ask_for_picture),
            (tr("The part from I to O as a recording"), self.save_part),
            (tr("Video with boxes and labels…"), self.ask_for_video),
            (tr("Report…"), self.ask_for_report),
        ):
            menu.addAction(text, export)
        menu.popup(self.button.mapToGlobal(self.button.rect().topRight()))

    def forget_part(self) -> None:
        """Another recording is open."""
        self.part = (None, None)

    def set_in(self) -> None:
        """The part begins at what is shown."""
        at_s, out_s = self._playback.position_s, self.part[1]
        self.part = (at_s, None if out_s is not None and out_s <= at_s else out_s)
        self.part_changed.emit()

    def set_out(self) -> None:
        """The part ends at what is shown."""
        at_s, in_s = self._playback.position_s, self.part[0]
        self.part = (None if in_s is not None and in_s >= at_s else in_s, at_s)
        self.part_changed.emit()

    def part_as_mark(self) -> list[MarkedSpan]:
        """The part as an interval for the timeline; none while the whole recording is meant."""
        if self.part == (None, None):
            return []
        return [MarkedSpan(tr("part"), *self._bounds())]

    def ask_for_rows(self) -> None:
        """Ask for a file, and write the rows with their markers into it."""
        recording = self._recording
        if recording is None:
            return
        kinds = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in FILE_SUFFIXES)
        if path := self._ask(tr("Save the rows"), "rows.csv", kinds):
            self.write_rows(path)

    def write_rows(self, path: Path) -> None:
        """Write the rows with their markers."""
        recording = self._recording
        assert recording is not None
        self._begin(
            tr("Writing the rows…"),
            lambda tell: write_recording_rows(path, recording, tell),
        )

    def ask_for_picture(self) -> None:
        """Ask for a file, and write the picture with its boxes into it."""
        picture = self._pane.view.picture()
        if picture is None:
            return
        time = clock_tenths(self._playback.position_s).replace(":", ".")
        path = self._ask(tr("Save the picture"), f"{time}.png", "PNG (*.png)")
        if path and not picture.save(str(path)):
            line = tr("{path}: cannot be written; is the disk full?", path=path)
            QMessageBox.warning(self._parent, "FER Live", line)

    def save_part(self) -> None:
        """Make a recording of what lies between the in and the out point."""
        recording = self._recording
        if recording is None:
            return
        from fer_live.recording.part import save_part  # not before it is needed

        from_s, to_s = self._bounds()
        self._work.begin(
            tr("Saving the part…"),
            to_s - from_s,
            lambda tell: save_part(recording, from_s, to_s, recordings_folder(), tell),
            self.part_saved.emit,
        )

    def ask_for_video(self) -> None:
        """Ask for a file, and paint all boxes and labels into a video."""
        from fer_live.recording.video_file import VIDEO_SUFFIXES  # not before it is needed

        kinds = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in VIDEO_SUFFIXES)
        if path := self._ask(tr("Save the video"), "annotated.mp4", kinds):
            self.write_video(path)

    def write_video(self, path: Path) -> None:
        """Paint all boxes and labels into a video."""
        from fer_live.painting.annotated_recording import write_annotated_recording
        from fer_live.recording.video_file import VIDEO_SUFFIXES  # not before it is needed

        recording, with_heat_map = self._recording, self._pane.with_heat_map
        assert recording is not None
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            line = tr("{path}: end its name in .mp4 or .mkv", path=path)
            QMessageBox.warning(self._parent, "FER Live", line)
            return
        self._begin(
            tr("Writing the video…"),
            lambda tell: write_annotated_recording(
                path, recording, tell, with_heat_map=with_heat_map
            ),
        )

    def ask_for_report(self) -> None:
        """Ask what is to be in the report, and write it."""
        if self._recording is not None:
            self.reports.ask(self._recording)

    @property
    def _recording(self) -> Recording | None:
        return self._pane.now.recording

    def _begin(self, title: str, do: Callable[[Tell], object]) -> None:
        self._work.begin(title, self._playback.length_s or 0.0, do, lambda _: None)

    def _bounds(self) -> tuple[float, float]:
        in_s, out_s = self.part
        length_s = self._playback.length_s or 0.0
        return (0.0 if in_s is None else in_s), (length_s if out_s is None else out_s)

    def _ask(self, title: str, name: str, kinds: str) -> Path | None:
        recording = self._recording
        assert recording is not None
        suggested = str(recording.folder / name)
        chosen = ask_to_save(self._parent, title, suggested, kinds)
        return Path(chosen) if chosen else None
