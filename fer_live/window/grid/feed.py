"""One source in the window: its session and tile, and what is recorded and captured of it."""

import threading
from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.personal.models import has_newer_base
from fer_live.session.live import Failure, LiveSession
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.meter import SourceMeter
from fer_live.session.set_up import set_up
from fer_live.sources.choice import Camera, Demo
from fer_live.sources.several import NamedSource
from fer_live.vision.pipeline import Pipeline
from fer_live.window.chosen_source import ChosenSource
from fer_live.window.grid.tile import LiveTile
from fer_live.window.live_recording import LiveRecording
from fer_live.window.notices import warned
from fer_live.window.personal.capturing import Capturing
from fer_live.window.preferences import Preferences
from fer_live.window.session_news import SessionNews

LoadPipeline = Callable[[Settings], Pipeline]


class Feed(QObject):
    """Reads one source on threads of its own, and shows it in its own tile.

    `show` is called with every result that is shown; no frame travels through a signal. `failed`
    brings what this source cannot repair, `labels_changed` tells that another model with other
    labels reads it, `leaving` that another source takes its place, `marked` that recording,
    capturing or the picture began or ended, and `said` a line for the person.

    Attributes:
        trouble: Why nothing is read any more; empty while the source is read.
        n_feeds: How many sources the window has.
    """

    failed = pyqtSignal(object)
    labels_changed = pyqtSignal()
    leaving = pyqtSignal()
    marked = pyqtSignal()
    said = pyqtSignal(object)
    _news_came = pyqtSignal()

    def __init__(
        self,
        parent: QObject,
        first: NamedSource,
        preferences: Preferences,
        load_pipeline: LoadPipeline,
        meter: SourceMeter,
        markers: MarkerBoard,
        *,
        free_name: Callable[[str, "Feed"], str],
        show: Callable[["Feed", FrameResult, Pipeline], None],
    ) -> None:
        super().__init__(parent)
        self._preferences, self._load_pipeline, self._show = preferences, load_pipeline, show
        self.meter = meter
        self.n_feeds = 1
        self.trouble = ""
        self._is_closed = False
        self.tile = LiveTile(meter.count_painted)
        self._news_came.connect(self._take_news)
        load = partial(load_pipeline, preferences.now)
        self.session = LiveSession(load, meter, self._news_came.emit, markers)
        self.source = ChosenSource(
            self, first, self.session, preferences, lambda wanted: free_name(wanted, self)
        )
        self.recording = LiveRecording(self, self.session)
        self.capturing = Capturing(self, self.session)
        self.news = SessionNews(
            self, self.tile, preferences, show_result=self._show_result, load=self.load
        )
        self._connect()
        self._show_name()

    def _connect(self) -> None:
        card = self.tile.card
        card.retry.connect(self.source.open)
        card.show_demo.connect(lambda: self.source.choose(Demo()))
        card.camera_chosen.connect(
            lambda number, name: self.source.choose(Camera(number, device=name))
        )
        self.tile.head.retry.connect(self.source.open)
        self.tile.timeline.switched.connect(self._preferences.switch_timeline)
        self.source.paused.connect(self.tile.show_paused)
        self.source.paused.connect(self.marked)
        self.tile.picture_changed.connect(self.marked)
        self.source.leaving.connect(self._leave_source)
        self.source.chosen.connect(self._show_name)
        self.recording.ended.connect(self.marked)
        self.capturing.changed.connect(self.marked)
        self.news.pipeline_changed.connect(self._take_over)
        self.news.failed.connect(self._fail)
        for line in (self.source.said, self.recording.said, self.capturing.ended, self.news.said):
            line.connect(self.said.emit)

    @property
    def name(self) -> str:
        """The name of the source, as outputs and recordings get it."""
        return self.source.name

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline in use, once it is loaded."""
        return self.session.pipeline

    def load(self) -> None:
        """Load a pipeline by the settings that hold now, for this source."""
        self.session.load(partial(self._load_pipeline, self._preferences.now))

    def set_up(self) -> None:
        """Let the settings that hold now hold for the pipeline that is running."""
        pipeline = self.pipeline
        if pipeline is not None and (
            trouble := set_up(pipeline, self._preferences.now, self.n_feeds)
        ):
            self.said.emit(warned(trouble))

    def set_recording(self, records: bool) -> None:
        """Start a recording, in a folder with the source's name where there are others, or end
        it."""
        pipeline = self.pipeline
        if not records:
            self.recording.end()
        elif pipeline is not None:
            self.recording.begin(
                pipeline,
                self.name,
                with_overlay=self._preferences.now.record_overlay,
                called=self.name if self.n_feeds > 1 else "",
            )

    def set_capturing(self, captures: bool) -> None:
        """Begin a clip for retraining, after the person agreed, or finish it."""
        pipeline = self.pipeline
        if not captures:
            self.capturing.end()
        elif pipeline is not None:
            self.capturing.begin(pipeline, self.name, self._preferences.now)

    def begin_stop(self) -> threading.Thread:
        """End everything that runs; the thread ends when the session has, and its files are whole.

        No news is taken any more, and the tile may be deleted.
        """
        self._is_closed = True
        self.recording.end()
        self.capturing.end()
        self.blockSignals(True)
        thread = threading.Thread(target=self._stop, name="stopping", daemon=True)
        thread.start()
        return thread

    def show_status(self, rate: float) -> None:
        """Say above the picture how many frames a second are shown, and how many were dropped."""
        text = tr("{rate:.0f} a second, {number} dropped", rate=rate, number=self.session.n_dropped)
        self.tile.head.show_status(text)

    def _stop(self) -> None:
        self.session.stop()
        self.recording.wait()
        self.capturing.wait()

    def _take_news(self) -> None:
        if not self._is_closed:
            self.news.take(self.session)

    def _show_result(self, result: FrameResult, pipeline: Pipeline, warning: str) -> None:
        self._show(self, result, pipeline)
        height, width = result.frame.image_bgr.shape[:2]
        self.source.check_size(width, height)
        notice = "   ".join(filter(None, (self.recording.mark, self.capturing.mark)))
        self.tile.show_result(
            result, pipeline.labels, mirror=self.source.is_mirrored, lines=(notice, warning)
        )

    def _take_over(self, before: Pipeline | None, pipeline: Pipeline) -> None:
        """Another pipeline numbers the faces from 1; with other labels every output ends."""
        self.set_up()
        self.marked.emit()
        self.tile.start_over()
        if has_newer_base(pipeline.classifier.manifest):
            line = tr("A newer model came with the app; make yours again in the tab Personal")
            self.said.emit(warned(line))
        if before is None or before.labels == pipeline.labels:
            return
        was_recording = self.recording.is_on
        self.recording.end()
        self.capturing.end()
        if was_recording:
            self.said.emit(warned(tr("Data out and recording ended: this model has other labels")))
        self.labels_changed.emit()

    def _leave_source(self) -> None:
        """A video has one source: what is recorded of the one before ends."""
        self.trouble = ""
        self.recording.end()
        self.capturing.end()
        self.news.expect_source()
        self.tile.show_message(tr("Loading…"))
        self.tile.start_over()
        self.leaving.emit()

    def _fail(self, failure: Failure) -> None:
        self.trouble = failure.message
        self.tile.head.show_status(tr("no picture"))
        self.failed.emit(failure)

    def _show_name(self) -> None:
        self.meter.name = self.name
        self.tile.head.show_name(self.name)
        self.tile.setAccessibleName(self.name)
