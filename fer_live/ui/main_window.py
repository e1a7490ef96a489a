"""The window: the video, what to do when there is none, and a status line that tells the truth."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QVBoxLayout, QWidget

from fer_live.camera import FrameSource
from fer_live.capture import SourceLost
from fer_live.datatypes import FrameResult
from fer_live.live_session import Failure, LiveSession
from fer_live.metering import Meter
from fer_live.ui.video_view import VideoView

if TYPE_CHECKING:  # its imports take seconds, which the inference thread spends
    from fer_live.pipeline import Pipeline

OpenSource = Callable[[], FrameSource]

_HEARTBEAT_MS = 20
_STATUS_EVERY_MS = 500
_FAILED_FRAMES_SHOWN_FOR_S = 2.0
_STILL_AFTER_S = 1.0


class MainWindow(QMainWindow):
    """Owns the live session and shows what it leaves in its mailboxes.

    Runs on the GUI thread; the session's threads only emit `_news`, a signal without a payload, so
    nothing can pile up in Qt's event queue. `failed` and `first_painted` are for the application.
    """

    failed = pyqtSignal(object)
    first_painted = pyqtSignal()
    _news = pyqtSignal()

    def __init__(
        self,
        open_source: OpenSource,
        open_demo: OpenSource,
        load_pipeline: Callable[[], "Pipeline"],
        meter: Meter,
        *,
        mirror: bool,
    ) -> None:
        super().__init__()
        self.setWindowTitle("FER Live")
        self.resize(960, 720)
        self._open_source, self._open_demo = open_source, open_demo
        self._source_is_mirrored = self._mirror = mirror
        self._meter = meter
        self._frame_failed_at_s = self._result_at_s = float("-inf")
        self._frame_failure = ""

        self._view = VideoView(self._count_painted)
        self._retry = QPushButton("&Retry")
        self._retry.clicked.connect(self.retry)
        self._demo = QPushButton("Show the &demo")
        self._demo.clicked.connect(self.show_demo)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self._retry)
        buttons.addWidget(self._demo)
        buttons.addStretch()
        self._choices = QWidget()
        self._choices.setLayout(buttons)
        self._choices.hide()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view, 1)
        column.addWidget(self._choices)
        center = QWidget()
        center.setLayout(column)
        self.setCentralWidget(center)

        self._news.connect(self._take_news)
        self._last_beat_s = time.monotonic()
        self._start_timer(_HEARTBEAT_MS, self._beat)
        self._start_timer(_STATUS_EVERY_MS, self._update_status)
        self._session = LiveSession(load_pipeline, meter, self._news.emit)
        self._session.open(open_source)

    @property
    def message(self) -> str:
        """What the view says, empty where it shows a face."""
        return self._view.message

    @property
    def pipeline(self) -> "Pipeline | None":
        """The pipeline in use, once it is loaded."""
        return self._session.pipeline

    def retry(self) -> None:
        """Open the source again."""
        self._reopen(self._open_source, self._source_is_mirrored)

    def show_demo(self) -> None:
        """Switch to the demo clip."""
        self._reopen(self._open_demo, mirror=False)

    def stop(self) -> None:
        """End the session's threads. May be called more than once."""
        self._session.stop()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.hide()  # at once: the threads may take a moment to end
        self.stop()
        super().closeEvent(event)

    def _reopen(self, open_source: OpenSource, mirror: bool) -> None:
        self._choices.hide()
        self._mirror = mirror
        self._view.show_message("Loading…")
        self._session.open(open_source)

    def _take_news(self) -> None:
        live = self._session.results.get_nowait()
        is_current = live is not None and live.source_number == self._session.source_number
        if live is not None and is_current and not self._choices.isVisible():
            self._show_result(live.result)
        for failure in self._session.take_failures():
            self._show_failure(failure)

    def _show_result(self, result: FrameResult) -> None:
        pipeline = self._session.pipeline
        if pipeline is None:
            return
        self._result_at_s = time.monotonic()
        warning = pipeline.classifier.warning
        if time.monotonic() - self._frame_failed_at_s < _FAILED_FRAMES_SHOWN_FOR_S:
            warning = self._frame_failure
        self._view.show_result(
            result,
            pipeline.labels,
            warning=warning,
            mirror=self._mirror,
        )

    def _show_failure(self, failure: Failure) -> None:
        if failure.stage == "frame":
            self._frame_failed_at_s = time.monotonic()
            self._frame_failure = f"a frame could not be read: {failure.message}"
            if time.monotonic() - self._result_at_s > _STILL_AFTER_S:
                # No good frame any more: the last picture must not look like a live one.
                self._view.show_message(self._frame_failure)
            return
        self._view.show_message(failure.message)
        if isinstance(failure.error, SourceLost):
            return  # it comes back by itself
        self._choices.setVisible(failure.stage == "source")
        self.failed.emit(failure)

    def _count_painted(self, captured_at_s: float) -> None:
        first = self._meter.painted == 0
        self._meter.count_painted(captured_at_s)
        if first:
            self.first_painted.emit()

    def _beat(self) -> None:
        now_s = time.monotonic()
        self._meter.add_gui_gap((now_s - self._last_beat_s) * 1000)
        self._last_beat_s = now_s

    def _update_status(self) -> None:
        meter, bar = self._meter, self.statusBar()
        if bar is not None:
            waiting = meter.captured - meter.processed - meter.failed
            bar.showMessage(
                f"captured {meter.captured}   processed {meter.processed}   "
                f"painted {meter.painted}   dropped {max(waiting, 0)}"
            )

    def _start_timer(self, interval_ms: int, slot: Callable[[], None]) -> None:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
