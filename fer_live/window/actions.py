"""What has a key, as data: QActions, toolbar, tooltips and the help sheet are made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtGui import QAction, QKeySequence

from fer_live.base.settings import Settings
from fer_live.base.translation import mark, tr
from fer_live.window.dialogs.help_sheet import show_help
from fer_live.window.snapshot import take_snapshot

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class WindowAction:
    """One thing that a person can do by a key, and in the toolbar where `TOOLBAR` names it.

    Exactly one of three says what happens: `run`, `switch` with whether it is now on, or `setting`,
    the field of `Settings` that it switches. The last two are checkable. `short_text` is for the
    toolbar, which has little room.
    """

    id: str
    text: str
    key: str
    run: Callable[["MainWindow"], object] | None = None
    switch: Callable[["MainWindow", bool], object] | None = None
    setting: str = ""
    short_text: str = ""

    def __post_init__(self) -> None:
        ways = [way for way in (self.run, self.switch, self.setting) if way]
        if len(ways) != 1:
            raise ValueError(f"{self.id}: expected one of run, switch, setting; got {len(ways)}")

    @property
    def is_checkable(self) -> bool:
        """Whether the action is a switch that can be on or off."""
        return self.run is None


ACTIONS = (
    WindowAction(
        "open_file", mark("&Open a file…"), "Ctrl+O", run=lambda w: w.source_menu.ask_for_file()
    ),
    WindowAction(
        "open_address",
        mark("Open an &address…"),
        "Ctrl+U",
        run=lambda w: w.source_menu.ask_for_address(),
    ),
    WindowAction(
        "add_source",
        mark("A&dd another source…"),
        "Ctrl+Shift+O",
        run=lambda w: w.source_menu.show_adding(),
    ),
    WindowAction(
        "next_source", mark("Choose the &next source"), "S", run=lambda w: w.feeds.choose_next()
    ),
    WindowAction(
        "name_source",
        mark("Na&me this source…"),
        "F2",
        run=lambda w: w.feeds.ask_for_name(w.feeds.chosen),
    ),
    WindowAction(
        "close_source",
        mark("&Close this source"),
        "Ctrl+W",
        run=lambda w: w.feeds.close(w.feeds.chosen),
    ),
    WindowAction(
        "snapshot", mark("&Snapshot"), "Ctrl+S", run=lambda w: take_snapshot(w.live.view, w.say)
    ),
    WindowAction("record", mark("&Record"), "Ctrl+R", switch=lambda w, on: w.set_recording(on)),
    WindowAction(
        "capture",
        mark("&Capture for retraining"),
        "Ctrl+K",
        switch=lambda w, on: w.set_capturing(on),
        short_text=mark("Capture"),
    ),
    WindowAction(
        "pause",
        mark("Pause capturing"),
        "Ctrl+Shift+K",
        switch=lambda w, on: w.feeds.chosen.capturing.set_paused(on),
    ),
    WindowAction(
        "calibrate",
        mark("&Calibrate to a face…"),
        "Ctrl+Y",
        run=lambda w: w.calibrating.open(),
        short_text=mark("Calibrate"),
    ),
    WindowAction(
        "next_face", mark("Follow the next face"), "N", run=lambda w: w.live.follow_next()
    ),
    WindowAction(
        "largest_face", mark("Follow the largest face"), "L", run=lambda w: w.live.follow(0)
    ),
    WindowAction("bars", mark("Bars"), "B", setting="show_panel"),
    WindowAction("timeline", mark("Timeline"), "T", setting="show_timeline"),
    WindowAction(
        "plane",
        mark("Valence and arousal"),
        "V",
        setting="show_plane",
        short_text=mark("Valence"),
    ),
    WindowAction("heat_map", mark("Where it looked"), "H", setting="show_heat_map"),
    WindowAction("signals", mark("Head and eyes"), "E", setting="signals", short_text=mark("Head")),
    WindowAction("mirror", mark("Mirror the camera"), "M", setting="mirror"),
    WindowAction("retry", mark("Try the source again"), "F5", run=lambda w: w.source.open()),
    WindowAction("live", mark("Live"), "Ctrl+1", run=lambda w: w.pages.turn_to(w.live_page)),
    WindowAction("review", mark("Review"), "Ctrl+2", run=lambda w: w.pages.turn_to(w.review)),
    WindowAction("personal", mark("Personal"), "Ctrl+3", run=lambda w: w.pages.turn_to(w.personal)),
    WindowAction(
        "play", mark("Play or pause a recording"), "P", run=lambda w: w.review.toggle_play()
    ),
    WindowAction("data_out", mark("&Data out"), "Ctrl+D", run=lambda w: w.data_out.show_dialog()),
    WindowAction(
        "settings", mark("Se&ttings"), "Ctrl+,", run=lambda w: w.preferences.show_dialog()
    ),
    WindowAction(
        "full_screen",
        mark("Full screen"),
        "F11",
        run=lambda w: w.showNormal() if w.isFullScreen() else w.showFullScreen(),
    ),
    WindowAction("help", mark("&Help"), "F1", run=lambda w: show_help(w, w.actions())),
    WindowAction("quit", mark("Quit"), "Ctrl+Q", run=lambda w: w.close()),
)
"""In the order in which the help sheet lists them."""

TOOLBAR = (
    ("snapshot", "record", "capture", "calibrate"),
    ("bars", "timeline", "plane", "heat_map", "signals"),
    ("data_out", "settings", "help"),
)
"""The groups of the toolbar, from left to right, behind the sources."""


def make_actions(window: "MainWindow") -> dict[str, QAction]:
    """Add every action to this window; returned by their ids."""
    made = {}
    for action in ACTIONS:
        q_action = QAction(window)
        q_action.setShortcut(QKeySequence(action.key))
        q_action.setCheckable(action.is_checkable)
        q_action.triggered.connect(_slot(action, window))
        window.addAction(q_action)
        made[action.id] = q_action
    return made


def _slot(action: WindowAction, window: "MainWindow") -> Callable[[bool], object]:
    run, switch, setting = action.run, action.switch, action.setting
    if run is not None:
        return lambda _: run(window)
    if switch is not None:
        return lambda on: switch(window, on)
    return lambda on: window.preferences.change({setting: on})


def translate_actions(made: Mapping[str, QAction]) -> None:
    """Set texts and tooltips in the language spoken now."""
    for action in ACTIONS:
        q_action, text = made[action.id], tr(action.text)
        keys = q_action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        q_action.setText(text)
        q_action.setToolTip(f"{text.replace('&', '')} ({keys})")
        if action.short_text:
            q_action.setIconText(tr(action.short_text))


def show_switches(made: Mapping[str, QAction], settings: Settings) -> None:
    """Check the actions whose setting is on."""
    for action in ACTIONS:
        if action.setting:
            made[action.id].setChecked(bool(getattr(settings, action.setting)))
