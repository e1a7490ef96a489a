"""What has a key, as data: QActions, toolbar, tooltips and the help sheet are made from it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PyQt6.QtGui import QAction, QKeySequence

from fer_live.base.settings import Settings
from fer_live.base.translation import mark, tr
from fer_live.window.dialogs.about import show_about
from fer_live.window.dialogs.help_sheet import show_help
from fer_live.window.icons import RED_SIGN, icon
from fer_live.window.review.review_actions import EDIT_ACTIONS, EXPORT_ACTIONS, PLAYBACK_ACTIONS
from fer_live.window.snapshot import copy_picture, take_snapshot
from fer_live.window.translated import plain
from fer_live.window.window_action import WindowAction

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow


def _begin_marker(window: "MainWindow") -> None:
    """The moment is now, also where the tab Personal is in front."""
    window.pages.turn_to("live")
    window.live_page.marker_bar.open()


def _next_face(window: "MainWindow") -> None:
    """Of the picture that is in front."""
    if window.pages.shows("review"):
        window.later.review.beside.choose_next()
    else:
        window.live.follow_next()


ACTIONS = (
    WindowAction(
        "open_file",
        mark("&Open a file…"),
        "Ctrl+O",
        run=lambda w: w.source_menu.ask_for_file(),
        menu="file",
        icon="folder-open",
    ),
    WindowAction(
        "open_address",
        mark("Open an &address…"),
        "Ctrl+U",
        run=lambda w: w.source_menu.ask_for_address(),
        menu="file",
        icon="link",
    ),
    WindowAction(
        "add_source",
        mark("A&dd another source…"),
        "Ctrl+Shift+O",
        run=lambda w: w.source_menu.show_adding(),
        menu="file",
        tip=mark("Beside those that are there"),
    ),
    WindowAction(
        "next_source",
        mark("Choose the &next source"),
        "S",
        run=lambda w: w.feeds.choose_next(),
        menu="file",
    ),
    WindowAction(
        "name_source",
        mark("Na&me this source…"),
        "F2",
        run=lambda w: w.feeds.ask_for_name(w.feeds.chosen),
        menu="file",
        tab="live",
    ),
    WindowAction(
        "close_source",
        mark("&Close this source"),
        "Ctrl+W",
        run=lambda w: w.feeds.close(w.feeds.chosen),
        menu="file",
        icon="x",
    ),
    *EXPORT_ACTIONS,
    WindowAction(
        "retry",
        mark("&Try the source again"),
        "F5",
        run=lambda w: w.source.open(),
        menu="file",
        icon="rotate-ccw",
    ),
    WindowAction(
        "pause_source",
        mark("&Pause the source"),
        "Ctrl+P",
        switch=lambda w, on: w.source.set_paused(on),
        menu="file",
        tip=mark("Closes the camera until you go on"),
        icon="video-off",
    ),
    *EDIT_ACTIONS,
    WindowAction(
        "snapshot",
        mark("&Snapshot"),
        "Ctrl+S",
        run=lambda w: take_snapshot(w.live.view, w.say),
        menu="record",
        tip=mark("Saves the picture with its boxes"),
        icon="camera",
    ),
    WindowAction(
        "copy_picture",
        mark("C&opy the picture"),
        "Ctrl+Shift+C",
        run=lambda w: copy_picture(w.live.view, w.say),
        menu="record",
        tip=mark("With its boxes, to paste into another program"),
        icon="copy",
    ),
    WindowAction(
        "record",
        mark("&Record"),
        "Ctrl+R",
        switch=lambda w, on: w.set_recording(on),
        menu="record",
        tip=mark("A video of what is seen, with what was read in it, for the tab Review"),
        icon="circle",
    ),
    WindowAction(
        "capture",
        mark("&Capture for retraining"),
        "Ctrl+K",
        switch=lambda w, on: w.set_capturing(on),
        short_text=mark("Capture"),
        menu="record",
        tip=mark("Clips of your own face, from which the model can learn"),
        icon="user-round-plus",
    ),
    WindowAction(
        "pause",
        mark("Pause capturing"),
        "Ctrl+Shift+K",
        switch=lambda w, on: w.feeds.chosen.capturing.set_paused(on),
        menu="record",
        icon="pause",
    ),
    *PLAYBACK_ACTIONS,
    WindowAction(
        "next_face",
        mark("Follow the &next face"),
        "N",
        run=_next_face,
        tab="live or review",
    ),
    WindowAction(
        "largest_face",
        mark("Follow the &largest face"),
        "L",
        run=lambda w: w.live.follow(0),
        tab="live",
    ),
    WindowAction(
        "bars",
        mark("&Bars"),
        "B",
        setting="show_panel",
        tip=mark("The probabilities of the followed face"),
        icon="chart-column",
        tab="live or review",
    ),
    WindowAction(
        "faces",
        mark("&All faces"),
        "A",
        setting="show_faces",
        short_text=mark("Faces"),
        tip=mark("Every face of the last minute, and what it mostly showed"),
        icon="users",
        tab="live or review",
    ),
    WindowAction(
        "timeline",
        mark("&Timeline"),
        "T",
        setting="show_timeline",
        tip=mark("What the followed face showed before now"),
        icon="chart-line",
        tab="live or review",
    ),
    WindowAction(
        "plane",
        mark("&Valence and arousal"),
        "V",
        setting="show_plane",
        short_text=mark("Valence"),
        tip=mark("Derived from the probabilities"),
        icon="crosshair",
        tab="live or review",
    ),
    WindowAction(
        "heat_map",
        mark("&Where it looked"),
        "H",
        setting="show_heat_map",
        tip=mark("Orange marks what spoke for the label"),
        icon="flame",
        tab="live or review",
    ),
    WindowAction(
        "signals",
        mark("Head and &eyes"),
        "E",
        setting="signals",
        short_text=mark("Head"),
        tip=mark("The turn of the head, gaze, blinks and mouth"),
        icon="scan-eye",
        tab="live or review",
    ),
    WindowAction(
        "mirror",
        mark("&Mirror the camera"),
        "M",
        setting="mirror",
        tip=mark("As in a mirror, your left is on the left"),
        icon="flip-horizontal-2",
        tab="live",
    ),
    WindowAction("live", mark("&Live"), "Ctrl+1", run=lambda w: w.pages.turn_to("live")),
    WindowAction("review", mark("&Review"), "Ctrl+2", run=lambda w: w.pages.turn_to("review")),
    WindowAction(
        "personal", mark("&Personal"), "Ctrl+3", run=lambda w: w.pages.turn_to("personal")
    ),
    WindowAction(
        "small",
        mark("&Small, always in front"),
        "Ctrl+M",
        switch=lambda w, on: w.small.switch(on),
        tip=mark("A little window with the picture alone, in front of the others"),
        icon="picture-in-picture-2",
    ),
    WindowAction(
        "full_screen",
        mark("&Full screen"),
        "F11",
        run=lambda w: w.small.toggle_full_screen(),
        icon="maximize",
    ),
    WindowAction(
        "calibrate",
        mark("&Calibrate to a face…"),
        "Ctrl+Y",
        run=lambda w: w.calibrating.open(),
        short_text=mark("Calibrate"),
        menu="tools",
        tip=mark("Fits the model to your face in a minute"),
        icon="scan-face",
    ),
    WindowAction(
        "marker",
        mark("Mar&k this moment…"),
        "K",
        run=_begin_marker,
        menu="record",
        tip=mark("Says what happens now, in every output and recording"),
        tab="live",
    ),
    WindowAction(
        "marker_keys",
        mark("Ma&rkers…"),
        "Shift+K",
        run=lambda w: w.markers.show_dialog(),
        menu="record",
        tip=mark("What the keys 1 to 9 mark, and markers from other programs"),
    ),
    WindowAction(
        "data_out",
        mark("&Data out"),
        "Ctrl+D",
        run=lambda w: w.data_out.show_dialog(),
        menu="tools",
        tip=mark("Sends what is read to a file or another program"),
        icon="share-2",
    ),
    WindowAction(
        "settings",
        mark("Se&ttings"),
        "Ctrl+,",
        run=lambda w: w.preferences.show_dialog(lambda: w.source.is_camera),
        menu="tools",
        tip=mark("Language, appearance, camera, model, and how calm labels are"),
        icon="settings",
    ),
    WindowAction(
        "help",
        mark("&Help"),
        "F1",
        run=lambda w: show_help(w, w.actions(), tour=w.action["tour"]),
        menu="help",
        tip=mark("What the window shows, and every key"),
        icon="circle-help",
    ),
    WindowAction(
        "tour",
        mark("&Take the tour"),
        "Shift+F1",
        run=lambda w: w.tour.begin(),
        menu="help",
    ),
    WindowAction(
        "examine",
        mark("&Check this computer…"),
        run=lambda w: w.examination.show(),
        menu="help",
        icon="stethoscope",
    ),
    WindowAction(
        "report_problem",
        mark("Report a &problem…"),
        run=lambda w: w.examination.report_problem(),
        menu="help",
        icon="bug",
    ),
    WindowAction("about", mark("&About FER Live"), run=show_about, menu="help", icon="info"),
    WindowAction(
        "quit", mark("&Quit"), "Ctrl+Q", run=lambda w: w.close(), menu="file", icon="log-out"
    ),
)
"""In the order in which the help sheet lists them."""

TOOLBAR = (
    ("snapshot", "record", "capture", "calibrate"),
    ("bars", "faces", "timeline", "plane", "heat_map", "signals"),
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
        q_action.setData(action.tab)
        if action.icon:
            q_action.setIcon(icon(action.icon, RED_SIGN if action.id == "record" else ""))
        q_action.triggered.connect(_slot(action, window))
        window.addAction(q_action)
        made[action.id] = q_action
    made["quit"].setMenuRole(QAction.MenuRole.QuitRole)
    made["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
    made["about"].setMenuRole(QAction.MenuRole.AboutRole)
    return made


def _slot(action: WindowAction, window: "MainWindow") -> Callable[[bool], object]:
    run, switch, setting = action.run, action.switch, action.setting
    if run is not None:
        return lambda _: run(window)
    if switch is not None:
        return lambda on: switch(window, on)
    return lambda on: window.preferences.change({setting: on})


def translate_actions(made: Mapping[str, QAction]) -> None:
    """Set texts in the language spoken now; `Availability` sets the tooltips."""
    for action in ACTIONS:
        text = tr(action.text)
        made[action.id].setText(text)
        made[action.id].setIconText(tr(action.short_text) if action.short_text else plain(text))


def show_switches(made: Mapping[str, QAction], settings: Settings) -> None:
    """Check the actions whose setting is on."""
    for action in ACTIONS:
        if action.setting:
            made[action.id].setChecked(bool(getattr(settings, action.setting)))
