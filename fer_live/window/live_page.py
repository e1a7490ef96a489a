"""The live tab: a tile for each source, and of the chosen one its face and its timeline."""

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from fer_live.outputs.markers import MarkedSpan
from fer_live.window.grid.tile import LiveTile, Parts
from fer_live.window.grid.tile_grid import TileGrid
from fer_live.window.widgets.marker_bar import MarkerBar
from fer_live.window.widgets.scrolled import ScrolledBelow

_LEAST_TIMELINE = 120
"""Pixels: a row of its legend and the band."""

_LEGEND_FROM_H = 420
"""In a lower page the pictures need the room."""


class LivePage(QWidget):
    """Shows the tiles of all sources, one of which is chosen.

    What stands beside and below the pictures is of the chosen one; the marks are of all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tiles: list[LiveTile] = []
        self._chosen: LiveTile | None = None
        self._marks: Sequence[MarkedSpan] = ()
        self._parts, self._is_picture_alone = Parts(), False
        self._grid, self._beside, timelines = TileGrid(), QWidget(), QWidget()
        self._timelines = _column_in(timelines)
        self._below = ScrolledBelow(timelines, _LEAST_TIMELINE)
        self.marker_bar = MarkerBar()
        left = QWidget()
        column = _column_in(left)
        column.addWidget(self._grid, 1)
        column.addWidget(self._below)
        column.addWidget(self.marker_bar)
        self._sides = _column_in(self._beside)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(self._beside)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        _column_in(self).addWidget(splitter)

    def add(self, tile: LiveTile) -> None:
        """Take in the tile of one more source."""
        self._tiles.append(tile)
        self._grid.add(tile)
        self._sides.addWidget(tile.beside)
        self._timelines.addWidget(tile.timeline)
        tile.timeline.show_marks(self._marks)
        self._chosen = self._chosen or tile
        self._show_all()

    def remove(self, tile: LiveTile) -> None:
        """Take a tile out, and delete it; the first one is chosen where it was."""
        self._tiles.remove(tile)
        self._grid.remove(tile)
        for widget in (tile, tile.beside, tile.timeline):
            widget.setParent(None)
            widget.deleteLater()
        if tile is self._chosen:
            self._chosen = self._tiles[0] if self._tiles else None
        self._show_all()

    def choose(self, tile: LiveTile) -> None:
        """Show beside and below the pictures what belongs to this one."""
        self._chosen = tile
        self._show_all()

    def show_marks(self, marks: Sequence[MarkedSpan]) -> None:
        """Show these moments and intervals on every timeline."""
        self._marks = marks
        for tile in self._tiles:
            tile.timeline.show_marks(marks)

    def show_parts(self, parts: Parts) -> None:
        """Show these around the pictures, and nothing where a part is not wanted."""
        self._parts = parts
        self._show_all()

    def show_picture_alone(self, alone: bool) -> None:
        """Show nothing around the pictures, or again what is wanted."""
        self._is_picture_alone = alone
        self._show_all()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        for tile in self._tiles:
            tile.timeline.show_legend(self.height() >= _LEGEND_FROM_H)

    def _show_all(self) -> None:
        parts = Parts.none() if self._is_picture_alone else self._parts
        is_alone = len(self._tiles) == 1
        for tile in self._tiles:
            is_chosen = tile is self._chosen
            tile.show_among_others(is_alone=is_alone, is_chosen=is_chosen)
            tile.show_parts(parts, is_chosen=is_chosen)
        self._beside.setVisible(parts.any_beside)
        self._below.setVisible(parts.timeline)


def _column_in(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column
