"""Builds the window and everything in it, runs it, and ends it.

Its imports load Qt, which ends the process where a system library is missing: call
`base.screen.check_screen` first.
"""

import contextlib
import json
import logging
import signal
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QApplication

from fer_live import __version__
from fer_live.base.atomic_file import write_atomically
from fer_live.base.log import end_log, start_log
from fer_live.base.settings import Settings, load_settings
from fer_live.base.translation import tr
from fer_live.datatypes import DetectorMode, Provider
from fer_live.errors import FerLiveError, SourceError
from fer_live.model.assets import asset
from fer_live.outputs.registry import Outputs, check_outputs
from fer_live.painting.qt_runtime import prepare_qt
from fer_live.personal.models import load_pipeline, resolve_model
from fer_live.session.live import Failure
from fer_live.session.meter import Meter
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
from fer_live.vision.answers import Readings
from fer_live.vision.pipeline import Pipeline
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import warned
from fer_live.window.personal.compare_dialog import compare_run
from fer_live.window.style import apply_style

_LOG = logging.getLogger(__name__)

# How long a source may take to its first picture before --duration counts anyway, seconds.
_FIRST_PICTURE_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The command line of `fer-live`. None means: as the person chose last in the window."""

    camera: int | None = None
    source: str | None = None
    demo: bool = False
    model: Path | None = None
    provider: Provider | None = None
    detector: DetectorMode | None = None
    readings: Readings | None = None
    prior: str | None = None
    signals: bool | None = None
    outputs: Outputs = field(default_factory=dict)
    duration_s: float | None = None
    stats: Path | None = None


def run_window(options: LiveOptions) -> int:
    """Show the window until it is closed or `duration_s` after its first picture is over.

    With a duration, a source or model that fails ends the app with the error; without, a source
    that fails leaves the window open, with Retry and the demo. Without a duration, the first start
    asks whether its notice was understood. What the command line says holds for this window alone;
    what is chosen in the window is kept.
    """
    start_log(__version__)
    settings, trouble = _load_settings()
    source = choose_source(options, settings)
    _check_early(options)
    check_outputs(options.outputs)
    application = _start_application(source)

    is_timed = options.duration_s is not None
    meter = Meter(Meter.process_start_s())
    window = MainWindow(
        source,
        settings,
        load_pipeline,
        meter,
        for_now=given(options),
        outputs=options.outputs,
        ask_first=not is_timed and not settings.notice_accepted_on,
        keep_settings=not is_timed,
    )
    if trouble:
        window.say(warned(trouble))
    ending = _Ending(application, is_timed=is_timed)
    sys.excepthook = ending.on_bug
    window.output_refused.connect(ending.on_refused_output)
    window.failed.connect(ending.on_failure)
    if options.duration_s is not None:
        _end_in_time(application, window, options.duration_s)
    # Ctrl-C in the terminal closes the window: Python's handler runs at the next heartbeat.
    signal.signal(signal.SIGINT, lambda *_: application.quit())
    signal.signal(signal.SIGTERM, lambda *_: application.quit())
    window.show()
    application.exec()
    window.stop()
    _LOG.info("ended: %s", meter.summary())
    end_log()
    if options.stats is not None:
        write_stats(options.stats, meter, window.pipeline)
    if ending.failure is not None:
        raise ending.failure
    if is_timed and meter.painted == 0:
        raise FerLiveError("no picture was read before the time was over")
    return 0


class _Ending:
    """Ends the application where something fails, and keeps what it was in `failure`.

    A source that fails, and an output that is refused, end only an app that `is_timed`.
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
        print(f"fer-live: {trouble}", file=sys.stderr)
        if self._is_timed:
            self._end(FerLiveError(trouble))

    def _end(self, failure: FerLiveError) -> None:
        self.failure = failure
        self._application.quit()


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
        print(f"fer-live: {trouble}", file=sys.stderr)
    return settings, trouble


def _start_application(source: SourceChoice) -> QApplication:
    prepare_qt()
    if sys.platform == "darwin" and isinstance(source, Camera):
        # macOS asks for the camera permission on the main thread alone.
        with contextlib.suppress(SourceError):
            source.open().close()
    application = QApplication([sys.argv[0]])
    application.setApplicationName("FER Live")
    application.setDesktopFileName("fer-live")
    application.setWindowIcon(QIcon(str(asset("icon.svg"))))
    apply_style(application)
    return application


def _end_in_time(application: QApplication, window: MainWindow, duration_s: float) -> None:
    duration_ms = round(duration_s * 1000)
    window.first_painted.connect(lambda: QTimer.singleShot(duration_ms, application.quit))
    QTimer.singleShot(duration_ms + _FIRST_PICTURE_WITHIN_S * 1000, application.quit)


def ask_which_reads_better(run_dir: Path) -> None:
    """Show the faces of a retraining and let the person choose; the choice is saved in RUN_DIR."""
    prepare_qt()
    application = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(application, QApplication)
    apply_style(application)
    compare_run(run_dir)


def choose_source(options: LiveOptions, settings: Settings) -> SourceChoice:
    """The source that the options name; without one, the camera that was used last."""
    if options.demo:
        return Demo()
    if options.source is not None:
        return Location(options.source)
    if options.camera is not None:
        return Camera(options.camera)
    return Camera(settings.camera, device=settings.camera_name)


def given(options: LiveOptions) -> dict[str, object]:
    """The settings that the command line overrides, for this window alone."""
    named = {
        "model": options.model and str(options.model),
        "provider": options.provider,
        "detector": options.detector,
        "readings": options.readings,
        "prior": options.prior,
        "signals": options.signals,
    }
    return {name: value for name, value in named.items() if value is not None}


def write_stats(path: Path, meter: Meter, pipeline: Pipeline | None) -> None:
    """Write the session's figures as one JSON object."""
    figures = meter.summary()
    figures["provider"] = pipeline.classifier.provider if pipeline else None
    figures["detector"] = pipeline.detector.name if pipeline else None
    figures["model"] = pipeline.classifier.name if pipeline else None
    write_atomically(path, json.dumps(figures, indent=2).encode() + b"\n")


def _check_early(options: LiveOptions) -> None:
    """Find a mistyped name before a window flashes up."""
    resolve_model(options.model)
    if options.source is None:
        return
    from fer_live.sources.open import is_url, open_live_source

    if not is_url(options.source):
        open_live_source(options.source).close()
