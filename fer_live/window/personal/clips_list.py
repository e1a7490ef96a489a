"""The list of clips and takes, with buttons to import and delete them."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.deletion import delete_folder, refuse_links
from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.capture import import_clips
from fer_live.personal.clips import (
    bytes_used,
    clip_folders,
    find_clip_folders,
    find_clips,
    forget_retraining,
    list_clips,
    list_takes,
    open_up_clips,
    summarize,
    unreadable_clips,
)
from fer_live.personal.models import load_pipeline
from fer_live.personal.takes import discard_unreviewed, unreviewed_takes
from fer_live.recording.history import clock
from fer_live.window.background import Background
from fer_live.window.file_dialogs import ask_to_open_several
from fer_live.window.personal.clip_dialog import ClipDialog
from fer_live.window.personal.clip_words import titled_with_moment
from fer_live.window.translated import Translated

_NAME = Qt.ItemDataRole.UserRole


class ClipsList(Translated, QWidget):
    """Lists what was captured and what it takes on the disk; each can be played.

    `changed` tells how many clips and takes there are; `said` brings a line for the person.
    """

    changed = pyqtSignal(int)
    said = pyqtSignal(str)

    def __init__(self, settings: Callable[[], Settings]) -> None:
        super().__init__()
        self._settings = settings
        self._n_bytes, self._n_unreadable = 0, 0
        self._background = Background(self)
        self._title, self._empty, self._used = QLabel(), QLabel(), QLabel()
        self._empty.setWordWrap(True)
        self.list = QTreeWidget()
        self.list.setColumnCount(4)
        self.list.setRootIsDecorated(False)
        self.list.setAlternatingRowColors(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.itemSelectionChanged.connect(self._enable)
        header = self.list.header()
        assert header is not None
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemActivated.connect(lambda item, _: self._play(item))
        self.import_button, self.delete_button = QPushButton(), QPushButton()
        self.play_button = QPushButton()
        self.play_button.clicked.connect(self._play_selected)
        self.delete_all_button = QPushButton()
        self.import_button.clicked.connect(self._ask_for_files)
        self.delete_button.clicked.connect(self._delete_selected)
        self.delete_all_button.clicked.connect(self._ask_to_delete_all)
        buttons = QHBoxLayout()
        for button in (
            self.play_button,
            self.import_button,
            self.delete_button,
            self.delete_all_button,
        ):
            buttons.addWidget(button)
        buttons.addStretch()
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(0, 0, 0, 0)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        column_layout.addWidget(self._title)
        column_layout.addWidget(self._empty, 1)
        column_layout.addWidget(self.list, 1)
        column_layout.addWidget(self._used)
        column_layout.addLayout(buttons)
        self.translate()

    def refresh(self) -> None:
        """Read the clips and takes on the disk, on another thread."""

        person = self._settings().person

        def read() -> object:
            clips = [*list_clips(person), *list_takes(person)]
            n_unreadable = len(unreadable_clips(person))
            return [summarize(clip) for clip in clips], bytes_used(), n_unreadable

        self._background.run(read, self._fill)

    def import_files(self, files: list[Path]) -> None:
        """Make one clip of each video file, on another thread."""
        settings = self._settings()
        self.import_button.setEnabled(False)
        self.said.emit(tr("Importing…"))

        def work() -> object:
            with load_pipeline(settings) as pipeline:
                return import_clips(files, pipeline, settings)

        self._background.run(work, self._imported)

    def stop(self) -> None:
        """Wait until imports and reading are done."""
        self._background.wait()

    def _imported(self, result: object) -> None:
        self.import_button.setEnabled(True)
        if isinstance(result, FerLiveError):
            self.said.emit(str(result))
        elif isinstance(result, tuple):
            clips, broken = result
            line = tr("{n} imported", n=len(clips))
            self.said.emit("; ".join([line, *broken]))
        self.refresh()

    def _fill(self, result: object) -> None:
        if isinstance(result, FerLiveError):
            self.said.emit(str(result))
            return
        assert isinstance(result, tuple)
        summaries, self._n_bytes, self._n_unreadable = result
        self.list.clear()
        for summary in summaries:
            n_faces = len(summary.faces_by_track)
            cells = [titled_with_moment(summary), clock(summary.seconds), str(n_faces)]
            item = QTreeWidgetItem([*cells, f"{summary.n_bytes / 1e6:.1f} MB"])
            item.setData(0, _NAME, summary.name)
            told = tr("{name}, from {source}", name=summary.name, source=summary.source)
            item.setToolTip(0, told)
            for column in (1, 2, 3):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
            self.list.addTopLevelItem(item)
        self._show_used()
        self._empty.setVisible(not summaries)
        self.list.setVisible(bool(summaries))
        self._enable()
        self.changed.emit(len(summaries))

    def _show_used(self) -> None:
        used_mb, limit_mb = self._n_bytes / 1e6, self._settings().clips_limit_mb
        told = tr(
            "{used:.0f} of {limit} MB used, on this computer alone",
            used=used_mb,
            limit=limit_mb,
        )
        if self._n_unreadable:
            told += "; " + tr(
                "{n} cannot be read, “Delete all” deletes them too", n=self._n_unreadable
            )
        self._used.setText(told)

    def _play_selected(self) -> None:
        (item,) = self.list.selectedItems()
        self._play(item)

    def _play(self, item: QTreeWidgetItem) -> None:
        try:
            (clip,) = find_clips([item.data(0, _NAME)])
            ClipDialog(self, clip, item.text(0)).open()
        except FerLiveError as error:
            self.said.emit(str(error))

    def _enable(self) -> None:
        self.play_button.setEnabled(len(self.list.selectedItems()) == 1)
        self.delete_button.setEnabled(bool(self.list.selectedItems()))
        n = self.list.topLevelItemCount() + self._n_unreadable
        self.delete_all_button.setEnabled(n > 0)

    def _ask_for_files(self) -> None:
        files = ask_to_open_several(self, tr("Make clips of video files"))
        if files:
            self.import_files([Path(file) for file in files])

    def _delete_selected(self) -> None:
        items = self.list.selectedItems()
        question = tr(
            "Delete from the disk: {names}? A retraining that is not installed yet goes too.",
            names=", ".join(item.text(0) for item in items),
        )
        if QMessageBox.question(self, tr("Delete"), question) == QMessageBox.StandardButton.Yes:
            names = [item.data(0, _NAME) for item in items]
            self._delete(lambda: find_clip_folders(names), [item.text(0) for item in items])

    def _ask_to_delete_all(self) -> None:
        n = self.list.topLevelItemCount() + self._n_unreadable
        question = tr("Delete all {n} clips and takes from the disk?", n=n)
        if QMessageBox.question(self, tr("Delete all"), question) == QMessageBox.StandardButton.Yes:
            rows = [self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount())]
            titles = [item.text(0) for item in rows if item is not None]
            person = self._settings().person
            self._delete(lambda: clip_folders(person), titles, are_all=True)

    def _delete(
        self, find: Callable[[], list[Path]], titles: list[str], *, are_all: bool = False
    ) -> None:
        try:
            open_up_clips()
            folders = find()
            for folder in (*folders, *unreviewed_takes()) if are_all else ():
                refuse_links(folder)
            if are_all:
                discard_unreviewed()
            forget_retraining()
            for folder in folders:
                delete_folder(folder)
            n = len(folders)
            names = ", ".join(titles) if n == len(titles) else tr("{n} clips and takes", n=n)
            self.said.emit(tr("Deleted: {names}", names=names))
        except FerLiveError as error:
            self.said.emit(str(error))
        self.refresh()

    def translate(self) -> None:
        self._title.setText(tr("<b>What you captured</b>"))
        self._empty.setText(
            tr("No clips yet. Capture some minutes of yourself in the Live tab, or import videos.")
        )
        self.list.setHeaderLabels([tr("Clip"), tr("Length"), tr("Faces"), tr("Size")])
        self.list.setAccessibleName(tr("Clips and takes"))
        self.play_button.setText(tr("&Play"))
        self.import_button.setText(tr("&Import…"))
        self.delete_button.setText(tr("De&lete…"))
        self.delete_all_button.setText(tr("Delete &all…"))
        self._show_used()
        self._enable()
