"""A list of episodes: which label a face showed from when to when; a click goes there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPixmap
from PyQt6.QtWidgets import QAbstractItemView, QCheckBox, QLabel, QListView, QVBoxLayout, QWidget

from fer_live.base.translation import tr, tr_label
from fer_live.painting.overlay import expression_color
from fer_live.recording.episodes import Episode, episodes
from fer_live.recording.face_curve import FaceCurve
from fer_live.window.translated import Translated

_SHORTEST_S = 0.2
_ROWS = 5
_SIGN = 11


@dataclass(frozen=True, slots=True)
class FaceEpisode:
    """An episode and the number of the face that it is of."""

    number: int
    episode: Episode


def episodes_of(curves: Iterable[FaceCurve]) -> list[FaceEpisode]:
    """The episodes of these faces in order of time; the shortest flickers are left out."""
    found = [
        FaceEpisode(curve.number, episode)
        for curve in curves
        for episode in episodes(
            curve.times_s,
            curve.labels_shown(),
            np.full(len(curve.times_s), np.nan, np.float32),
        )
        if episode.length_s >= _SHORTEST_S
    ]
    return sorted(found, key=lambda one: (one.episode.begin_s, one.number))


class EpisodeList(Translated, QWidget):
    """Lists the episodes of the face shown large, or of all.

    `chosen` brings the time, in seconds, at which the one that was clicked began; `all_wanted`
    tells that the faces to be listed are others.
    """

    chosen = pyqtSignal(float)
    all_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.of_all = QCheckBox()
        self.of_all.toggled.connect(self.all_wanted)
        self._empty = QLabel()
        self._model = _EpisodeModel(self)
        self.view = QListView()
        self.view.setModel(self._model)
        self.view.setUniformItemSizes(True)
        self.view.setFrameShape(QListView.Shape.NoFrame)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setIconSize(QSize(_SIGN, _SIGN))
        self.view.setFixedHeight(_ROWS * (self.fontMetrics().height() + 4))
        # A click, and Enter; where one click is both, the same time is gone to twice.
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 4)
        column.setSpacing(2)
        for widget in (self.of_all, self._empty, self.view):
            column.addWidget(widget)
        self.translate()

    def show_episodes(
        self,
        found: list[FaceEpisode],
        labels: tuple[str, ...],
        when: Callable[[float], str],
        *,
        newest_first: bool,
    ) -> None:
        """List these; `when` puts a time into words. The chosen row stays chosen."""
        current = self.view.currentIndex()
        before = self._model.at(current.row())
        rows = found[::-1] if newest_first else found
        if not self._model.show(rows, labels, when, with_faces=self.of_all.isChecked()):
            return
        if before is not None:
            begun = (before.number, before.episode.begin_s)
            for row, one in enumerate(rows):
                if (one.number, one.episode.begin_s) == begun:
                    self.view.setCurrentIndex(self._model.index(row))
                    break
        self._empty.setVisible(not rows)

    @property
    def texts(self) -> list[str]:
        """The rows as they read."""
        return [self._model.text(row) for row in range(self._model.rowCount())]

    def _choose(self, index: QModelIndex) -> None:
        found = self._model.at(index.row())
        if found is not None:
            self.chosen.emit(found.episode.begin_s)

    def translate(self) -> None:
        self.of_all.setText(tr("Of all faces"))
        self._empty.setText(tr("Nothing has been shown for long enough yet"))
        self.view.setAccessibleName(tr("Episodes"))
        self._model.translate()


class _EpisodeModel(QAbstractListModel):
    """Makes the text of a row when it is seen, so that ten thousand rows cost nothing."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[FaceEpisode] = []
        self._labels: tuple[str, ...] = ()
        self._with_faces = False
        self._when: Callable[[float], str] = str

    def show(
        self,
        rows: list[FaceEpisode],
        labels: tuple[str, ...],
        when: Callable[[float], str],
        *,
        with_faces: bool,
    ) -> bool:
        """Have these rows; returns whether others were there."""
        self._when = when
        if (rows, labels, with_faces) == (self._rows, self._labels, self._with_faces):
            return False
        self.beginResetModel()
        self._rows, self._labels, self._with_faces = rows, labels, with_faces
        self.endResetModel()
        return True

    def at(self, row: int) -> FaceEpisode | None:
        """What a row is of; None beside the list."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def text(self, row: int) -> str:
        """For example "surprise 0:03–0:05"."""
        episode = self._rows[row].episode
        span = f"{self._when(episode.begin_s)}–{self._when(episode.end_s)}"
        text = f"{tr_label(episode.label)} {span}"
        number = self._rows[row].number
        return f"{tr('face {number}', number=number)}: {text}" if self._with_faces else text

    def translate(self) -> None:
        """The rows read otherwise now."""
        self.dataChanged.emit(self.index(0), self.index(max(len(self._rows) - 1, 0)))

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802  # Qt's name
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self._rows):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.text(index.row())
        if role == Qt.ItemDataRole.DecorationRole:
            return _sign(expression_color(self._rows[index.row()].episode.label, self._labels))
        return None


def _sign(color: QColor) -> QPixmap:
    sign = QPixmap(_SIGN, _SIGN)
    sign.fill(color)
    return sign
