"""The icons of the actions: line drawings in the colour of the text, drawn sharp at any scale."""

from functools import cache

from PyQt6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from fer_live.model.assets import asset

RED = "#d43a2f"
"""The ground of what records, under white text."""
RED_SIGN = "#e8564c"
"""Of drawings; it stands out by 3 to 1 on the grounds of both themes, for every kind of eyes."""


def icon(name: str, color: str = "") -> QIcon:
    """The drawing `assets/icons/NAME.svg` in `color`, or else in the colour of a button's text.

    It follows the theme, and whether the button is checked or disabled. Raises `FerLiveError`
    where there is no such drawing.
    """
    return QIcon(_LineIcon(name, color))


class _LineIcon(QIconEngine):
    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name, self._color = name, color
        _drawing(name)

    def clone(self) -> QIconEngine:
        return _LineIcon(self._name, self._color)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        if pixmap.isNull():  # a button that is being squeezed to nothing asks for no size
            return pixmap
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def paint(
        self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        palette = QGuiApplication.palette()
        if mode == QIcon.Mode.Disabled:
            color = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
        elif state == QIcon.State.On and not self._color:
            color = palette.color(QPalette.ColorRole.HighlightedText)
        else:
            color = palette.color(QPalette.ColorRole.ButtonText)
        shown = self._color if self._color and mode != QIcon.Mode.Disabled else color.name()
        renderer = QSvgRenderer(
            QByteArray(_drawing(self._name).replace("currentColor", shown).encode())
        )
        renderer.render(painter, QRectF(rect))


@cache
def _drawing(name: str) -> str:
    return asset(f"icons/{name}.svg").read_text()
