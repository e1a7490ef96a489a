"""Recordings: played beside their timeline, with markers, and a report to take along."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.history import clock_tenths
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import Recording, list_recordings, recordings_folder
from fer_live.window.links import show_file
from fer_live.window.recorded_faces import RecordedFaces
from fer_live.window.reports import Reports
from fer_live.window.review_markers import MarkerEditor
from fer_live.window.translated import Translated
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView

_TICK_MS = 33
_LOG = logging.getLogger(__name__)


class ReviewPage(Translated, QWidget):
    """Lists the recordings below `FER_LIVE_HOME/recordings` and plays the chosen one.

    `opened` is emitted when another one, or none, is open.
    """

    opened = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.reports = Reports(self, self._show_writing)
        self._recording: Recording | None = None
        self._player: ClipPlayer | None = None
        self._faces: RecordedFaces | None = None
        self._position_s = self._ticked_at_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._make_widgets()
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self._side())
        splitter.addWidget(self._middle())
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)
        self.translate()
        self._close()

    def _make_widgets(self) -> None:
        self._list, self._list_title = QListWidget(), QLabel()
        self._list.currentItemChanged.connect(lambda item, _: self._choose(item))
        self.markers = MarkerEditor()
        self.markers.sought.connect(self.seek)
        self.markers.changed.connect(self._save_markers)
        self.view, self.timeline = VideoView(), Timeline()
        self.timeline.sought.connect(self.seek)
        self.timeline.face_chosen.connect(self.timeline.show_large)
        self._play = QPushButton()
        self._play.setCheckable(True)
        self._play.toggled.connect(self._set_playing)
        self._clock = QLabel()
        self._report, self._show_folder, self._delete = QPushButton(), QPushButton(), QPushButton()
        self._persons = QPushButton()
        self._persons.clicked.connect(self.show_persons)
        self._report.clicked.connect(self._ask_for_report)
        self._show_folder.clicked.connect(self._open_folder)
        self._delete.clicked.connect(self._ask_to_delete)
        # What works only on a recording that is open.
        self._controls = (
            self._play,
            self.markers.line,
            self.markers,
            self._persons,
            self._report,
            self._show_folder,
            self._delete,
        )

    def _side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self._list_title)
        column.addWidget(self._list, 2)
        column.addWidget(self.markers, 2)
        for button in (self._persons, self._report, self._show_folder, self._delete):
            column.addWidget(button)
        return side

    def _middle(self) -> QWidget:
        controls = QHBoxLayout()
        controls.addWidget(self._play)
        controls.addWidget(self._clock)
        controls.addWidget(self.markers.line, 1)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self.timeline)
        column.addLayout(controls)
        return middle

    def refresh(self) -> None:
        """Read the list of recordings again; the one that is open stays open."""
        chosen = self._recording.folder if self._recording else None
        self._list.blockSignals(True)
        self._list.clear()
        for recording in list_recordings(recordings_folder()):
            item = QListWidgetItem(recording.about.began_at.strftime("%Y-%m-%d  %H:%M:%S"))
            item.setData(Qt.ItemDataRole.UserRole, str(recording.folder))
            item.setToolTip(str(recording.folder))
            self._list.addItem(item)
            if recording.folder == chosen:
                self._list.setCurrentItem(item)
        self._list.blockSignals(False)
        if self._list.currentItem() is None:
            self._close()
            if self._list.count():
                self._list.setCurrentRow(0)

    def open(self, folder: Path) -> None:
        """Show the recording in this folder from its beginning."""
        self._close()
        try:
            self._recording = Recording.open(folder)
            self._player = ClipPlayer(self._recording.video)
        except FerLiveError as error:
            _LOG.warning("a recording cannot be played: %s", type(error).__name__)
            self.view.show_message(tr("This recording cannot be played; its file is damaged"))
            for button in (self._show_folder, self._delete):
                button.setEnabled(self._recording is not None)
            self.opened.emit()
            return
        self._faces = RecordedFaces(self._recording)
        self.timeline.show_all(self._faces.curves, self._faces.labels, self._player.length_s, ())
        self._show_markers()
        for widget in self._controls:
            widget.setEnabled(True)
        self.seek(0.0)
        self.opened.emit()

    def seek(self, time_s: float) -> None:
        """Show the picture, and what was read in it, at this time of the recording."""
        if self._player is None or self._faces is None:
            return
        self._position_s = min(max(time_s, 0.0), self._player.length_s)
        frame = self._player.at(self._position_s)
        if frame is None:
            return
        self.view.show_result(self._faces.result(frame), self._faces.labels, mirror=False)
        self.timeline.move_cursor(self._position_s)
        self.markers.position_s = self._position_s
        now, length = (clock_tenths(s) for s in (self._position_s, self._player.length_s))
        self._clock.setText(f"{now} / {length}")

    @property
    def can_play(self) -> bool:
        """Whether a recording is open on this page, and the page is seen."""
        return self._player is not None and self.isVisible()

    def toggle_play(self) -> None:
        """Play or pause the recording, but only while this page is seen."""
        if self.can_play:
            self._play.toggle()

    def write_marker(self) -> None:
        """Pause, and let the person write what happens at what is shown."""
        self._play.setChecked(False)
        self.markers.line.setFocus()

    def stop(self) -> None:
        """Pause, let go of the video file, and wait for a report that is being written."""
        self._close()
        self.reports.wait()

    def hideEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self._play.setChecked(False)

    def _show_markers(self) -> None:
        assert self._recording is not None
        assert self._player is not None
        spans = self._recording.markers()
        self.markers.show_spans(spans, self._player.length_s, self._recording.utc_at)
        self.timeline.show_marks(spans)

    def _save_markers(self, spans: list[MarkedSpan]) -> None:
        if self._recording is not None:
            self._try(lambda recording: recording.save_markers(spans))
            self._show_markers()  # also where the disk refused: what is there

    def _ask_for_report(self) -> None:
        if self._recording is not None:
            self.reports.ask(self._recording)

    def _show_writing(self, is_writing: bool) -> None:
        self._report.setEnabled(not is_writing and self._recording is not None)

    def show_persons(self) -> None:
        """Open the dialog in which faces of the open recording are grouped as persons."""
        if self._recording is None:
            return
        from fer_live.window.dialogs.persons_dialog import PersonsDialog

        self._play.setChecked(False)
        folder, at_s = self._recording.folder, self._position_s

        def show_again() -> None:
            self.open(folder)  # faces now have their persons' numbers
            self.seek(at_s)

        dialog = PersonsDialog(self._recording, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(show_again)
        dialog.open()

    def _open_folder(self) -> None:
        if self._recording is not None:
            show_file(self, self._recording.folder)

    def _ask_to_delete(self) -> None:
        if self._recording is None:
            return
        folder = self._recording.folder
        question = tr("Delete the recording {name} from the disk?", name=folder.name)
        if QMessageBox.question(self, tr("Delete"), question) == QMessageBox.StandardButton.Yes:
            recording = self._recording
            self._close()
            self._try(lambda _: recording.delete(), recording)
            self.refresh()

    def _try(self, change: Callable[[Recording], None], recording: Recording | None = None) -> bool:
        """Change a recording, the open one by default; where that fails, say why."""
        recording = recording or self._recording
        assert recording is not None
        try:
            change(recording)
        except FerLiveError as error:
            QMessageBox.warning(self, "FER Live", str(error))
            return False
        return True

    def _set_playing(self, plays: bool) -> None:
        self._play.setText(tr("Pause") if plays else tr("Play"))
        if not plays:
            self._timer.stop()
        elif self._player is not None:
            if self._position_s >= self._player.length_s - 0.05:
                self.seek(0.0)
            self._ticked_at_s = time.monotonic()
            self._timer.start()

    def _tick(self) -> None:
        if self._player is None or self._position_s >= self._player.length_s:
            self._play.setChecked(False)
            return
        now_s = time.monotonic()
        passed_s, self._ticked_at_s = now_s - self._ticked_at_s, now_s
        self.seek(self._position_s + passed_s)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.open(Path(item.data(Qt.ItemDataRole.UserRole)))

    def _close(self) -> None:
        self._play.setChecked(False)
        if self._player is not None:
            self._player.close()
        self._player = self._recording = self._faces = None
        self.markers.show_spans([], 0.0, None)
        self._clock.clear()
        self.timeline.show_all([], (), 1.0, ())
        self.view.show_message(tr("No recording yet: press Record in the live view"))
        for widget in self._controls:
            widget.setEnabled(False)
        self.opened.emit()

    def translate(self) -> None:
        self._list_title.setText(tr("Recordings"))
        self._list.setAccessibleName(tr("Recordings"))
        self._play.setText(tr("Pause") if self._play.isChecked() else tr("Play"))
        self._persons.setText(tr("Persons…"))
        self._report.setText(tr("Report…"))
        self._show_folder.setText(tr("Show folder"))
        self._delete.setText(tr("Delete…"))
        if self._recording is None:
            self.view.show_message(tr("No recording yet: press Record in the live view"))
