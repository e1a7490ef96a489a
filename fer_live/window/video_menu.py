"""The context menu of a picture: what can be done with it, and with the face under the pointer."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from fer_live.base.translation import tr

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow

_LIVE_GROUPS = (
    ("largest_face",),
    ("snapshot", "copy_picture", "record"),
    ("heat_map", "mirror", "small", "full_screen"),
)
_REVIEW_GROUPS = (
    ("longest_in_review",),
    ("play", "frame_back", "frame_on", "heat_map"),
    ("mark_here", "in_point", "out_point"),
    ("export", "rename_recording", "delete_recording"),
)


def show_live_menu(window: "MainWindow", face: int, at: QPoint) -> QMenu:
    """Open the menu of the chosen source's picture at `at`, a point of the screen.

    `face` is the number of the face under the pointer, 0 where there is none. The entries are the
    window's own actions, so that their keys, switches and reasons why not are the same.
    """
    return _show(window, face, window.live.follow, _LIVE_GROUPS, at)


def show_review_menu(window: "MainWindow", face: int, at: QPoint) -> QMenu:
    """Open the menu of a recording's picture; see `show_live_menu`."""
    return _show(window, face, window.later.review.beside.choose, _REVIEW_GROUPS, at)


def _show(
    window: "MainWindow",
    face: int,
    follow: Callable[[int], object],
    groups: tuple[tuple[str, ...], ...],
    at: QPoint,
) -> QMenu:
    menu = QMenu(window)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    if face:
        entry = QAction(tr("&Follow face {n}", n=face), menu)
        entry.triggered.connect(partial(follow, face))
        menu.addAction(entry)
    for index, group in enumerate(groups):
        if index:
            menu.addSeparator()
        menu.addActions([window.action[name] for name in group])
    menu.popup(at)
    return menu
