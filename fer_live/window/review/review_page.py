"""The tab Review: the list of recordings, and the open one beside what was read in it."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import QMenu, QMessageBox, QPushButton, QSplitter, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.recorder import recordings_folder
from fer_live.recording.shelf import shelf
from fer_live.vision.pipeline import Pipeline
from fer_live.window.grid.tile import Parts
from fer_live.window.review.beside import Beside
from fer_live.window.review.changes import Changes, attempt
from fer_live.window.review.compare_window import CompareWindow
from fer_live.window.review.exports import Exports
from fer_live.window.review.importing import Importing
from fer_live.window.review.own_keys import OwnKeys
from fer_live.window.review.pane import Pane
from fer_live.window.review.playback import Playback
from fer_live.window.review.player_bar import PlayerBar
from fer_live.window.review.recording_list import RecordingList
from fer_live.window.review.renaming import Renaming
from fer_live.window.review.review_markers import MarkerEditor
from fer_live.window.review.work import Work
from fer_live.window.translated import Translated


class ReviewPage(Translated, QWidget):
    """Lists the recordings below `FER_LIVE_HOME/recordings` and plays the chosen one.

    `opened` is emitted when another one, or none, is open, and when what can be undone is another.
    """

    opened = pyqtSignal()

    def __init__(self, load_pipeline: Callable[[], Pipeline]) -> None:
        """`load_pipeline` loads what reads a video that is opened as a recording."""
        super().__init__()
        self.pane, self.playback, self.changes = Pane(), Playback(self), Changes(self)
        self.list, self.markers, self.beside = RecordingList(), MarkerEditor(), Beside()
        self.bar = PlayerBar(self.playback)
        self.bar.row.addWidget(self.markers.line, 1)
        self.work = Work(self)
        self.exports = Exports(self, self.pane, self.playback, self.work)
        self.importing = Importing(self, load_pipeline, self.work)
        self.renaming = Renaming(self, self.pane.now, self.changes, self.refresh)
        self._compared: CompareWindow | None = None
        self._open_video, self._persons = QPushButton(), QPushButton()
        self._show_folder, self._delete = QPushButton(), QPushButton()
        # What works only on a recording that is open.
        self._controls = (self.bar, self.markers, self._persons, self.exports.button)
        self._connect()
        self._lay_out()
        self._own_keys = OwnKeys(self)
        self.translate()
        self._close()

    def _connect(self) -> None:
        self.list.chosen.connect(self.open)
        self.list.menu_wanted.connect(self._show_menu)
        self.list.named.connect(lambda _: self.renaming.ask())
        self.pane.now.read.connect(self._show_read)
        self.pane.view.face_clicked.connect(self.beside.choose)
        self.pane.timeline.sought.connect(self.seek)
        self.pane.timeline.face_chosen.connect(self.beside.choose)
        self.playback.moved.connect(self._show_at)
        self.changes.indexChanged.connect(lambda _: self.opened.emit())
        self.markers.sought.connect(self.seek)
        self.markers.changed.connect(self._change_markers)
        self.bar.back.clicked.connect(lambda: self.step(-1))
        self.bar.forward.clicked.connect(lambda: self.step(1))
        self.beside.chosen_changed.connect(self._show_chosen)
        self.exports.part_changed.connect(self._show_markers)
        for made in (self.exports.part_saved, self.importing.opened):
            made.connect(self._show_new)
        self._open_video.clicked.connect(self.importing.ask)
        self._persons.clicked.connect(self.show_persons)
        self.exports.button.clicked.connect(self.exports.show_menu)
        self._show_folder.clicked.connect(lambda: self.list.show_folder(self))
        self._delete.clicked.connect(self.ask_to_delete)

    def _lay_out(self) -> None:
        side, middle = QWidget(), QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.list, 3)
        column.addWidget(self._open_video)
        column.addWidget(self.markers, 2)
        for button in (self._persons, self.exports.button, self._show_folder, self._delete):
            column.addWidget(button)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pane, 1)
        column.addWidget(self.bar)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        for widget in (side, middle, self.beside):
            splitter.addWidget(widget)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def refresh(self) -> None:
        """Read the list of recordings again; the one that is open stays open."""
        self.list.show_entries(shelf(recordings_folder()), self.list.current)
        if self.list.current is None:
            self._close()
            self.list.choose_first()

    def open(self, folder: Path) -> None:
        """Show the recording in this folder from its beginning."""
        self._close()
        length_s = self.pane.open(folder)
        for button in (self._show_folder, self._delete):
            button.setEnabled(True)
        for widget in self._controls:
            widget.setEnabled(length_s is not None)
        self.playback.open(length_s)
        self._show_read()
        self.opened.emit()

    def seek(self, time_s: float) -> None:
        """Show the picture, and what was read in it, at this time of the recording."""
        self.playback.seek(time_s)

    def step(self, frames: int) -> None:
        """Pause, and go one frame on, 1, or back, -1."""
        self.playback.stop()
        if self.pane.now.player is not None:
            self.seek(self.pane.now.player.beside(self.playback.position_s, frames))

    @property
    def can_play(self) -> bool:
        """Whether a recording is open on this page, and the page is seen."""
        return self.pane.now.player is not None and self.isVisible()

    def write_marker(self) -> None:
        """Pause, and let the person write what happens at what is shown."""
        self.playback.stop()
        self.markers.line.setFocus()

    def show_parts(self, parts: Parts, *, with_heat_map: bool) -> None:
        """Show these around the picture, and in it where the model looked, where it was kept."""
        timeline = self.pane.timeline
        timeline.setVisible(parts.timeline)
        timeline.show_as(lines=parts.lines, lanes=parts.lanes, episodes=parts.episodes)
        self.pane.with_heat_map = with_heat_map
        self.beside.show_parts(parts)
        self._show_at(self.playback.position_s)

    def show_persons(self) -> None:
        """Open the dialog in which faces of the open recording are grouped as persons."""
        recording = self.pane.now.recording
        if recording is None:
            return
        from fer_live.window.review.regrouping import Regrouping

        self.playback.stop()
        Regrouping(self, recording, self.changes, self._show_again)

    def compare(self, folder: Path) -> CompareWindow | None:
        """Show the open recording and the one in this folder beside each other."""
        recording = self.pane.now.recording
        if recording is None:
            return None
        self.playback.stop()
        if self._compared is not None:
            self._compared.close()
            self._compared.deleteLater()
        self._compared = CompareWindow((recording.folder, folder), self)
        self._compared.show()
        return self._compared

    def ask_to_delete(self) -> None:
        """Delete the current one of the list, also one that cannot be read, after a question."""
        entry = self.list.current_entry
        if entry is None:
            return
        name = entry.folder.name if entry.recording is None else entry.recording.name
        question = tr("Delete the recording {name} from the disk?", name=name)
        if QMessageBox.question(self, tr("Delete"), question) == QMessageBox.StandardButton.Yes:
            self._close()
            self.list.forget(entry.folder)
            attempt(self, entry.delete)
            self.refresh()

    def stop(self) -> None:
        """Pause, let go of the video file, and wait for what is being written."""
        self._close()
        if self._compared is not None:
            self._compared.close()
            self._compared = None
        self.work.stop()
        self.list.stop()
        self.pane.stop()
        self.exports.reports.wait()

    def hideEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self.playback.stop()

    def _show_at(self, time_s: float) -> None:
        result = self.pane.result_at(time_s)
        if result is None:
            return
        self.beside.show_result(result)
        self.pane.show_result(result, time_s, self.beside.followed)
        self.markers.position_s = time_s

    def _show_chosen(self) -> None:
        """Another face was chosen: bars, box and timeline are its own."""
        faces, chosen = self.pane.now.faces, self.beside.chosen
        if faces is not None and (number := chosen or faces.seen_longest) is not None:
            self.pane.timeline.show_large(number)
        self._show_at(self.playback.position_s)

    def _show_read(self) -> None:
        self.beside.open(self.pane.now.faces)
        self.pane.show_timeline(None, [])
        self._show_markers()
        self.seek(self.playback.position_s)

    def _show_again(self) -> None:
        """The faces of the open recording have other numbers now."""
        recording = self.pane.now.recording
        if recording is not None:
            self.list.forget(recording.folder)
            self.pane.now.read_again()
            self._show_read()

    def _show_new(self, folder: Path) -> None:
        """List a recording that was just made, and open it."""
        self.list.show_entries(shelf(recordings_folder()), folder)
        self.open(folder)

    def _show_markers(self) -> None:
        recording, length_s = self.pane.now.recording, self.playback.length_s
        if recording is None or length_s is None:
            return
        spans = recording.markers()
        self.markers.show_spans(spans, length_s, recording.utc_at)
        self.pane.timeline.show_marks([*self.exports.part_as_mark(), *spans])

    def _change_markers(self, spans: list[MarkedSpan]) -> None:
        recording = self.pane.now.recording
        if recording is None:
            return
        before = recording.markers()

        def save(wanted: list[MarkedSpan]) -> bool:
            is_saved = attempt(self, lambda: recording.save_markers(wanted))
            self._show_markers()  # also where the disk refused: what is there
            return is_saved

        self.changes.make(tr("Markers"), lambda: save(spans), lambda: save(before))

    def _show_menu(self, folder: Path, place: QPoint) -> None:
        """What can be done with the row that was right-clicked, which is the current one."""
        menu = QMenu(self)
        if self.pane.now.recording is not None:
            menu.addAction(tr("Name this recording…"), self.renaming.ask)
            others = menu.addMenu(tr("Compare with"))
            assert others is not None
            for entry in self.list.entries:
                if entry.recording is not None and entry.folder != folder:
                    other = entry.folder
                    others.addAction(entry.recording.name, lambda other=other: self.compare(other))
            others.setEnabled(not others.isEmpty())
        menu.addAction(tr("Show folder"), lambda: self.list.show_folder(self))
        menu.addAction(tr("Delete…"), self.ask_to_delete)
        menu.popup(place)

    def _close(self) -> None:
        self.pane.close_recording(tr("No recording yet: press Record in the live view"))
        self.playback.open(None)
        self.changes.clear()
        self.exports.forget_part()
        self.beside.open(None)
        self.markers.show_spans([], 0.0, None)
        self.bar.show_time()
        for widget in (*self._controls, self._show_folder, self._delete):
            widget.setEnabled(False)
        self.opened.emit()

    def translate(self) -> None:
        self._open_video.setText(tr("Open a video…"))
        self._persons.setText(tr("Persons…"))
        self.exports.button.setText(tr("Export…"))
        self._show_folder.setText(tr("Show folder"))
        self._delete.setText(tr("Delete…"))
        if self.list.is_empty:
            self.pane.view.show_message(tr("No recording yet: press Record in the live view"))
