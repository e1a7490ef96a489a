"""Which actions can work now. One that cannot is switched off, and its tooltip says why."""

from typing import TYPE_CHECKING

from PyQt6.QtGui import QKeySequence

from fer_live.base.translation import tr
from fer_live.window.actions import ACTIONS
from fer_live.window.translated import plain
from fer_live.window.window_action import WindowAction

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow

_NEEDS_PICTURE = (
    "snapshot",
    "copy_picture",
    "record",
    "capture",
    "calibrate",
    "next_face",
    "largest_face",
)
_AMONG_SEVERAL = ("next_source", "name_source", "close_source")
_ON_THE_SHELF = ("delete_recording",)


class Availability:
    """Looks at the window whenever `refresh` is called, and changes what has changed."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    def refresh(self) -> None:
        """Switch each action on or off, with its tooltip in the language spoken now."""
        for action in ACTIONS:
            q_action = self._window.action[action.id]
            why_not = self._why_not(action)
            q_action.setEnabled(not why_not)
            keys = q_action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            name = plain(q_action.text())
            first = f"{name} ({keys})" if keys else name
            more = why_not or (tr(action.tip) if action.tip else "")
            q_action.setToolTip(f"{first}\n{more}" if more else first)

    def _why_not(self, action: WindowAction) -> str:
        """Why this action cannot work; empty where it can."""
        window, name = self._window, action.id
        if window.pages.is_asking:
            return "" if name in ("help", "quit", "about") else tr("First answer the question")
        capturing = window.feeds.chosen.capturing
        if (name == "record" and window.feeds.recorded_since_s is not None) or (
            name == "capture" and capturing.is_on
        ):
            return ""
        if name in _AMONG_SEVERAL and len(window.feeds.all) == 1:
            return tr("There is one source")
        if action.tab == "live" and not window.pages.shows("live"):
            return tr("Only in the tab Live")
        if action.tab == "review":
            return self._why_not_in_review(name)
        if window.pages.shows("review") and action.tab == "live or review":
            return ""
        if action.tab == "live or review" and not window.pages.shows("live"):
            return tr("Only in the tabs Live and Review")
        return self._why_not_live(name)

    def _why_not_live(self, name: str) -> str:
        window = self._window
        tiles = [window.live] if name != "record" else [one.tile for one in window.feeds.all]
        if name in _NEEDS_PICTURE and not any(tile.view.has_picture for tile in tiles):
            return tr("There is no picture")
        if name == "pause" and not window.feeds.chosen.capturing.is_on:
            return tr("Nothing is being captured")
        if name == "mirror" and not window.source.can_be_mirrored:
            return tr("Only a camera is mirrored")
        if name == "heat_map" and window.pipeline is not None:
            has_map = window.pipeline.classifier.has_heat_map
            return "" if has_map else tr("This model does not tell where it looked")
        return ""

    def _why_not_in_review(self, name: str) -> str:
        if not self._window.pages.shows("review"):
            return tr("Only in the tab Review")
        review = self._window.later.review
        if name in _ON_THE_SHELF:
            return "" if review.list.current else tr("Choose a recording")
        if name in ("open_video", "export") and review.work.is_running:
            return tr("Something is being written or read already")
        if name == "open_video":
            return ""
        if not review.can_play:
            return tr("Choose a recording")
        if name == "undo" and not review.changes.canUndo():
            return tr("Nothing was changed")
        if name == "redo" and not review.changes.canRedo():
            return tr("Nothing was undone")
        return ""
