"""A day's features in one process, and the end of it: what the tests of network, rights and
privacy watch.

python -m tests.trust.day live|forget SOURCE OUT, with FER_LIVE_HOME set. `live` shows, records,
marks, photographs, reviews, reports, captures, calibrates, examines, analyzes and sums up; `forget`
presses "Delete everything" and deletes the recordings, as a person does in the window.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from PyQt6 import sip
from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QApplication, QMessageBox

from fer_live import __version__
from fer_live.base.log import end_log, start_log
from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.commands import cli
from fer_live.personal.capture import import_clips
from fer_live.personal.clips import takes_folder
from fer_live.personal.models import load_pipeline
from fer_live.personal.own_expressions import add_own_expression
from fer_live.personal.takes import TakeStep, keep_take
from fer_live.recording.recorder import list_recordings, recordings_folder
from fer_live.recording.report import write_recording_report
from fer_live.session.meter import Meter
from fer_live.sources.choice import Demo, Location, SourceChoice
from fer_live.sources.several import NamedSource
from fer_live.window.main_window import MainWindow
from fer_live.window.snapshot import take_snapshot
from tests.helpers.window import CONSENTED

PERSON = "Zyxqvårta Ünlikely"
EXPRESSION = "Quibblefröwn"
_WATCHED_FOR_S = 20.0
MARKER_TEXT = "Plomquist marker"


def until(condition: Callable[[], object], timeout_s: float = 120.0) -> None:
    """Let the window work until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        QApplication.processEvents()
        time.sleep(0.01)


def command(*arguments: object) -> None:
    """Run a command of `fer-live` in this process; it must end well."""
    with patch.object(sys, "argv", ["fer-live", *map(str, arguments)]):
        try:
            cli.main()
        except SystemExit as end:
            assert end.code == 0, (arguments, end.code)


def window_on(choice: SourceChoice, settings: Settings) -> tuple[MainWindow, Meter]:
    meter = Meter()
    window = MainWindow([NamedSource(choice)], settings, load_pipeline, meter)
    window.show()
    until(lambda: meter.painted >= 3)
    return window, meter


def end(window: MainWindow) -> None:
    """As the app does it: left to Python, the application might be freed before the window."""
    window.stop()
    window.close()
    sip.delete(window)


def in_the_window(source: Path) -> None:
    """The demo, then a file, a recording with a marker, a snapshot, and its review."""
    window, meter = window_on(Demo(), load_settings()[0])
    window.feeds.chosen.source.choose(Location(str(source)))
    before = meter.painted
    until(lambda: meter.painted >= before + 3 and window.live._faces)
    window.set_recording(True)
    worker = window.feeds.chosen.recording._output.worker
    until(lambda: worker.written >= 5)
    window.live_page.marker_bar.marked.emit(MARKER_TEXT, time.monotonic())
    take_snapshot(window.live.view, window.say)
    until(lambda: worker.written >= 15)
    window.set_recording(False)
    window.feeds.chosen.recording.wait()
    review = window.later.review
    window.pages.turn_to("review")
    until(lambda: review.pane.view._result is not None)
    window.pages.turn_to("personal")
    assert window.later.personal is not None
    end(window)


def live(source: Path, out: Path) -> None:
    """All of a day, with the person, their expression and their file named unusually."""
    began_s = time.monotonic()
    save_settings(CONSENTED.but(person=PERSON, signals=True))
    start_log(__version__)
    in_the_window(source)
    (recording,) = list_recordings(recordings_folder())
    write_recording_report(out / "report.html", recording, with_pictures=True)
    settings = load_settings()[0]
    with load_pipeline(settings) as pipeline:
        clips, broken = import_clips([source, source, source], pipeline, settings)
    assert broken == [] and len(clips) == 3
    add_own_expression(EXPRESSION, person=PERSON)
    keep_take(clips[0], TakeStep(EXPRESSION, 1), PERSON)
    keep_take(clips[1], TakeStep("neutral", 1), PERSON)
    takes, own = takes_folder(PERSON), ["--own", EXPRESSION]
    command("personalize", "--labeled", takes, *own, "--name", PERSON, "--install", "--agree")
    command("doctor", "--json")
    rows = out / "rows.csv"
    command("analyze", source, "--out", rows, "--every", "10", "--signals")
    command("summarize", rows, "--by", "source", "--out", out / "summary.csv")
    command("summarize", rows, "--by", "source", "--out", out / "summary.html")
    command("models", "list")
    command("clips", "list")
    # Statistics that a library gathers come later: ONNX Runtime's came after ten seconds.
    until(lambda: time.monotonic() - began_s > _WATCHED_FOR_S)
    end_log()


def forget() -> None:
    """Delete everything in the tab Personal, then every recording in the tab Review."""
    start_log(__version__)
    window, _ = window_on(Demo(), load_settings()[0])
    yes = QMessageBox.StandardButton.Yes
    with patch.object(QMessageBox, "question", return_value=yes) as asked:
        window.pages.turn_to("personal")
        window.later.personal.forget_button.click()
        assert PERSON in asked.call_args.args[2], "it says whose"
        review = window.later.review
        window.pages.turn_to("review")
        until(lambda: review.list.current_entry is not None)
        review.ask_to_delete()
        until(lambda: not list(recordings_folder().iterdir()))
    end(window)
    end_log()


def main() -> None:
    """As the first lines of this file say."""
    application = QApplication([])
    application.setApplicationName("FER Live")
    # No browser or viewer is started, whose connections would be taken for ours.
    with patch.object(QDesktopServices, "openUrl", lambda _: QUrl().isEmpty()):
        if sys.argv[1] == "live":
            live(Path(sys.argv[2]), Path(sys.argv[3]))
        else:
            forget()


if __name__ == "__main__":
    main()
