"""Builds the window and everything in it, runs it, and ends it.

Its imports load Qt, which ends the process where a system library is missing: call
`base.screen.check_screen` first.
"""

import contextlib
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PyQt6 import sip
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QApplication

from fer_live import __version__
from fer_live.base.log import end_log, start_log
from fer_live.base.settings import Settings, load_settings
from fer_live.base.translation import tr
from fer_live.base.unfinished import cut_off_line
from fer_live.errors import FerLiveError, SourceError
from fer_live.model.assets import asset
from fer_live.outputs.registry import check_outputs
from fer_live.painting.qt_runtime import prepare_qt
from fer_live.personal.models import load_pipeline
from fer_live.plain_text import say
from fer_live.session.ahead import LoadedAhead
from fer_live.session.live import Failure
from fer_live.session.marker_inputs import check_marker_inputs
from fer_live.session.meter import Meter
from fer_live.session.options import LiveOptions, choose_sources, given, write_stats
from fer_live.sources.choice import Camera, SourceChoice
from fer_live.sources.several import NamedSource
from fer_live.vision.pipeline import Pipeline
from fer_live.window.style import apply_style

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow

_LOG = logging.getLogger(__name__)

# How long a source may take to its first picture before --duration counts anyway, seconds.
_FIRST_PICTURE_WITHIN_S = 30


def run_window(options: LiveOptions) -> int:
    """Show the window until it is closed or `duration_s` after its first picture is over.

    With a duration, a source or model that fails ends the app with the error; without, a source
    that fails leaves the window open, with Retry and the demo. Of several sources, one that fails
    leaves the others, and a timed window ends with its error when the time is over. Without a
    duration, the first start asks whether its notice was understood. What the command line says
    holds for this window alone; what is chosen in the window is kept.
    """
    start_log(__version__)
    settings, trouble = _load_settings()
    sources = choose_sources(options, settings)
    check_outputs(options.outputs)
    check_marker_inputs(options.marker_inputs)
    ahead = LoadedAhead(load_pipeline, settings.but(**given(options)))
    try:
        return _run(options, settings, trouble, sources, ahead)
    finally:
        ahead.close()


def _run(
    options: LiveOptions,
    settings: Settings,
    trouble: str,
    sources: list[NamedSource],
    load: Callable[[Settings], Pipeline],
) -> int:
    application = _start_application([source.choice for source in sources])
    # Only now, while the model loads: these are a hundred modules.
    from fer_live.window.main_window import MainWindow
    from fer_live.window.notices import warned

    is_timed = options.duration_s is not None
    meter = Meter(Meter.process_start_s())
    window = MainWindow(
        sources,
        settings,
        load,
        meter,
        for_now=given(options),
        outputs=options.outputs,
        marker_inputs=options.marker_inputs,
        ask_first=not is_timed and not settings.notice_accepted_on,
        keep_settings=not is_timed,
    )
    for line in filter(None, (trouble, cut_off_line())):
        window.say(warned(line))
    ending = _Ending(application, is_timed=is_timed)
    sys.excepthook = ending.on_bug
    window.output_refused.connect(ending.on_refused_output)
    window.failed.connect(ending.on_failure)
    if options.duration_s is not None:
        _end_in_time(application, window, options.duration_s)
    # Ctrl-C in the terminal closes the window: Python's handler runs at the next heartbeat.
    signal.signal(signal.SIGINT, lambda *_: _quit_soon(application))
    signal.signal(signal.SIGTERM, lambda *_: _quit_soon(application))
    window.show()
    application.exec()
    window.stop()
    pipeline, broken = window.pipeline, window.feeds.broken
    sip.delete(window)  # while Qt is there; Python would free the application first
    _LOG.info("ended: %s", meter.summary())
    end_log()
    if options.stats is not None:
        write_stats(options.stats, meter, pipeline)
    if ending.failure is not None:
        raise ending.failure
    if is_timed and meter.painted == 0:
        raise FerLiveError("no picture was read before the time was over")
    if is_timed and broken:
        raise FerLiveError(f"{broken[0]}; the other sources were read")
    return 0


class _Ending:
    """Ends the application where something fails, and keeps what it was in `failure`.

    The last source that fails, and an output that is refused, end only an app that `is_timed`.
    """

    def __init__(self, application: QApplication, *, is_timed: bool) -> None:
        self.failure: FerLiveError | None = None
        self._application, self._is_timed = application, is_timed

    def on_failure(self, event: Failure) -> None:
        if event.stage == "source" and not self._is_timed:
            return
        error = event.error
        self._end(error if isinstance(error, FerLiveError) else FerLiveError(event.message))

    def on_bug(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        # PyQt6 aborts the process on an exception in a slot, unless there is a hook.
        traceback.print_exception(kind, error, trace)
        _LOG.critical("internal error", exc_info=(kind, error, trace))
        self._end(FerLiveError(f"stopped by an internal error: {kind.__name__}: {error}"))

    def on_refused_output(self, trouble: str) -> None:
        say(f"fer-live: {trouble}", to=sys.stderr)
        if self._is_timed:
            self._end(FerLiveError(trouble))

    def _end(self, failure: FerLiveError) -> None:
        self.failure = failure
        _quit_soon(self._application)


def _load_settings() -> tuple[Settings, str]:
    """The stored settings, and a line where they could not all be used; it is printed too."""
    settings, trouble = load_settings()
    if settings.model is not None and not Path(settings.model).exists():
        trouble = tr(
            "{file}: this model is gone; the one that came with the app is used",
            file=settings.model,
        )
        settings = settings.but(model=None)
    if trouble:
        say(f"fer-live: {trouble}", to=sys.stderr)
    return settings, trouble


def _start_application(choices: Sequence[SourceChoice]) -> QApplication:
    prepare_qt()
    for choice in choices:
        if sys.platform == "darwin" and isinstance(choice, Camera):
            # macOS asks for the camera permission on the main thread alone.
            with contextlib.suppress(SourceError):
                choice.open().close()
    application = QApplication([sys.argv[0]])
    application.setApplicationName("FER Live")
    application.setDesktopFileName("fer-live")
    application.setWindowIcon(QIcon(str(asset("icon.svg"))))
    apply_style(application)
    return application


def _quit_soon(application: QApplication) -> None:
    """Quit from the event loop.

    A signal, or an exception, may come in the middle of a `paintEvent`. Quitting closes the window
    there and then, and Qt would go on to paint what is no longer there.
    """
    QTimer.singleShot(0, application.quit)


def _end_in_time(application: QApplication, window: "MainWindow", duration_s: float) -> None:
    duration_ms = round(duration_s * 1000)
    window.first_painted.connect(lambda: QTimer.singleShot(duration_ms, application.quit))
    QTimer.singleShot(duration_ms + _FIRST_PICTURE_WITHIN_S * 1000, application.quit)


def ask_which_reads_better(run_dir: Path) -> None:
    """Show the faces of a retraining and let the person choose; the choice is saved in RUN_DIR."""
    prepare_qt()
    application = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(application, QApplication)
    apply_style(application)
    from fer_live.window.personal.compare_dialog import compare_run

    compare_run(run_dir)
