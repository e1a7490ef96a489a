"""The status bar: how smooth the picture is, how late, and what reads it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QStatusBar

from fer_live.base.translation import tr, tr_n
from fer_live.datatypes import FrameResult
from fer_live.session.meter import FrameCounts
from fer_live.window.links import copy_text
from fer_live.window.translated import Translated
from fer_live.window.widgets.elided_label import ElidedLabel

_EVERY_MS = 500
_RATE_OVER_S = 3.0
_DROPPED_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Counted:
    """The counts at one moment of the monotonic clock."""

    at_s: float
    painted: int
    dropped: int


class StatusBar(Translated, QStatusBar):
    """Reads the counts of one source twice a second, as `watch` gives them.

    The labels say what a person can see; the counters behind that follow in their tooltips, and
    the context menu copies both.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._meter: FrameCounts = FrameCounts()
        self._n_dropped: Callable[[], int] = int
        self._source = ""
        self._smooth, self._delay, self._read_by = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self._pipeline = self._size = ""
        self._counted: deque[_Counted] = deque()
        for label, share in ((self._smooth, 4), (self._delay, 2), (self._read_by, 4)):
            self.addWidget(label, share)
        self._copy = QAction(self)
        self._copy.triggered.connect(lambda: copy_text(self.as_text()))
        self.addAction(self._copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.translate()
        timer = QTimer(self)
        timer.timeout.connect(self.refresh)
        timer.start(_EVERY_MS)

    @property
    def runs_on(self) -> str:
        """Provider, detector, model and picture size of the last result; empty before it."""
        return self._pipeline

    @property
    def labels(self) -> tuple[ElidedLabel, ...]:
        """The three labels, from left to right."""
        return self._smooth, self._delay, self._read_by

    def as_text(self) -> str:
        """What the labels say and their tooltips add, a line each."""
        return "\n".join(label.toolTip() for label in self.labels if label.toolTip())

    def watch(self, meter: FrameCounts, n_dropped: Callable[[], int], source: str) -> None:
        """Show these counts from now on.

        `n_dropped` gives the frames that came too late, and `source` a name where there are others.
        """
        if meter is not self._meter:
            self._pipeline = self._size = ""
            self._counted.clear()
        self._meter, self._n_dropped, self._source = meter, n_dropped, source
        self.refresh()

    def note(self, result: FrameResult, model: str) -> None:
        """Take in what this result was read with; shown at the next update."""
        height, width = result.frame.image_bgr.shape[:2]
        self._size = f"{width} x {height}"
        self._pipeline = " · ".join((result.provider, result.detector, model, self._size))

    def refresh(self) -> None:
        """Count, and show what came of it."""
        now_s, dropped = self._clock(), self._n_dropped()
        counted = _Counted(now_s, self._meter.painted, dropped)
        self._counted.append(counted)
        while now_s - self._counted[0].at_s > _DROPPED_WITHIN_S:
            self._counted.popleft()
        self._smooth.show_text(self._smooth_text(counted), self._counters(dropped))
        median, high = self._latency()
        delay = "" if median is None else tr("{ms:.0f} ms behind the camera", ms=median)
        more = (
            ""
            if median is None or high is None
            else tr(
                "Capture to paint: {median:.0f} ms, 95 % within {high:.0f} ms",
                median=median,
                high=high,
            )
        )
        self._delay.show_text(delay, more)
        self._read_by.show_text(self._read_by_text(), self._pipeline)

    def translate(self) -> None:
        self._copy.setText(tr("&Copy"))
        self.refresh()

    def _smooth_text(self, now: _Counted) -> str:
        first = next(one for one in self._counted if now.at_s - one.at_s <= _RATE_OVER_S)
        passed_s = now.at_s - first.at_s
        if passed_s <= 0 or now.painted == 0:
            text = ""
        else:
            rate = round((now.painted - first.painted) / passed_s)
            text = tr_n("{n} picture a second", "{n} pictures a second", rate)
            dropped = now.dropped - self._counted[0].dropped
            if dropped > 0:
                text += ", " + tr("{n} left out in the last ten seconds", n=dropped)
        return f"{self._source}:  {text}" if self._source else text

    def _counters(self, dropped: int) -> str:
        meter = self._meter
        return tr(
            "Since the start: {captured} captured, {processed} read, {painted} shown, {dropped} "
            "dropped",
            captured=meter.captured,
            processed=meter.processed,
            painted=meter.painted,
            dropped=dropped,
        )

    def _latency(self) -> tuple[float | None, float | None]:
        latency = self._meter.latency_ms.percentiles(p50=50, p95=95)
        return latency["p50"], latency["p95"]

    def _read_by_text(self) -> str:
        if not self._pipeline:
            return ""
        is_cpu = self._pipeline.startswith("cpu")
        where = tr("read on the processor") if is_cpu else tr("read on the graphics card")
        return f"{where}, {self._size}"
