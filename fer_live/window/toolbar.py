"""The toolbar: the sources, then the actions that `TOOLBAR` names."""

from collections.abc import Mapping

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QToolBar, QToolButton

from fer_live.base.translation import tr
from fer_live.window.actions import TOOLBAR
from fer_live.window.icons import icon
from fer_live.window.translated import Translated

_BY_ICON_ALONE = (
    "bars",
    "faces",
    "timeline",
    "plane",
    "heat_map",
    "signals",
    "settings",
    "help",
)
"""With their names, not all would fit into the window at its first size."""


class Toolbar(Translated, QToolBar):
    """Holds buttons alone; the actions do the work, and keep their own texts."""

    def __init__(self, sources: QMenu, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(18, 18))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._sources = QToolButton()
        self._sources.setMenu(sources)
        self._sources.setIcon(icon("video"))
        self._sources.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._sources.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.addWidget(self._sources)
        first, *others = TOOLBAR
        self.addActions([actions[name] for name in first])
        for group in others:
            self.addSeparator()
            self.addActions([actions[name] for name in group])
        for name in _BY_ICON_ALONE:
            button = self.widgetForAction(actions[name])
            assert isinstance(button, QToolButton)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        record = self.widgetForAction(actions["record"])
        assert record is not None
        record.setObjectName("record")  # red, as the style has it
        for button in self.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.translate()

    def translate(self) -> None:
        more = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if more is not None:
            more.setToolTip(tr("More tools"))
            more.setAccessibleName(tr("More tools"))
        self._sources.setText(tr("Source"))
        self._sources.setToolTip(tr("Where the pictures come from"))
        self.setWindowTitle(tr("Tools"))
