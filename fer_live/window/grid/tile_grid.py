"""Lays tiles out in as many columns as make their pictures largest."""

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QGridLayout, QWidget

_PICTURE_WH = 4, 3
_HEAD_H = 26


class TileGrid(QWidget):
    """Widgets of one size, in the order in which they came, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self._tiles: list[QWidget] = []
        self._n_columns = 0
        self._cells = QGridLayout(self)
        self._cells.setContentsMargins(0, 0, 0, 0)
        self._cells.setSpacing(0)

    def add(self, tile: QWidget) -> None:
        """Take in one more."""
        self._tiles.append(tile)
        self._arrange(columns_for(len(self._tiles), self.size()))

    def remove(self, tile: QWidget) -> None:
        """Close the gap that it leaves."""
        self._tiles.remove(tile)
        self._arrange(columns_for(len(self._tiles), self.size()))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        n_columns = columns_for(len(self._tiles), self.size())
        if n_columns != self._n_columns:
            self._arrange(n_columns)

    def _arrange(self, n_columns: int) -> None:
        self._n_columns = n_columns
        n_before = max(self._cells.columnCount(), self._cells.rowCount())
        while self._cells.takeAt(0) is not None:
            pass
        for index in range(max(n_before, len(self._tiles))):
            self._cells.setColumnStretch(index, int(index < n_columns))
            self._cells.setRowStretch(index, int(index * n_columns < len(self._tiles)))
        for index, tile in enumerate(self._tiles):
            self._cells.addWidget(tile, index // n_columns, index % n_columns)


def columns_for(n_tiles: int, area: QSize) -> int:
    """In how many columns `n_tiles` pictures of 4:3 are largest in this area."""

    def scale(n_columns: int) -> float:
        n_rows = -(-n_tiles // n_columns)
        width, height = area.width() / n_columns, area.height() / n_rows - _HEAD_H
        return min(width / _PICTURE_WH[0], height / _PICTURE_WH[1])

    return max(range(1, n_tiles + 1), key=scale, default=1)
