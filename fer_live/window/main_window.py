"""The window: live and review, what can be chosen, and a status line that tells the truth."""

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from PyQt6.QtCore import (
    QByteArray,
    QEvent,
    QLibraryInfo,
    QLocale,
    Qt,
    QTimer,
    QTranslator,
    pyqtSignal,
)
from PyQt6.QtGui import QAction, QCloseEvent, QKeySequence
from PyQt6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QToolBar,
    QToolButton,
)

from fer_live.base.home import home
from fer_live.base.settings import Settings, load_settings, save_settings, settings_changed_ns
from fer_live.base.translation import set_language, tr
from fer_live.datatypes import FrameResult
from fer_live.errors import FerLiveError
from fer_live.outputs.kind import Opening
from fer_live.outputs.registry import check_outputs, open_output, output_kinds
from fer_live.outputs.worker import SinkWorker
from fer_live.painting.annotated_video import FramePainter
from fer_live.personal.retraining import unfinished_run
from fer_live.recording.history import clock
from fer_live.recording.recorder import About, Recorder, recordings_folder
from fer_live.session.live import Failure, LiveSession
from fer_live.session.meter import Meter
from fer_live.session.reconnect import SourceLost
from fer_live.sources.camera import CameraMode, list_cameras
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
from fer_live.vision.smoothing import SmoothingConfig
from fer_live.window.dialogs.help_sheet import show_help
from fer_live.window.dialogs.outputs_dialog import OutputsDialog
from fer_live.window.dialogs.settings_dialog import SettingsDialog
from fer_live.window.first_start import FirstStart
from fer_live.window.live_page import LivePage
from fer_live.window.personal.capturing import Capturing, ask_for_consent
from fer_live.window.personal.guided_dialog import GuidedDialog
from fer_live.window.personal.personal_page import PersonalPage
from fer_live.window.review_page import ReviewPage
from fer_live.window.translated import Translated

if TYPE_CHECKING:  # its imports take seconds, which a thread of the session spends
    from fer_live.vision.pipeline import Pipeline

LoadPipeline = Callable[[Settings], "Pipeline"]

_HEARTBEAT_MS = 20
_STATUS_EVERY_MS = 500
_SAID_FOR_MS = 8000
_MOST_RECENT = 5
_FAILED_FRAMES_SHOWN_FOR_S = 2.0
_STILL_AFTER_S = 1.0
_RELOADS = ("model", "provider", "detector")
_REOPENS = ("camera_size_wh", "camera_fps")


class MainWindow(Translated, QMainWindow):
    """Owns the live session and shows what it leaves in its mailboxes.

    Runs on the GUI thread; the session's threads only emit signals that carry no frame, so nothing
    can pile up in Qt's event queue. No source is opened before `begin`, which `ask_first` leaves to
    the person. `for_now` are settings that hold until they are changed and are not kept; with
    `keep_settings` changes are. `failed`, `first_painted` and `output_refused` (with why) are for
    the application.
    """

    failed = pyqtSignal(object)
    output_refused = pyqtSignal(str)
    first_painted = pyqtSignal()
    _news = pyqtSignal()
    _recording_failed = pyqtSignal(str)
    _output_failed = pyqtSignal(str, str)

    def __init__(
        self,
        source: SourceChoice,
        settings: Settings,
        load_pipeline: LoadPipeline,
        meter: Meter,
        *,
        for_now: Mapping[str, object] = MappingProxyType({}),
        outputs: Mapping[str, str] = MappingProxyType({}),
        ask_first: bool = False,
        keep_settings: bool = True,
    ) -> None:
        super().__init__()
        self._kept_settings = settings
        self.settings = settings.but(**for_now)
        self._keep_settings = keep_settings
        self._source, self._load_pipeline, self._meter = source, load_pipeline, meter
        self._frame_failed_at_s = self._result_at_s = self._lost_at_s = float("-inf")
        self._frame_failure = ""
        self._shown_pipeline: Pipeline | None = None
        self._in_use = self.settings
        self._told_size = False
        self._wanted_outputs = dict(outputs)
        self._outputs: dict[str, SinkWorker] = {}
        self._output_places: dict[str, str] = dict(outputs)
        self._outputs_dialog: OutputsDialog | None = None
        self._recorder: SinkWorker | None = None
        self._recording_since_s = 0.0
        self._closing: list[threading.Thread] = []
        self._qt_translator = QTranslator(self)
        self._dialog: SettingsDialog | None = None
        self._speak(settings.language)

        self.live = LivePage(self._count_painted)
        self.live.retry.connect(self.retry)
        self.live.show_demo.connect(lambda: self.choose_source(Demo()))
        self.review = ReviewPage()
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(self.live, "")
        self._tabs.addTab(self.review, "")
        self.personal = PersonalPage(
            lambda: self.settings,
            self.change_settings,
        )
        self.personal.capture_wanted.connect(lambda: self.set_capturing(True))
        self.personal.guide_wanted.connect(self._guide)
        self._tabs.addTab(self.personal, "")
        self.capturing = Capturing(self)
        self.capturing.changed.connect(self._show_capturing)
        self.capturing.ended.connect(self.say)
        self._guided: GuidedDialog | None = None
        self._tabs.currentChanged.connect(self._turn_to)
        self._first_start = FirstStart()
        self._first_start.accepted.connect(self._accept_notice)
        self._first_start.declined.connect(self.close)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._tabs)
        self._pages.addWidget(self._first_start)
        self.setCentralWidget(self._pages)
        self._make_actions()
        self._make_toolbar()
        self._make_status()
        self.translate()
        self._apply_view_settings()

        self.setWindowTitle("FER Live")
        self.setMinimumSize(480, 360)
        self.resize(1100, 720)
        if settings.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(settings.geometry)))
        self._news.connect(self._take_news)
        self._recording_failed.connect(self._stop_failed_recording)
        self._output_failed.connect(self._end_failed_output)
        self._last_beat_s = time.monotonic()
        self._start_timer(_HEARTBEAT_MS, self._beat)
        self._start_timer(_STATUS_EVERY_MS, self._update_status)
        self._settings_changed_ns = settings_changed_ns()
        if keep_settings:
            self._start_timer(_STATUS_EVERY_MS, self._take_model_from_disk)
        load = partial(load_pipeline, self.settings)
        self._session = LiveSession(load, meter, self._news.emit)
        if ask_first:
            self._show_tools(False)
            self._pages.setCurrentWidget(self._first_start)
        else:
            self.begin()

    def begin(self) -> None:
        """Open the source."""
        self._show_tools(True)
        self._pages.setCurrentWidget(self._tabs)
        self._open(self._source)
        if unfinished_run() is not None:
            self.say(tr("A retraining was interrupted; the tab Yourself goes on with it"))

    @property
    def message(self) -> str:
        """What the view says, empty where it shows a face."""
        return self.live.view.message

    @property
    def pipeline(self) -> "Pipeline | None":
        """The pipeline in use, once it is loaded."""
        return self._session.pipeline

    def say(self, message: str) -> None:
        """For a few seconds: in the picture's corner, or at the bottom where none is seen."""
        self.live.toast(message)
        bar = self.statusBar()
        if not self.live.shows_picture and bar is not None:
            bar.showMessage(message, _SAID_FOR_MS)

    def retry(self) -> None:
        """Open the source again."""
        self._open(self._source)

    def choose_source(self, source: SourceChoice) -> None:
        """Switch to another source. The next start takes a camera again, and offers a location."""
        if isinstance(source, Camera):
            self.change_settings({"camera": source.number, "camera_name": source.device})
        elif isinstance(source, Location):
            others = [where for where in self.settings.recent_locations if where != source.where]
            recent = (source.where, *others)[:_MOST_RECENT]
            self.change_settings({"recent_locations": recent})
        self._open(source)

    def change_settings(self, changes: dict[str, object]) -> None:
        """Let these hold from now on, and keep them."""
        self.settings = self.settings.but(**changes)
        self._keep(changes)
        if "language" in changes:
            self._speak(self.settings.language)
            for window in QApplication.topLevelWidgets():
                QApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))
        self._apply_view_settings()
        pipeline = self.pipeline
        if pipeline is not None:
            self._set_up(pipeline)
            if changes.get("show_attention") and not pipeline.classifier.has_attention:
                self.say(tr("This model does not tell where it looked"))
        if any(name in changes for name in _RELOADS):
            self._session.load(partial(self._load_pipeline, self.settings))
        if any(name in changes for name in _REOPENS) and isinstance(self._source, Camera):
            self._open(self._source)
        if self._dialog is not None:
            self._dialog.show_settings(self.settings)

    def take_snapshot(self) -> None:
        """Save the picture with its overlay as PNG below FER_LIVE_HOME/snapshots."""
        picture = self.live.view.picture()
        if picture is None:
            return
        try:
            folder = home() / "snapshots"
            folder.mkdir(mode=0o700, exist_ok=True)
        except (FerLiveError, OSError) as error:
            self.say(str(error))
            return
        path = folder / f"{datetime.now():%Y-%m-%d %H.%M.%S.%f}.png"
        if picture.save(str(path)):
            self.say(tr("Saved: {path}", path=path))
        else:
            self.say(tr("Cannot write {path}; is the disk full?", path=path))

    def set_recording(self, records: bool) -> None:
        """Start a recording, or finish it; it is then in the review tab."""
        if records and self._recorder is None:
            self._start_recording()
        elif not records and self._recorder is not None:
            self._finish_recording()
        self._record.setChecked(self._recorder is not None)

    def set_capturing(self, captures: bool) -> None:
        """Begin a clip for retraining, after the person agreed, or finish it."""
        pipeline = self.pipeline
        if not captures:
            self.capturing.end()
        elif pipeline is not None and ask_for_consent(self, self.settings, self.change_settings):
            self._tabs.setCurrentWidget(self.live)
            name = self._source.name
            self.capturing.begin(self._session, pipeline, name, self.settings)
        self._show_capturing()

    def set_output(self, kind: str, where: str | None, *, is_given: bool = False) -> str:
        """Start an output, in place of the one of its kind, or end it with None; what went wrong.

        A file is replaced only where the command line gave its name (`is_given`).

        It starts with the first picture, for only the model knows the labels.
        """
        self._wanted_outputs.pop(kind, None)
        if kind in self._outputs:
            self._end(self._outputs.pop(kind))
        if where is None:
            return ""
        self._output_places[kind] = where
        try:
            if output_kinds()[kind].writes_file and Path(where).exists() and not is_given:
                return tr("{path}: is there already; choose another name", path=where)
            check_outputs({kind: where})
            if self.pipeline is None:
                self._wanted_outputs[kind] = where
                return ""
            labels = self.pipeline.labels
            sink = open_output(
                kind, Opening(where, labels, partial(FramePainter, labels), is_live=True)
            )
        except FerLiveError as error:
            return str(error)
        worker = SinkWorker(
            sink, on_failure=lambda error: self._output_failed.emit(kind, str(error))
        )
        self._outputs[kind] = worker
        self._session.attach(worker)
        return ""

    def stop(self) -> None:
        """End everything that runs. May be called more than once."""
        self.set_recording(False)
        for kind in list(self._outputs):
            self.set_output(kind, None)
        self.review.stop()
        self._end_guided()
        self.capturing.end(wait=True)
        self.personal.stop()
        self._session.stop()
        for thread in self._closing:
            thread.join()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  # Qt's name
        geometry = base64.b64encode(self.saveGeometry().data()).decode()
        self._keep({"geometry": geometry})
        self.hide()  # at once: the threads may take a moment to end
        self.stop()
        super().closeEvent(event)

    # What comes from the session.

    def _take_news(self) -> None:
        session = self._session
        live = session.results.get_nowait()
        # A frame from before the source was lost may arrive after that was said.
        is_current = (
            live is not None
            and live.source_number == session.source_number
            and live.result.frame.captured_at_s > self._lost_at_s
        )
        if live is not None and is_current and not self.live.is_asking:
            self._show_result(live.result)
        for failure in session.take_failures():
            self._show_failure(failure)

    def _show_result(self, result: FrameResult) -> None:
        pipeline = self.pipeline
        if pipeline is None:
            return
        if pipeline is not self._shown_pipeline:
            self._take_over(pipeline)
        for kind, where in list(self._wanted_outputs.items()):
            if trouble := self.set_output(kind, where, is_given=True):
                self.say(trouble)
                self.output_refused.emit(trouble)
        height, width = result.frame.image_bgr.shape[:2]
        self._provider = " · ".join(
            (result.provider, result.detector, pipeline.classifier.name, f"{width} x {height}")
        )
        self._tell_refused_size(width, height)
        self._result_at_s = time.monotonic()
        warning = pipeline.classifier.warning
        if time.monotonic() - self._frame_failed_at_s < _FAILED_FRAMES_SHOWN_FOR_S:
            warning = self._frame_failure
        if self._guided is not None:
            self._guided.show_frame(result.frame, mirror=self._is_mirrored)
        notice = ""
        if self._recorder is not None:
            notice = f"● {clock(time.monotonic() - self._recording_since_s)}"
        notice = "   ".join(filter(None, (notice, self.capturing.mark)))
        self.live.show_result(
            result, pipeline.labels, mirror=self._is_mirrored, lines=(notice, warning)
        )

    def _tell_refused_size(self, width: int, height: int) -> None:
        wanted = self.settings.camera_size_wh
        if self._told_size or not isinstance(self._source, Camera) or wanted is None:
            return
        self._told_size = True
        if wanted != (width, height):
            self.say(
                tr(
                    "The camera does not do {wanted}; it sends {real}",
                    wanted=f"{wanted[0]} x {wanted[1]}",
                    real=f"{width} x {height}",
                )
            )

    def _set_up(self, pipeline: "Pipeline") -> None:
        """What can be set while it runs; its next frame goes by it."""
        pipeline.smoothing = SmoothingConfig.from_calm(self.settings.calm)
        pipeline.with_attention = self.settings.show_attention

    def _take_over(self, pipeline: "Pipeline") -> None:
        """Another pipeline numbers the faces anew; with other labels no output can go on."""
        before, self._shown_pipeline = self._shown_pipeline, pipeline
        self._in_use = self.settings
        self._set_up(pipeline)
        self.live.start_over()
        if before is None or before.labels == pipeline.labels:
            return
        self._end_guided()
        self.capturing.end()
        if self._outputs or self._recorder is not None:
            self.say(tr("Data out and recording ended: this model has other labels"))
        self.set_recording(False)
        for kind in list(self._outputs):
            self.set_output(kind, None)

    def _show_failure(self, failure: Failure) -> None:
        if failure.stage == "frame":
            self._frame_failed_at_s = time.monotonic()
            self._frame_failure = tr("a frame could not be read: {why}", why=failure.message)
            if time.monotonic() - self._result_at_s > _STILL_AFTER_S:
                # No good frame any more: the last picture must not look like a live one.
                self.live.show_message(self._frame_failure)
            return
        if failure.stage == "model" and self._go_on_without(failure.message):
            return
        if isinstance(failure.error, SourceLost):
            self._lost_at_s = time.monotonic()
        self.live.show_message(
            failure.message,
            offer_choices=failure.stage == "source" and not isinstance(failure.error, SourceLost),
        )
        if not isinstance(failure.error, SourceLost):  # that one comes back by itself
            self.failed.emit(failure)

    def _go_on_without(self, why: str) -> bool:
        """A model could not be loaded: whether another one does its work."""
        if self.pipeline is not None:
            # Kept, it would stand in the way of the next start.
            self._restore(self._in_use)
            self.say(tr("{why}; the model before goes on", why=why))
            return True
        if self.settings.model is None or self.settings.model != self._kept_settings.model:
            return False
        self.settings = self.settings.but(model=None)
        self._session.load(partial(self._load_pipeline, self.settings))
        self.say(tr("{why}; the one that came with the app is used", why=why))
        return True

    def _restore(self, before: Settings) -> None:
        names = [name for name in _RELOADS if getattr(before, name) != getattr(self.settings, name)]
        changes = {name: getattr(before, name) for name in names}
        self.settings = self.settings.but(**changes)
        self._keep(changes)
        if self._dialog is not None:
            self._dialog.show_settings(self.settings)

    def _count_painted(self, captured_at_s: float) -> None:
        first = self._meter.painted == 0
        self._meter.count_painted(captured_at_s)
        if first:
            self.first_painted.emit()

    # Sources.

    @property
    def _is_mirrored(self) -> bool:
        return self._source.is_mirrored and self.settings.mirror

    def _open(self, source: SourceChoice) -> None:
        self.set_recording(False)  # a video has one source
        self.capturing.end()
        self._end_guided()
        if isinstance(source, Camera):
            mode = CameraMode(self.settings.camera_size_wh, self.settings.camera_fps)
            source = replace(source, mode=mode)
        self._source = source
        self._lost_at_s = float("-inf")
        self._told_size = False
        self._tabs.setCurrentWidget(self.live)
        self.live.show_message(tr("Loading…"))
        self.live.start_over()
        self._session.open(source.open, source.name)

    def _fill_source_menu(self) -> None:
        menu = self._source_menu
        menu.clear()
        cameras = list_cameras()
        for number, name in cameras.items():
            self._add_source(menu, name, Camera(number, device=name))
        if not cameras:
            self._add_source(menu, tr("camera {number}", number=0), Camera(0))
        menu.addSeparator()
        menu.addActions([self._open_file, self._open_address])
        for where in self.settings.recent_locations:
            self._add_source(menu, Location(where).name, Location(where))
        menu.addSeparator()
        self._add_source(menu, tr("demo"), Demo())

    def _add_source(self, menu: QMenu, text: str, source: SourceChoice) -> None:
        action = menu.addAction(text)
        assert action is not None
        action.setCheckable(True)
        action.setChecked(source.name == self._source.name)
        action.triggered.connect(lambda: self.choose_source(source))

    def _ask_for_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Open a video or image"))
        if chosen:
            self.choose_source(Location(chosen))

    def _ask_for_address(self) -> None:
        chosen, accepted = QInputDialog.getText(
            self, tr("Open a stream"), tr("Address, for example rtsp://192.168.1.20/stream")
        )
        if accepted and chosen.strip():
            self.choose_source(Location(chosen.strip()))

    # Recordings.

    def _start_recording(self) -> None:
        pipeline = self.pipeline
        if pipeline is None:
            return
        labels, with_overlay = pipeline.labels, self.settings.record_overlay
        about = About(
            labels=labels,
            model=pipeline.classifier.name,
            source=self._source.name,
            began_at=datetime.now(),
            with_overlay=with_overlay,
        )
        paint = FramePainter(labels) if with_overlay else None
        try:
            recorder = Recorder(recordings_folder(), about, paint)
        except FerLiveError as error:
            self.say(str(error))
            return
        self._recorder = SinkWorker(
            recorder, on_failure=lambda error: self._recording_failed.emit(str(error))
        )
        self._recording_since_s = time.monotonic()
        self._session.attach(self._recorder)

    def _finish_recording(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._end(recorder)
        missing = (
            tr(", {number} frames dropped", number=recorder.dropped) if recorder.dropped else ""
        )
        self.say(tr("Recorded; it is in the review tab") + missing)

    def _end(self, worker: SinkWorker) -> None:
        """Let an output finish what waits in it, beside everything else."""
        self._session.detach(worker)
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        thread = threading.Thread(target=worker.close, name="closing", daemon=True)
        self._closing.append(thread)
        thread.start()

    def _end_failed_output(self, kind: str, message: str) -> None:
        self.set_output(kind, None)
        self.say(message)

    def _output_status(self, kind: str) -> str | None:
        if kind in self._wanted_outputs:
            return ""
        worker = self._outputs.get(kind)
        if worker is None:
            return None
        counts = tr(
            "{written} sent, {dropped} dropped",
            written=worker.written,
            dropped=worker.dropped_in_all,
        )
        return "; ".join(filter(None, (counts, worker.described)))

    def _show_outputs(self) -> None:
        if self._outputs_dialog is None:
            self._outputs_dialog = OutputsDialog(
                self, self._output_places, self.set_output, self._output_status
            )
        self._outputs_dialog.show()
        self._outputs_dialog.raise_()

    # Retraining.

    def _show_capturing(self) -> None:
        self._capture.setChecked(self.capturing.is_on)
        self._pause.setEnabled(self.capturing.is_on)
        self._pause.setChecked(self.capturing.is_paused)
        if self._tabs.currentWidget() is self.personal:
            self.personal.refresh()

    def _guide(self) -> None:
        pipeline = self.pipeline
        if pipeline is None or not ask_for_consent(self, self.settings, self.change_settings):
            return
        # Not over the live tab: people would act until the model agrees.
        if self._guided is None:
            self._guided = GuidedDialog(self, self._session, pipeline, self.settings)
            self._guided.ended.connect(self._forget_guided)
        self._guided.show()
        self._guided.raise_()

    def _forget_guided(self) -> None:
        self._guided = None
        self.personal.refresh()

    def _end_guided(self) -> None:
        if self._guided is not None:
            self._guided.done(0)

    def _take_model_from_disk(self) -> None:
        """`fer-live models use`, run beside this window, changes the settings file."""
        try:
            changed_ns = settings_changed_ns()
            if changed_ns == self._settings_changed_ns:
                return
            self._settings_changed_ns = changed_ns
            stored, trouble = load_settings()
        except FerLiveError:  # a drive that went away: what is set goes on
            return
        if trouble:
            self.say(trouble)
        elif stored.model != self._kept_settings.model:
            self.change_settings({"model": stored.model})
            self.personal.models.refresh()

    def _stop_failed_recording(self, message: str) -> None:
        self.set_recording(False)
        self.say(message)

    # Settings, language, the rest of the window.

    def _accept_notice(self) -> None:
        self.change_settings({"notice_accepted_on": f"{datetime.now():%Y-%m-%d}"})
        self.begin()

    def _keep(self, changes: dict[str, object]) -> None:
        if self._keep_settings and "model" not in changes:
            self._take_model_from_disk()  # or what was chosen elsewhere would be written over
        self._kept_settings = self._kept_settings.but(**changes)
        if not self._keep_settings:
            return
        try:
            # Another window may have changed other settings.
            stored, trouble = load_settings()
            save_settings(self._kept_settings if trouble else stored.but(**changes))
            self._settings_changed_ns = settings_changed_ns()
        except FerLiveError as error:
            self.say(str(error))

    def _speak(self, language: str) -> None:
        code = QLocale.system().name()[:2] if language == "system" else language
        set_language(code)
        application = QApplication.instance()
        assert application is not None
        application.removeTranslator(self._qt_translator)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._qt_translator.load(f"qtbase_{code}", folder):
            application.installTranslator(self._qt_translator)

    def _apply_view_settings(self) -> None:
        self.live.timeline.setVisible(self.settings.show_timeline)
        self.live.panel.setVisible(self.settings.show_panel)
        for action, name in self._switches.items():
            action.setChecked(bool(getattr(self.settings, name)))

    def _show_settings(self) -> None:
        if self._dialog is None:
            self._dialog = SettingsDialog(self, self.settings, self.change_settings)
        self._dialog.show_settings(self.settings)
        self._dialog.show()
        self._dialog.raise_()

    def _turn_to(self, index: int) -> None:
        if self._tabs.widget(index) is self.review:
            self.review.refresh()
        elif self._tabs.widget(index) is self.personal:
            self.personal.refresh()

    def _make_actions(self) -> None:
        self._texts: list[tuple[QAction, Callable[[], str]]] = []
        action = self._action
        self._open_file = action(lambda: tr("&Open a file…"), "Ctrl+O", self._ask_for_file)
        self._open_address = action(
            lambda: tr("Open an &address…"), "Ctrl+U", self._ask_for_address
        )
        self._snapshot = action(lambda: tr("&Snapshot"), "Ctrl+S", self.take_snapshot)
        self._record = action(lambda: tr("&Record"), "Ctrl+R", None)
        self._record.setCheckable(True)
        self._record.triggered.connect(self.set_recording)
        self._capture = action(lambda: tr("&Capture for retraining"), "Ctrl+K", None)
        self._capture.setCheckable(True)
        self._capture.triggered.connect(self.set_capturing)
        self._pause = action(lambda: tr("Pause capturing"), "Ctrl+Shift+K", None)
        self._pause.setCheckable(True)
        self._pause.triggered.connect(self.capturing.set_paused)
        action(lambda: tr("Follow the next face"), "N", self.live.follow_next)
        action(lambda: tr("Follow the largest face"), "L", lambda: self.live.follow(0))
        self._switches = {
            self._switch(lambda: tr("Bars"), "B", "show_panel"): "show_panel",
            self._switch(lambda: tr("Timeline"), "T", "show_timeline"): "show_timeline",
            self._switch(lambda: tr("Where it looked"), "H", "show_attention"): "show_attention",
            self._switch(lambda: tr("Mirror the camera"), "M", "mirror"): "mirror",
        }
        action(lambda: tr("Try the source again"), "F5", self.retry)
        action(lambda: tr("Live"), "Ctrl+1", lambda: self._tabs.setCurrentIndex(0))
        action(lambda: tr("Review"), "Ctrl+2", lambda: self._tabs.setCurrentIndex(1))
        action(lambda: tr("Yourself"), "Ctrl+3", lambda: self._tabs.setCurrentIndex(2))
        action(lambda: tr("Play or pause a recording"), "P", self.review.toggle_play)
        self._outputs_action = action(lambda: tr("&Data out"), "Ctrl+D", self._show_outputs)
        self._settings_action = action(lambda: tr("Se&ttings"), "Ctrl+,", self._show_settings)
        action(lambda: tr("Full screen"), "F11", self._toggle_full_screen)
        self._help = action(lambda: tr("&Help"), "F1", lambda: show_help(self, self.actions()))
        action(lambda: tr("Quit"), "Ctrl+Q", self.close)

    def _action(
        self, text: Callable[[], str], keys: str, slot: Callable[[], object] | None
    ) -> QAction:
        action = QAction(self)
        action.setShortcut(QKeySequence(keys))
        if slot is not None:
            action.triggered.connect(lambda: slot())
        self._texts.append((action, text))
        self.addAction(action)
        return action

    def _switch(self, text: Callable[[], str], keys: str, field: str) -> QAction:
        action = self._action(text, keys, None)
        action.setCheckable(True)
        action.triggered.connect(lambda on: self.change_settings({field: on}))
        return action

    def _make_toolbar(self) -> None:
        self._toolbar = QToolBar()
        self._toolbar.setMovable(False)
        self._toolbar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(self._toolbar)
        self._source_button = QToolButton()
        self._source_menu = QMenu(self)
        self._source_menu.aboutToShow.connect(self._fill_source_menu)
        self._source_button.setMenu(self._source_menu)
        self._source_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._toolbar.addWidget(self._source_button)
        self._toolbar.addActions([self._snapshot, self._record, self._capture])
        self._toolbar.addSeparator()
        self._toolbar.addActions(list(self._switches)[:3])
        self._toolbar.addSeparator()
        self._toolbar.addActions([self._outputs_action, self._settings_action, self._help])
        for button in self._toolbar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _make_status(self) -> None:
        self._provider = ""
        self._counts, self._latency, self._runs_on = QLabel(), QLabel(), QLabel()
        bar = self.statusBar()
        assert bar is not None
        for label, share in ((self._counts, 4), (self._latency, 3), (self._runs_on, 3)):
            label.setMinimumWidth(1)  # a narrow window cuts them rather than growing
            bar.addWidget(label, share)

    def _show_tools(self, visible: bool) -> None:
        self._toolbar.setVisible(visible)
        bar = self.statusBar()
        assert bar is not None
        bar.setVisible(visible)

    def translate(self) -> None:
        for action, text in self._texts:
            action.setText(text())
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{text().replace('&', '')} ({keys})")
        self._capture.setIconText(tr("Capture"))  # the toolbar has little room
        more = self._toolbar.findChild(QToolButton, "qt_toolbar_ext_button")
        if more is not None:
            more.setToolTip(tr("More tools"))
            more.setAccessibleName(tr("More tools"))
        self._source_button.setText(tr("Source"))
        self._source_button.setToolTip(tr("Where the pictures come from"))
        self._toolbar.setWindowTitle(tr("Tools"))
        self._tabs.setTabText(0, tr("Live"))
        self._tabs.setTabText(1, tr("Review"))
        self._tabs.setTabText(2, tr("Yourself"))

    def _toggle_full_screen(self) -> None:
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    def _beat(self) -> None:
        now_s = time.monotonic()
        self._meter.add_gui_gap((now_s - self._last_beat_s) * 1000)
        self._last_beat_s = now_s

    def _update_status(self) -> None:
        meter = self._meter
        counts = tr(
            "captured {captured}  processed {processed}  painted {painted}  dropped {dropped}",
            captured=meter.captured,
            processed=meter.processed,
            painted=meter.painted,
            dropped=self._session.n_dropped,
        )
        latency = meter.latency_ms.percentiles(p50=50, p95=95)
        figures = ""
        if latency["p50"] is not None and latency["p95"] is not None:
            figures = tr(
                "capture to paint {median:.0f} ms, 95 % within {high:.0f} ms",
                median=latency["p50"],
                high=latency["p95"],
            )
        for label, text in (
            (self._counts, counts),
            (self._latency, figures),
            (self._runs_on, self._provider),
        ):
            label.setText(text)
            label.setToolTip(text)

    def _start_timer(self, interval_ms: int, slot: Callable[[], None]) -> None:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
