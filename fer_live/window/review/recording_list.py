"""The list of recordings: picture, name, length, faces, source and date; found by typing."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QImage, QPixmap
from PyQt6.QtWidgets import QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from fer_live.base.translation import tr, tr_n
from fer_live.plain_text import plain_line
from fer_live.recording.history import clock
from fer_live.recording.recorded_faces import RecordedFaces, row_index
from fer_live.recording.shelf import PICTURE_WH, RecordingLook, ShelfEntry, look_at
from fer_live.window.icons import icon
from fer_live.window.links import show_file
from fer_live.window.translated import Translated

_FOLDER = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    look: RecordingLook
    n_faces: int


class RecordingList(Translated, QWidget):
    """`chosen` brings the folder of the row that is current, `menu_wanted` that of a row that was
    right-clicked, and where; `named` that of one that was double-clicked.

    Pictures and counts are made on a thread of their own and are kept in memory alone.
    """

    chosen = pyqtSignal(object)
    menu_wanted = pyqtSignal(object, QPoint)
    named = pyqtSignal(object)
    _looked = pyqtSignal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._title, self.filter, self.rows = QLabel(), QLineEdit(), QListWidget()
        self.filter.textChanged.connect(self._hide_others)
        self.rows.setIconSize(QSize(*PICTURE_WH))
        self.rows.setWordWrap(True)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.rows.customContextMenuRequested.connect(self._ask_for_menu)
        self.rows.itemDoubleClicked.connect(lambda item: self.named.emit(item.data(_FOLDER)))
        self.rows.currentItemChanged.connect(lambda item, _: self._choose(item))
        self._entries: dict[Path, ShelfEntry] = {}
        self._known: dict[Path, _Known] = {}
        self._stopping, self._thread = threading.Event(), threading.Thread()
        self._looked.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._title, self.filter, self.rows):
            column.addWidget(widget)
        self.translate()

    def show_entries(self, entries: Sequence[ShelfEntry], chosen: Path | None) -> None:
        """List these, and make `chosen` the current one; `chosen` is not emitted for it."""
        self._entries = {entry.folder: entry for entry in entries}
        self.rows.blockSignals(True)
        self.rows.clear()
        for entry in entries:
            item = QListWidgetItem()
            item.setData(_FOLDER, entry.folder)
            item.setToolTip(entry.trouble or str(entry.folder))
            self.rows.addItem(item)
            self._show(item, entry)
            if entry.folder == chosen:
                self.rows.setCurrentItem(item)
        self.rows.blockSignals(False)
        self._hide_others()
        self._look()

    def entry(self, folder: Path) -> ShelfEntry | None:
        """The one in this folder, as it was read last."""
        return self._entries.get(folder)

    @property
    def entries(self) -> list[ShelfEntry]:
        """All that are listed, hidden ones too."""
        return list(self._entries.values())

    @property
    def current(self) -> Path | None:
        """The folder of the row that is current."""
        item = self.rows.currentItem()
        return None if item is None else item.data(_FOLDER)

    @property
    def current_entry(self) -> ShelfEntry | None:
        """What is in the row that is current."""
        return None if self.current is None else self._entries.get(self.current)

    def show_folder(self, parent: QWidget) -> None:
        """Open the folder of the current row in the person's own program."""
        if self.current is not None:
            show_file(parent, self.current)

    @property
    def is_empty(self) -> bool:
        """Whether there is none, not even one that cannot be read."""
        return not self._entries

    def choose_first(self) -> None:
        """Make the newest one the current one."""
        self.rows.setCurrentRow(0)

    def stop(self) -> None:
        """End the thread that looks at them."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        """RecordingLook at all that are not known yet, on another thread."""
        self.stop()
        unknown = [
            entry.recording
            for folder, entry in self._entries.items()
            if entry.recording is not None and folder not in self._known
        ]
        self._stopping = stopping = threading.Event()

        def look() -> None:
            for recording in unknown:
                seen = look_at(recording)
                index = None if stopping.is_set() else row_index(recording, stopping.is_set)
                if index is None:
                    return
                n_faces = len(RecordedFaces(recording, index).numbers)
                self._looked.emit(recording.folder, _Known(seen, n_faces))

        self._thread = threading.Thread(target=look, name="recordings", daemon=True)
        self._thread.start()

    def forget(self, folder: Path) -> None:
        """RecordingLook at this one anew when the list is shown next: it was changed."""
        self._known.pop(folder, None)

    def _take(self, folder: Path, known: _Known) -> None:
        self._known[folder] = known
        for number in range(self.rows.count()):
            item = self.rows.item(number)
            assert item is not None
            if item.data(_FOLDER) == folder:
                self._show(item, self._entries[folder])
        self._hide_others()

    def _show(self, item: QListWidgetItem, entry: ShelfEntry) -> None:
        known = self._known.get(entry.folder)
        item.setText("\n".join(_lines(entry, known)))
        picture = QPixmap(*PICTURE_WH)
        picture.fill(Qt.GlobalColor.transparent)
        image = None if known is None else known.look.picture_bgr
        if image is not None:
            height, width = image.shape[:2]
            pixels = QImage(image.tobytes(), width, height, 3 * width, QImage.Format.Format_BGR888)
            picture = QPixmap.fromImage(pixels)
        shown = QIcon(picture)
        shown.addPixmap(picture, QIcon.Mode.Selected)
        is_broken = entry.recording is None or (known is not None and bool(known.look.trouble))
        item.setIcon(icon("triangle-alert") if is_broken else shown)

    def _hide_others(self) -> None:
        wanted = self.filter.text().casefold().split()
        for number in range(self.rows.count()):
            item = self.rows.item(number)
            assert item is not None
            text = item.text().casefold()
            item.setHidden(not all(word in text for word in wanted))

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(_FOLDER))

    def _ask_for_menu(self, place: QPoint) -> None:
        item = self.rows.itemAt(place)
        viewport = self.rows.viewport()
        if item is not None and viewport is not None:
            self.menu_wanted.emit(item.data(_FOLDER), viewport.mapToGlobal(place))

    def translate(self) -> None:
        self._title.setText(tr("Recordings"))
        self.rows.setAccessibleName(tr("Recordings"))
        self.filter.setPlaceholderText(tr("Find by name, date or source"))
        self.filter.setAccessibleName(tr("Find by name, date or source"))
        for number in range(self.rows.count()):
            item = self.rows.item(number)
            assert item is not None
            self._show(item, self._entries[item.data(_FOLDER)])


def _lines(entry: ShelfEntry, known: _Known | None) -> list[str]:
    if entry.recording is None or (known is not None and known.look.trouble):
        return [plain_line(entry.folder.name), tr("cannot be read")]
    about = entry.recording.about
    began = about.began_at.strftime("%Y-%m-%d  %H:%M:%S")
    told = []
    if known is not None:
        told = [
            clock(known.look.length_s),
            tr_n("{n} face", "{n} faces", known.n_faces),
        ]
    lines = [about.name, began] if about.name else [began]
    return [plain_line(line) for line in (*lines, " · ".join([*told, about.source]))]
