"""What stands beside a picture: the followed face's bars, all faces, the plane, head and eyes."""

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QStyle, QVBoxLayout, QWidget

from fer_live.window.widgets.affect_plane import AffectPlane
from fer_live.window.widgets.face_panel import FacePanel
from fer_live.window.widgets.faces_list import FacesList
from fer_live.window.widgets.scrolled import Scrolled
from fer_live.window.widgets.signals_panel import SignalsPanel

_LEAST_HEIGHT = 120


class FaceColumn(Scrolled):
    """Has these four one below the other. Where the window is too low for those that are shown, the
    column scrolls, so that everything stays large enough to be read."""

    def __init__(self) -> None:
        inner = QWidget()
        super().__init__(inner)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.panel, self.faces = FacePanel(), FacesList()
        self.plane, self.signals = AffectPlane(), SignalsPanel()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel)
        column.addWidget(self.faces, 1)
        column.addWidget(self.plane)
        column.addWidget(self.signals)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        inner, style = self.widget(), self.style()
        assert inner is not None and style is not None
        bar_w = style.pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        least = inner.minimumSizeHint()
        return QSize(least.width() + bar_w, min(least.height(), _LEAST_HEIGHT))
