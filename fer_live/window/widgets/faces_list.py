"""All faces of the last minute: portrait, what each shows now, and what it mostly showed."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PyQt6.QtCore import QModelIndex, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from fer_live.base.translation import tr, tr_label
from fer_live.datatypes import FaceResult, FrameResult
from fer_live.painting.overlay import expression_color
from fer_live.recording.history import Moment
from fer_live.window.widgets.bar import paint_shares

_EVERY_S = 0.5
_PORTRAIT_EVERY_S = 2.0
_PORTRAIT = 44
_SHARE_OF_S = 60.0
_BAR_H = 6
_NUMBER = Qt.ItemDataRole.UserRole
_SHARES = Qt.ItemDataRole.UserRole + 1


@dataclass(slots=True)
class _FaceRow:
    """A face of the list: its item, and when its portrait was cut out."""

    item: QListWidgetItem
    cut_at_s: float = float("-inf")


class FacesList(QListWidget):
    """A row a face, by their numbers; `chosen` brings the number of one that the person chose.

    Faces that left the picture stay, fainter, until a minute has passed. Portraits are cut from the
    frames every other second, and are kept nowhere but here.
    """

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_WithShares(self))
        self.setIconSize(QSize(_PORTRAIT, _PORTRAIT))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMinimumHeight(_PORTRAIT + 24)
        self.setAccessibleName(tr("Faces of the last minute"))
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)
        self._rows: dict[int, _FaceRow] = {}
        self._shown_at_s = float("-inf")

    def show_faces(
        self,
        result: FrameResult,
        moments: Mapping[int, Iterable[Moment]],
        labels: tuple[str, ...],
        followed: int | None,
    ) -> None:
        """Take in a frame, at most twice a second; `moments` are those of the last minute, by the
        number of their face."""
        if not self.is_due:
            return
        self._shown_at_s = now_s = time.monotonic()
        in_view = {face.track_id: face for face in result.faces}
        for number in [number for number in self._rows if number not in moments]:
            self.takeItem(self.row(self._rows.pop(number).item))
        for number in sorted(moments):
            row = self._rows.get(number) or self._add(number)
            face = in_view.get(number)
            shares = shares_of(moments[number], result.frame.captured_at_s)
            self._show_row(row.item, number, face, shares, labels)
            if face is not None and now_s - row.cut_at_s > _PORTRAIT_EVERY_S:
                row.cut_at_s = now_s
                row.item.setIcon(_untinted(_portrait(result.frame.image_bgr, face)))
        current = self._rows.get(followed or 0)
        self.setCurrentItem(None if current is None else current.item)

    @property
    def is_due(self) -> bool:
        """Whether the next frame would be shown: the last one was half a second ago."""
        return time.monotonic() - self._shown_at_s >= _EVERY_S

    def start_over(self) -> None:
        """The next frame is of another source."""
        self.clear()
        self._rows.clear()
        self._shown_at_s = float("-inf")

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(210, 3 * (_PORTRAIT + 20))

    def _add(self, number: int) -> _FaceRow:
        item = QListWidgetItem()
        item.setData(_NUMBER, number)
        later = (other for other in self._rows if other > number)
        place = self._rows[min(later)].item if any(other > number for other in self._rows) else None
        self.insertItem(self.count() if place is None else self.row(place), item)
        self._rows[number] = _FaceRow(item)
        return self._rows[number]

    def _show_row(
        self,
        item: QListWidgetItem,
        number: int,
        face: FaceResult | None,
        shares: dict[str, float],
        labels: tuple[str, ...],
    ) -> None:
        now = tr("out of view") if face is None else tr_label(face.shown_label)
        mostly = max(shares, key=lambda label: shares[label], default="")
        most = tr("mostly {label}, {share}", label=tr_label(mostly), share=f"{shares[mostly]:.0%}")
        item.setText(f"{tr('face {number}', number=number)}: {now}\n{most}")
        item.setToolTip(
            "\n".join(
                f"{tr_label(label)} {share:.0%}"
                for label, share in sorted(shares.items(), key=lambda pair: -pair[1])
            )
        )
        colored = [(expression_color(label, labels), shares[label]) for label in shares]
        item.setData(_SHARES, colored)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(int(item.data(_NUMBER)))


def shares_of(moments: Iterable[Moment], now_s: float) -> dict[str, float]:
    """The share of each label shown in the last minute, of the time in which the face was seen;
    in the order in which they came first, "" for unsure."""
    spent: defaultdict[str, float] = defaultdict(float)
    before: Moment | None = None
    for moment in moments:
        if now_s - moment.time_s > _SHARE_OF_S:
            continue
        # A face that was away was seen for the length of one frame, not until it came back.
        lasted_s = 1 / 30 if before is None else min(moment.time_s - before.time_s, 0.5)
        spent[moment.shown_label] += lasted_s
        before = moment
    total = sum(spent.values())
    return {label: seconds / total for label, seconds in spent.items()} if total > 0 else {"": 1.0}


class _WithShares(QStyledItemDelegate):
    """Paints a row as Qt does, and below its text the shares as one bar."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        return QSize(super().sizeHint(option, index).width(), _PORTRAIT + _BAR_H + 12)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        super().paint(painter, option, index)
        shares: list[tuple[QColor, float]] = index.data(_SHARES) or []
        if painter is None:
            return
        area = QRectF(option.rect)
        paint_shares(
            painter,
            QRectF(area.left() + 6, area.bottom() - _BAR_H - 4, area.width() - 12, _BAR_H),
            shares,
        )


def _untinted(picture: QPixmap) -> QIcon:
    """An icon that looks the same in the row that is chosen."""
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def _portrait(image_bgr: np.ndarray, face: FaceResult) -> QPixmap:
    """The face's square, cut out of the frame; where it reaches over the edge, what is there."""
    x1, y1, x2, y2 = (round(float(value)) for value in face.box_xyxy)
    half = round(max(x2 - x1, y2 - y1) * 0.65)
    middle_x, middle_y = (x1 + x2) // 2, (y1 + y2) // 2
    height, width = image_bgr.shape[:2]
    left, right = np.clip((middle_x - half, middle_x + half), 0, width)
    top, bottom = np.clip((middle_y - half, middle_y + half), 0, height)
    if right - left < 2 or bottom - top < 2:
        return QPixmap()
    square = np.ascontiguousarray(image_bgr[top:bottom, left:right])
    small = cv2.resize(square, (2 * _PORTRAIT, 2 * _PORTRAIT), interpolation=cv2.INTER_AREA)
    rows, columns = small.shape[:2]
    image = QImage(small.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_BGR888)
    return QPixmap.fromImage(image)
