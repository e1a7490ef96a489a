"""The tab Review: the list of recordings, and the open one beside what was read in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QMessageBox,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.errors import FerLiveError
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.recorder import recordings_folder
from fer_live.recording.shelf import shelf
from fer_live.window.grid.tile import Parts
from fer_live.window.review.beside import Beside
from fer_live.window.review.changes import Changes
from fer_live.window.review.opened import Opened
from fer_live.window.review.playback import Playback
from fer_live.window.review.player_bar import PlayerBar
from fer_live.window.review.recording_list import RecordingList
from fer_live.window.review.renaming import Renaming
from fer_live.window.review.reports import Reports
from fer_live.window.review.review_markers import MarkerEditor
from fer_live.window.translated import Translated
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView


class ReviewPage(Translated, QWidget):
    """Lists the recordings below `FER_LIVE_HOME/recordings` and plays the chosen one.

    `opened` is emitted when another one, or none, is open, and when what can be undone is another.
    """

    opened = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.reports = Reports(self, self._show_writing)
        self.now = Opened(self)
        self.now.read.connect(self._show_read)
        self.playback = Playback(self)
        self.playback.moved.connect(self._show_at)
        self.changes = Changes(self)
        self.changes.indexChanged.connect(lambda _: self.opened.emit())
        self._parts, self._with_heat_map = Parts(), False
        self._make_widgets()
        self._lay_out()
        self.translate()
        self._close()

    def _make_widgets(self) -> None:
        self.list = RecordingList()
        self.list.chosen.connect(self.open)
        self.markers = MarkerEditor()
        self.markers.sought.connect(self.seek)
        self.markers.changed.connect(self._change_markers)
        self.view, self.timeline = VideoView(), Timeline()
        self.view.face_clicked.connect(lambda number: self.beside.choose(number))
        self.timeline.sought.connect(self.seek)
        self.bar = PlayerBar(self.playback)
        self.bar.back.clicked.connect(lambda: self.step(-1))
        self.bar.forward.clicked.connect(lambda: self.step(1))
        self.bar.row.addWidget(self.markers.line, 1)
        self.beside = Beside()
        self.beside.chosen_changed.connect(self._show_chosen)
        self.renaming = Renaming(self, self.now, self.changes, self.refresh)
        self.list.named.connect(lambda _: self.renaming.ask())
        self._persons, self._report = QPushButton(), QPushButton()
        self._show_folder, self._delete = QPushButton(), QPushButton()
        self._persons.clicked.connect(self.show_persons)
        self._report.clicked.connect(self._ask_for_report)
        self._show_folder.clicked.connect(lambda: self.list.show_folder(self))
        self._delete.clicked.connect(self._ask_to_delete)
        # What works only on a recording that is open.
        self._controls = (self.bar, self.markers, self._persons, self._report)

    def _lay_out(self) -> None:
        side, middle = QWidget(), QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.list, 3)
        column.addWidget(self.markers, 2)
        for button in (self._persons, self._report, self._show_folder, self._delete):
            column.addWidget(button)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.bar)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        for widget in (side, middle, self.beside):
            splitter.addWidget(widget)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)
        for kind in (QAbstractButton, QAbstractItemView):
            for widget in side.findChildren(kind) + middle.findChildren(kind):
                widget.installEventFilter(self)

    def refresh(self) -> None:
        """Read the list of recordings again; the one that is open stays open."""
        chosen = self.list.current
        self.list.show_entries(shelf(recordings_folder()), chosen)
        if self.list.current is None:
            self._close()
            self.list.choose_first()

    def open(self, folder: Path) -> None:
        """Show the recording in this folder from its beginning."""
        self._close()
        self.now.open(folder)
        for button in (self._show_folder, self._delete):
            button.setEnabled(True)
        if self.now.player is None:
            entry = self.list.entry(folder)
            why = self.now.trouble if entry is None else entry.trouble
            damaged = tr("This recording cannot be played; its file is damaged")
            self.view.show_message(why or damaged)
            self.opened.emit()
            return
        for widget in self._controls:
            widget.setEnabled(True)
        self.playback.open(self.now.player.length_s)
        self._show_read()
        self.opened.emit()

    def seek(self, time_s: float) -> None:
        """Show the picture, and what was read in it, at this time of the recording."""
        self.playback.seek(time_s)

    def step(self, frames: int) -> None:
        """Pause, and go one frame on, 1, or back, -1."""
        player = self.now.player
        self.playback.stop()
        if player is None:
            return
        shown = player.at(self.playback.position_s)
        if frames > 0:
            next_s = player.next_s()
            self.seek(self.playback.position_s if next_s is None else next_s)
        elif shown is not None:
            before = player.at(max(shown.captured_at_s - 2e-3, 0.0))
            self.seek(0.0 if before is None else before.captured_at_s)

    @property
    def can_play(self) -> bool:
        """Whether a recording is open on this page, and the page is seen."""
        return self.now.player is not None and self.isVisible()

    def write_marker(self) -> None:
        """Pause, and let the person write what happens at what is shown."""
        self.playback.stop()
        self.markers.line.setFocus()

    def show_parts(self, parts: Parts, *, with_heat_map: bool) -> None:
        """Show these around the picture, and in it where the model looked, where it was kept."""
        self._parts, self._with_heat_map = parts, with_heat_map
        self.timeline.setVisible(parts.timeline)
        self.beside.show_parts(parts)
        if self.now.player is not None:
            self._show_at(self.playback.position_s)

    def stop(self) -> None:
        """Pause, let go of the video file, and wait for what is being written."""
        self._close()
        self.list.stop()
        self.now.wait()
        self.reports.wait()

    def hideEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self.playback.stop()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Space presses a button that has the focus, and Home and End move in a list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            of_lists = (Qt.Key.Key_Home, Qt.Key.Key_End)
            own = (Qt.Key.Key_Space,) if isinstance(watched, QAbstractButton) else of_lists
            if event.key() in own:
                event.accept()
        return super().eventFilter(watched, event)

    def _show_at(self, time_s: float) -> None:
        result = self.now.result_at(time_s)
        if result is None or self.now.recording is None:
            return
        labels = self.now.recording.about.labels
        has_map = any(face.heat_map is not None for face in result.faces)
        if not self._with_heat_map:
            faces = tuple(replace(face, heat_map=None) for face in result.faces)
            result = replace(result, faces=faces)
        lacks_map = self._with_heat_map and result.faces and not has_map
        line = tr("Where the model looked was not recorded") if lacks_map else ""
        self.beside.show_result(self._with_hidden_faces(result))
        followed = self.beside.followed
        self.view.show_result(result, labels, mirror=False, followed=followed, lines=("", line))
        if self.now.faces is None:
            self.view.say(tr("Reading what was recorded…"))
        self.timeline.move_cursor(time_s)
        self.markers.position_s = time_s
        self.bar.show_time()

    def _with_hidden_faces(self, result: FrameResult) -> FrameResult:
        """With the faces whose boxes are in the recorded picture already."""
        if self.now.faces is None or not self.now.faces.has_overlay:
            return result
        return replace(result, faces=self.now.faces.faces_at(result.frame))

    def _show_chosen(self) -> None:
        """Another face was chosen: bars, box and timeline are its own."""
        self._show_markers()
        self._show_at(self.playback.position_s)

    def _show_read(self) -> None:
        self.beside.open(self.now.faces)
        self._show_markers()
        self._show_at(self.playback.position_s)

    def _show_markers(self) -> None:
        recording, faces = self.now.recording, self.now.faces
        length_s = self.playback.length_s
        if recording is None or length_s is None:
            return
        spans = recording.markers()
        self.markers.show_spans(spans, length_s, recording.utc_at)
        chosen = self.beside.chosen
        moments = () if faces is None else faces.moments if chosen is None else faces.of(chosen)
        self.timeline.show_all(moments, recording.about.labels, length_s, spans)
        self.timeline.move_cursor(self.playback.position_s)

    def _change_markers(self, spans: list[MarkedSpan]) -> None:
        recording = self.now.recording
        if recording is None:
            return
        before = recording.markers()

        def save(wanted: list[MarkedSpan]) -> bool:
            is_saved = self.attempt(lambda: recording.save_markers(wanted))
            self._show_markers()  # also where the disk refused: what is there
            return is_saved

        self.changes.make(tr("Markers"), lambda: save(spans), lambda: save(before))

    def _ask_for_report(self) -> None:
        if self.now.recording is not None:
            self.reports.ask(self.now.recording)

    def _show_writing(self, is_writing: bool) -> None:
        self._report.setEnabled(not is_writing and self.now.player is not None)

    def show_persons(self) -> None:
        """Open the dialog in which faces of the open recording are grouped as persons."""
        recording = self.now.recording
        if recording is None:
            return
        from fer_live.window.review.regrouping import Regrouping

        self.playback.stop()
        Regrouping(self, recording, self.changes, self._show_again)

    def _show_again(self) -> None:
        """The faces of the open recording have other numbers now."""
        if self.now.recording is None:
            return
        self.list.forget(self.now.recording.folder)
        self.now.read_again()
        self._show_read()

    def _ask_to_delete(self) -> None:
        entry = self.list.current_entry
        if entry is None:
            return
        name = entry.folder.name if entry.recording is None else entry.recording.name
        question = tr("Delete the recording {name} from the disk?", name=name)
        if QMessageBox.question(self, tr("Delete"), question) == QMessageBox.StandardButton.Yes:
            self._close()
            self.list.forget(entry.folder)
            self.attempt(entry.delete)
            self.refresh()

    def attempt(self, change: Callable[[], object]) -> bool:
        """Change something on the disk; where that fails, say why. Whether it could be done."""
        try:
            change()
        except FerLiveError as error:
            QMessageBox.warning(self, "FER Live", str(error))
            return False
        return True

    def _close(self) -> None:
        self.now.close()
        self.playback.open(None)
        self.changes.clear()
        self.beside.open(None)
        self.markers.show_spans([], 0.0, None)
        self.bar.show_time()
        self.timeline.show_all([], (), 1.0, ())
        self.view.show_message(tr("No recording yet: press Record in the live view"))
        for widget in (*self._controls, self._show_folder, self._delete):
            widget.setEnabled(False)
        self.opened.emit()

    def translate(self) -> None:
        self._persons.setText(tr("Persons…"))
        self._report.setText(tr("Report…"))
        self._show_folder.setText(tr("Show folder"))
        self._delete.setText(tr("Delete…"))
        if self.now.recording is None and self.list.is_empty:
            self.view.show_message(tr("No recording yet: press Record in the live view"))
