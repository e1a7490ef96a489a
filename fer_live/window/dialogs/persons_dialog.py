"""Persons: which faces of a recording are one person's, told by appearance or by hand."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QIcon, QImage, QPixmap
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import FerLiveError
from fer_live.outputs.face_rows import number_in
from fer_live.recording.face_pictures import PICTURE_SIDE, face_pictures
from fer_live.recording.history import clock
from fer_live.recording.persons import Persons, load_persons, save_persons, with_persons
from fer_live.recording.recorder import Recording
from fer_live.recording.rows_file import write_rows
from fer_live.recording.same_person import group_faces
from fer_live.window.background import Background
from fer_live.window.dialogs.question import confirm
from fer_live.window.file_dialogs import ask_to_save
from fer_live.window.translated import Translated

_FACES = Qt.ItemDataRole.UserRole


class PersonsDialog(Translated, QDialog):
    """The persons of a recording, each with their faces; changes are kept at once.

    Whatever looks at the video runs on a thread of its own, and ends when the dialog does.
    """

    def __init__(self, recording: Recording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording, self._rows = recording, recording.rows()
        self._times_s: dict[int, list[float]] = defaultdict(list)
        for row in self._rows:
            self._times_s[int(row["track_id"])].append(number_in(row, "time_s"))
        self._persons = load_persons(recording.folder) or Persons()
        self._before: list[Persons] = []
        self._icons: dict[int, QIcon] = {}
        self._stopped = threading.Event()
        self._background = Background(self)
        self._make_widgets()
        self.translate()
        self._show()
        self.resize(520, 560)
        self._background.run(
            lambda: face_pictures(recording.video, self._rows, self._stopped.is_set),
            self._show_pictures,
        )

    def _make_widgets(self) -> None:
        self._about, self._news = QLabel(), QLabel()
        for label in (self._about, self._news):
            label.setWordWrap(True)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIconSize(QSize(PICTURE_SIDE, PICTURE_SIDE))
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.itemSelectionChanged.connect(self._allow)
        self.group, self.merge, self.split = QPushButton(), QPushButton(), QPushButton()
        self.undo, self._save, self._close = QPushButton(), QPushButton(), QPushButton()
        self.group.clicked.connect(self._ask_to_group)
        self.merge.clicked.connect(lambda: self._change(self._persons.merged(self._chosen())))
        self.split.clicked.connect(lambda: self._change(self._persons.apart(self._chosen())))
        self.undo.clicked.connect(self._take_back)
        self._save.clicked.connect(self._ask_where)
        self._close.clicked.connect(self.accept)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for row, buttons in (
            (upper, (self.merge, self.split, self.undo)),
            (lower, (self.group, self._save, self._close)),
        ):
            for button in buttons:
                button.setAutoDefault(False)
                row.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self._about)
        column.addWidget(self.tree, 1)
        column.addLayout(upper)
        column.addWidget(self._news)
        column.addLayout(lower)

    def done(self, result: int) -> None:
        """Close; what still looks at the video ends first."""
        self._stopped.set()
        self._background.wait()
        super().done(result)

    def group_by_appearance(self) -> None:
        """Compare all faces with each other, on another thread; replaces what was grouped."""
        self.group.setEnabled(False)
        self._news.setText(tr("Comparing the faces…"))
        self._background.run(
            lambda: group_faces(self._recording.video, self._rows, self._stopped.is_set),
            self._take_over,
        )

    def _ask_to_group(self) -> None:
        details = tr(
            "What the comparison knows of a face is biometric data. It stays in memory, is gone "
            "when this ends, and tells no names. Only numbers of faces are kept, with the "
            "recording. In many countries the people seen have to agree first. It makes mistakes: "
            "look at the result."
        )
        title, question = tr("Persons"), tr("Compare the faces of this recording with each other?")
        if confirm(self, title, question, details, tr("Compare")):
            self.group_by_appearance()

    def _take_over(self, result: object) -> None:
        self.group.setEnabled(True)
        self._news.clear()
        if isinstance(result, Persons):
            self._change(result)
            n = len({result.person_of(track_id) for track_id in self._times_s})
            self._news.setText(tr("persons: {n}", n=n))
        elif isinstance(result, FerLiveError):
            self._news.setText(str(result))

    def _change(self, persons: Persons, *, is_new: bool = True) -> None:
        """Keep other groups with the recording; where that fails, say why and keep the old ones."""
        if persons == self._persons:
            return
        try:
            save_persons(self._recording.folder, persons)
        except FerLiveError as error:
            self._news.setText(str(error))
            return
        if is_new:
            self._before.append(self._persons)
        else:
            self._before.pop()
        self._persons = persons
        self._news.clear()
        self._show()

    def _take_back(self) -> None:
        if self._before:
            self._change(self._before[-1], is_new=False)

    def _ask_where(self) -> None:
        suggested = str(self._recording.folder / "rows.csv")
        kinds = "CSV (*.csv);;JSON (*.jsonl);;Parquet (*.parquet)"
        chosen = ask_to_save(self, tr("Save the rows"), suggested, kinds)
        if chosen:
            self.save_rows(Path(chosen))

    def save_rows(self, path: Path) -> None:
        """Write the rows with their persons to a file."""
        rows = list(with_persons(self._rows, self._persons))
        try:
            signals = any("yaw_deg" in row for row in rows)
            write_rows(path, rows, self._recording.about.labels, signals=signals)
        except FerLiveError as error:
            self._news.setText(str(error))
        else:
            self._news.setText(tr("saved: {path}", path=path))

    def _show_pictures(self, result: object) -> None:
        if isinstance(result, dict):
            self._icons = {track_id: _icon(picture) for track_id, picture in result.items()}
            self._show()
        elif isinstance(result, FerLiveError):
            self._news.setText(str(result))

    def _show(self) -> None:
        """Fill the list; what was chosen in it is not any more."""
        faces: dict[int, list[int]] = defaultdict(list)
        for track_id in sorted(self._times_s):
            faces[self._persons.person_of(track_id)].append(track_id)
        self.tree.clear()
        for person, track_ids in faces.items():
            number = tr("person {number}", number=person)
            item = self._item(f"{number}   {self._when(track_ids)}", track_ids)
            self.tree.addTopLevelItem(item)
            if len(track_ids) > 1:
                for track_id in track_ids:
                    number = tr("face {number}", number=track_id)
                    item.addChild(self._item(f"{number}   {self._when([track_id])}", [track_id]))
                item.setExpanded(True)
        self._allow()

    def _item(self, text: str, track_ids: list[int]) -> QTreeWidgetItem:
        item = QTreeWidgetItem([text])
        item.setData(0, _FACES, track_ids)
        longest = max(track_ids, key=lambda track_id: len(self._times_s[track_id]))
        if longest in self._icons:
            item.setIcon(0, self._icons[longest])
        return item

    def _when(self, track_ids: Iterable[int]) -> str:
        """From when to when faces are seen, for example "0:04 - 0:12"."""
        times_s = [time_s for track_id in track_ids for time_s in self._times_s[track_id]]
        return f"{clock(min(times_s))} – {clock(max(times_s))}"

    def _chosen(self) -> list[int]:
        """The faces of all that is chosen in the list."""
        items = self.tree.selectedItems()
        return sorted({track_id for item in items for track_id in item.data(0, _FACES)})

    def _allow(self) -> None:
        """Only what would change something can be pressed."""
        chosen = self._chosen()
        self.merge.setEnabled(bool(chosen) and self._persons.merged(chosen) != self._persons)
        self.split.setEnabled(self._persons.apart(chosen) != self._persons)
        self.undo.setEnabled(bool(self._before))
        is_painted = self._recording.about.with_overlay
        self.group.setEnabled(not is_painted and len(self._times_s) > 1)

    def translate(self) -> None:
        self.setWindowTitle(tr("Persons"))
        self._about.setText(
            tr(
                "A face that leaves and comes back gets a new number. Choose faces of one person "
                "and press Same person; a person is called by their smallest number."
            )
        )
        self.tree.setAccessibleName(tr("Persons"))
        self.merge.setText(tr("Same person"))
        self.split.setText(tr("Take apart"))
        self.undo.setText(tr("Undo"))
        self.group.setText(tr("Group faces by person…"))
        is_painted = self._recording.about.with_overlay
        why = tr("Not possible: boxes are painted into this recording's picture")
        self.group.setToolTip(why if is_painted else "")
        self._save.setText(tr("Save the rows…"))
        self._close.setText(tr("Close"))
        self._show()


def _icon(picture_bgr: UInt8Array) -> QIcon:
    data, side = picture_bgr.tobytes(), PICTURE_SIDE
    image = QImage(data, side, side, 3 * side, QImage.Format.Format_BGR888).copy()
    return QIcon(QPixmap.fromImage(image))
