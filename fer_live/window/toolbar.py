"""The toolbar: the sources, then the actions that `TOOLBAR` names."""

from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QToolBar, QToolButton

from fer_live.base.translation import tr
from fer_live.window.actions import TOOLBAR
from fer_live.window.translated import Translated


class Toolbar(Translated, QToolBar):
    """Holds buttons alone; the actions do the work, and keep their own texts."""

    def __init__(self, sources: QMenu, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._sources = QToolButton()
        self._sources.setMenu(sources)
        self._sources.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.addWidget(self._sources)
        first, *others = TOOLBAR
        self.addActions([actions[name] for name in first])
        for group in others:
            self.addSeparator()
            self.addActions([actions[name] for name in group])
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
