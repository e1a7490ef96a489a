"""The context menu of a picture: what can be done with it, and with the face under the pointer."""

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from fer_live.base.translation import tr

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow

_GROUPS = (
    ("snapshot", "copy_picture", "record"),
    ("heat_map", "mirror", "small", "full_screen"),
)


def show_video_menu(window: "MainWindow", face: int, at: QPoint) -> QMenu:
    """Open the menu of the chosen source's picture at `at`, a point of the screen.

    `face` is the number of the face under the pointer, 0 where there is none. The entries are the
    window's own actions, so that their keys, switches and reasons why not are the same.
    """
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    if face:
        follow = QAction(tr("&Follow face {n}", n=face), menu)
        follow.triggered.connect(partial(window.live.follow, face))
        menu.addAction(follow)
    menu.addAction(window.action["largest_face"])
    for group in _GROUPS:
        menu.addSeparator()
        menu.addActions([window.action[name] for name in group])
    menu.popup(at)
    return menu
