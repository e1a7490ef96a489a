"""Shows the window and its dialogs on a made-up screen, and prints as JSON what does not fit.

Run as `python -m tests.helpers.layout LANGUAGE [FOLDER]` with `QT_QPA_PLATFORM` naming the screen
(`screen_named`) and `QT_SCALE_FACTOR` its scale. With FOLDER, a picture of each state is saved.
"""

import json
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from PyQt6 import sip
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QDialog,
    QLabel,
    QMainWindow,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import set_language
from fer_live.personal.models import list_models, load_pipeline
from fer_live.session.meter import Meter
from fer_live.sources.several import NamedSource
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import Notices
from fer_live.window.personal.calibrate_dialog import CalibrateDialog
from fer_live.window.personal.calibrate_view import Choice
from fer_live.window.personal.model_dialog import ModelDialog
from fer_live.window.style import apply_style
from fer_live.window.translated import plain
from fer_live.window.widgets.elided_label import ElidedLabel
from tests.helpers.window import GRAY

_FRAME_PX = 40
_SLACK_PX = 2


def screen_named(folder: Path, width: int, height: int) -> str:
    """The value of `QT_QPA_PLATFORM` for a screen of so many pixels."""
    file = folder / f"screen_{width}x{height}.json"
    screen = {
        "name": "made up",
        "x": 0,
        "y": 0,
        "width": width,
        "height": height,
        "logicalDpi": 96,
        "logicalBaseDpi": 96,
        "dpr": 1,
    }
    file.write_text(json.dumps({"windowFrameMargins": False, "screens": [screen]}))
    return f"offscreen:configfile={file}"


def faults_of(top: QWidget) -> list[str]:
    """What does not fit in a window: itself, a text that is cut, or two widgets on one place."""
    faults = []
    screen = top.screen()
    assert screen is not None
    free, size = screen.availableGeometry(), top.frameGeometry().size()
    if size.width() > free.width() or size.height() > free.height():
        faults.append(
            f"{size.width()} x {size.height()} on a screen of {free.width()} x {free.height()}"
        )
    shown = [one for one in top.findChildren(QWidget) if _is_seen(one, top)]
    for widget in shown:
        faults += _cut(widget)
    parents = {id(one.parentWidget()): one.parentWidget() for one in shown}
    for parent in parents.values():
        if parent is not None:
            faults += _overlaps(parent, top)
    for area in (one for one in shown if isinstance(one, QScrollArea)):
        faults += _beyond_reach(area)
        bar = area.horizontalScrollBar()
        # A page may be wider than a small screen; what a dialog hides is not looked for.
        room = free.width() if isinstance(top, QDialog) else free.width() - size.width() - _FRAME_PX
        if bar is not None and 0 < bar.maximum() <= room:
            faults.append(f"scrolls sideways by {bar.maximum()} px")
    return list(dict.fromkeys(faults))


def _is_seen(widget: QWidget, top: QWidget) -> bool:
    return widget.isVisibleTo(top) and widget.window() is top


def _cut(widget: QWidget) -> Iterator[str]:
    name = getattr(widget, "text", str)() if callable(getattr(widget, "text", None)) else ""
    if not name or isinstance(widget, ElidedLabel):
        return
    needed = widget.minimumSizeHint()
    if isinstance(widget, QPushButton | QCheckBox | QRadioButton):
        needed = widget.sizeHint()
    elif not isinstance(widget, QLabel | QAbstractButton):
        return
    width, height = widget.width(), widget.height()
    if isinstance(widget, QLabel) and widget.wordWrap():
        if widget.heightForWidth(width) > height + _SLACK_PX:
            yield f"text is cut at the bottom: {name!r} ({height} px)"
    elif needed.width() > width + _SLACK_PX or needed.height() > height + _SLACK_PX:
        needs = f"{needed.width()} x {needed.height()}"
        yield f"text is cut: {plain(name)!r} has {width} x {height}, needs {needs}"


def _beyond_reach(area: QScrollArea) -> Iterator[str]:
    inner, port = area.widget(), area.viewport()
    is_fixed = area.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    if is_fixed and inner is not None and port is not None and inner.width() > port.width():
        yield f"{inner.width()} px wide in {port.width()} px, and cannot be scrolled"


def _overlaps(parent: QWidget, top: QWidget) -> Iterator[str]:
    children = [
        child
        for child in parent.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if _is_seen(child, top) and not isinstance(child, Notices)
    ]
    if parent.layout() is None and not isinstance(parent, QMainWindow):
        return  # what is placed by hand lies over something on purpose
    for one, other in combinations(children, 2):
        common = one.geometry().intersected(other.geometry())
        if common.width() > _SLACK_PX and common.height() > _SLACK_PX:
            yield f"{_named(one)} lies over {_named(other)}"


def _named(widget: QWidget) -> str:
    text = widget.accessibleName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} {text!r}" if text else type(widget).__name__


class Walk:
    """Goes through the states of the window and gathers what does not fit in each."""

    def __init__(self, application: QApplication, folder: Path | None) -> None:
        self._application, self._folder = application, folder
        self.states: list[str] = []
        self.faults: dict[str, list[str]] = {}

    def look(self, state: str, top: QWidget) -> None:
        for _ in range(3):
            self._application.processEvents()
        self.states.append(state)
        found = faults_of(top)
        if found:
            self.faults[state] = found
        if self._folder is not None:
            top.grab().save(str(self._folder / f"{state}.png"))

    def walk(self, window: MainWindow) -> None:
        for name in (
            "live",
            "review",
            "personal",
        ):
            window.pages.turn_to(name)
            self.look(name, window)
        window.pages.turn_to("live")
        window.live.show_message("camera 0: not there", offer_choices=True)
        self.look("no camera", window)
        for name in ("settings", "data_out", "help", "about", "examine"):
            before = set(_open_dialogs(window))
            window.action[name].trigger()
            (dialog,) = set(_open_dialogs(window)) - before
            self.look(name, dialog)
            dialog.close()
        self._calibrate(window)
        details = ModelDialog(window, list_models()[0])
        details.show()
        self.look("model", details)
        details.developer.click()
        self.look("model unfolded", details)
        details.close()

    def _calibrate(self, window: MainWindow) -> None:
        assert window.pipeline is not None
        dialog = CalibrateDialog(window, window.session, window.pipeline, window.preferences.now)
        dialog.show()
        self.look("calibrate", dialog)
        view = dialog.view
        view.show_preview()
        view.say("Look as you do when nothing happens (neutral)", "Face at rest.\n8 to go")
        view.offer(
            *(Choice(text, list) for text in ("&Keep the checked", "Record the others &again"))
        )
        self.look("round", dialog)
        dialog.close()


def _open_dialogs(window: MainWindow) -> list[QDialog]:
    return [one for one in window.findChildren(QDialog) if one.isVisible()]


def main() -> None:
    language, *folder = sys.argv[1:]
    application = QApplication(sys.argv[:1])
    apply_style(application)
    set_language(language)
    settings = Settings(
        provider="cpu",
        language=language,
        capture_accepted_on="2026-11-25",
        notice_accepted_on="2026-11-25",
        show_plane=True,
        signals=False,
    )
    meter = Meter(0.0)
    window = MainWindow([NamedSource(GRAY)], settings, load_pipeline, meter, keep_settings=False)
    walk = Walk(application, Path(folder[0]) if folder else None)
    window.show()
    while meter.painted < 3:
        application.processEvents()
    walk.walk(window)
    window.stop()
    screen = window.screen()
    assert screen is not None
    size = [screen.size().width(), screen.size().height()]
    told = {"screen": size, "states": walk.states, "faults": walk.faults}
    print(json.dumps(told, ensure_ascii=False, indent=1))
    sip.delete(window)  # while Qt is there; Python would free the application first


if __name__ == "__main__":
    main()
