"""Which actions can work now. One that cannot is switched off, and its tooltip says why."""

from typing import TYPE_CHECKING

from PyQt6.QtGui import QKeySequence

from fer_live.base.translation import tr
from fer_live.window.actions import ACTIONS
from fer_live.window.translated import plain

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
_LIVE_VIEW = (
    "bars",
    "faces",
    "timeline",
    "plane",
    "heat_map",
    "signals",
    "mirror",
    "next_face",
    "largest_face",
)


class Availability:
    """Looks at the window whenever `refresh` is called, and changes what has changed."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    def refresh(self) -> None:
        """Switch each action on or off, with its tooltip in the language spoken now."""
        for action in ACTIONS:
            q_action = self._window.action[action.id]
            why_not = self._why_not(action.id)
            q_action.setEnabled(not why_not)
            keys = q_action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            name = plain(q_action.text())
            first = f"{name} ({keys})" if keys else name
            more = why_not or (tr(action.tip) if action.tip else "")
            q_action.setToolTip(f"{first}\n{more}" if more else first)

    def _why_not(self, name: str) -> str:
        """Why this action cannot work; empty where it can."""
        window = self._window
        if window.pages.is_asking:
            return "" if name in ("help", "quit", "about") else tr("First answer the question")
        capturing = window.feeds.chosen.capturing
        if (name == "record" and window.feeds.recorded_since_s is not None) or (
            name == "capture" and capturing.is_on
        ):
            return ""
        if name in _AMONG_SEVERAL and len(window.feeds.all) == 1:
            return tr("There is one source")
        if name in _LIVE_VIEW and not window.pages.shows(window.live_page):
            return tr("Only in the tab Live")
        tiles = [window.live] if name != "record" else [one.tile for one in window.feeds.all]
        if name in _NEEDS_PICTURE and not any(tile.view.has_picture for tile in tiles):
            return tr("There is no picture")
        if name == "pause" and not capturing.is_on:
            return tr("Nothing is being captured")
        if name == "play" and not window.review.can_play:
            return tr("Choose a recording in the tab Review")
        if name == "mirror" and not window.source.can_be_mirrored:
            return tr("Only a camera is mirrored")
        if name == "heat_map" and window.pipeline is not None:
            has_map = window.pipeline.classifier.has_heat_map
            return "" if has_map else tr("This model does not tell where it looked")
        return ""
