"""The menu bar: every action stands in one of its menus, so that each can be found by reading."""

from collections.abc import Mapping

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QMenuBar

from fer_live.base.translation import tr
from fer_live.window.actions import ACTIONS
from fer_live.window.translated import Translated
from fer_live.window.window_action import Menu

_BREAKS_BEFORE = {
    "pause_source",
    "quit",
    "capture",
    "marker",
    "open_video",
    "mark_here",
    "play_back",
    "in_point",
    "longest_in_review",
    "bars",
    "live",
    "small",
    "examine",
    "about",
}


class MenuBar(Translated, QMenuBar):
    """All menus; `sources`, the second one, is filled whenever it opens."""

    def __init__(self, sources: QMenu, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self._sources = sources
        self._menus: dict[Menu, QMenu] = {}
        for name in ("file", "edit", "record", "playback", "view", "tools", "help"):
            menu = self.addMenu("")
            assert menu is not None
            menu.setToolTipsVisible(True)
            self._menus[name] = menu
            if name == "file":
                self.addMenu(sources)
        for action in ACTIONS:
            if action.id in _BREAKS_BEFORE:
                self._menus[action.menu].addSeparator()
            self._menus[action.menu].addAction(actions[action.id])
        self.translate()

    def translate(self) -> None:
        titles: dict[Menu, str] = {
            "file": tr("&File"),
            "edit": tr("&Edit"),
            "record": tr("&Record"),
            "playback": tr("&Playback"),
            "view": tr("&View"),
            "tools": tr("&Tools"),
            "help": tr("&Help"),
        }
        for name, menu in self._menus.items():
            menu.setTitle(titles[name])
        self._sources.setTitle(tr("&Source"))
