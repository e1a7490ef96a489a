"""The status bar: frames counted, time to the painted picture, and what the pipeline runs on."""

from collections.abc import Callable

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QLabel, QStatusBar

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.session.meter import FrameCounts

_EVERY_MS = 500


class StatusBar(QStatusBar):
    """Reads the counts of one source twice a second, as `watch` gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._meter: FrameCounts = FrameCounts()
        self._n_dropped: Callable[[], int] = int
        self._source = ""
        self._counts, self._latency, self._runs_on = QLabel(), QLabel(), QLabel()
        self._pipeline = ""
        for label, share in ((self._counts, 4), (self._latency, 3), (self._runs_on, 3)):
            label.setMinimumWidth(1)  # a narrow window cuts them rather than growing
            self.addWidget(label, share)
        timer = QTimer(self)
        timer.timeout.connect(self._update)
        timer.start(_EVERY_MS)

    @property
    def runs_on(self) -> str:
        """Provider, detector, model and picture size of the last result; empty before it."""
        return self._pipeline

    @property
    def labels(self) -> tuple[QLabel, ...]:
        """The three labels, from left to right."""
        return self._counts, self._latency, self._runs_on

    def watch(self, meter: FrameCounts, n_dropped: Callable[[], int], source: str) -> None:
        """Show these counts from now on.

        `n_dropped` gives the frames that came too late, and `source` a name where there are others.
        """
        if meter is not self._meter:
            self._pipeline = ""
        self._meter, self._n_dropped, self._source = meter, n_dropped, source
        self._update()

    def note(self, result: FrameResult, model: str) -> None:
        """Take in what this result was read with; shown at the next update."""
        height, width = result.frame.image_bgr.shape[:2]
        size = f"{width} x {height}"
        self._pipeline = " · ".join((result.provider, result.detector, model, size))

    def _update(self) -> None:
        meter = self._meter
        counts = tr(
            "captured {captured}  processed {processed}  painted {painted}  dropped {dropped}",
            captured=meter.captured,
            processed=meter.processed,
            painted=meter.painted,
            dropped=self._n_dropped(),
        )
        if self._source:
            counts = f"{self._source}:  {counts}"
        latency = meter.latency_ms.percentiles(p50=50, p95=95)
        figures = ""
        if latency["p50"] is not None and latency["p95"] is not None:
            figures = tr(
                "capture to paint {median:.0f} ms, 95 % within {high:.0f} ms",
                median=latency["p50"],
                high=latency["p95"],
            )
        for label, text in zip(self.labels, (counts, figures, self._pipeline), strict=True):
            label.setText(text)
            label.setToolTip(text)
