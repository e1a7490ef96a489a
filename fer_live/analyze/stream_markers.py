"""Markers that come while a stream is read without a window."""

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from fer_live.datatypes import FrameResult, Marker
from fer_live.outputs.face_rows import Row
from fer_live.outputs.marker_file import MarkerFile, companion_of
from fer_live.outputs.markers import MARKER_COLUMN, MarkedSpans
from fer_live.outputs.sink import GrowingRows, MarkerSink, ResultSink
from fer_live.plain_text import say
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.marker_inputs import MarkerInput, open_marker_inputs


class StreamMarkers:
    """Takes markers in on other threads and hands them on between two frames, on this one.

    Their times are taken over to the stream's clock, which starts at its first frame. The board
    bounds how many can wait.
    """

    def __init__(self) -> None:
        self.board = MarkerBoard()
        self.board.on_flood = _say_flood
        self._waiting: deque[Marker] = deque(maxlen=100_000)
        self._spans = MarkedSpans()
        self._inputs: list[MarkerInput] = []
        self._file: MarkerFile | None = None
        self._place: Path | None = None
        self._last: FrameResult | None = None
        self.board.subscribe(self._waiting.append)

    def listen(
        self, wanted: Mapping[str, str], out: Path | None, row_sinks: Iterable[ResultSink]
    ) -> None:
        """Open the ways in. Markers grow beside the rows of `out`, and stay beside it."""
        rows = next((sink for sink in row_sinks if isinstance(sink, GrowingRows)), None)
        if out is not None and rows is not None:
            self._file, self._place = MarkerFile(companion_of(rows.partial)), companion_of(out)
        self._inputs = open_marker_inputs(wanted, self.board)

    def hand_on(self, result: FrameResult | None, sinks: Iterable[ResultSink]) -> None:
        """Give what came meanwhile to those sinks that have a place for it; None at the end."""
        result = result or self._last
        self._last = result
        if result is None or result.frame.captured_at_utc is None:
            return
        takers = [sink for sink in sinks if isinstance(sink, MarkerSink)]
        while self._waiting:
            marker = self._waiting.popleft()
            assert marker.utc is not None
            away_s = (marker.utc - result.frame.captured_at_utc).total_seconds()
            marker = replace(marker, time_s=max(result.frame.captured_at_s + away_s, 0.0))
            span = self._spans.add(marker)
            if span is not None and self._file is not None:
                self._file.append(span)
            for sink in takers:
                sink.mark(marker)

    def named(
        self, rows: Iterable[Row], result: FrameResult, sinks: Iterable[ResultSink]
    ) -> list[Row]:
        """Hand on what came until this frame; its rows with the intervals that it lies in."""
        self.hand_on(result, sinks)
        names = self._spans.names_at(result.frame.captured_at_s)
        return [row | {MARKER_COLUMN: names} for row in rows]

    def stop(self) -> None:
        """Close the ways in."""
        for one in self._inputs:
            one.close()
        self._inputs = []

    def finish(self, sinks: Iterable[ResultSink]) -> None:
        """Hear nothing more, hand on what waits, put the file of markers in its place."""
        self.stop()
        self.hand_on(None, sinks)
        if self._file is not None and self._place is not None:
            self._file.close(self._place)


def _say_flood(origin: str, n: int) -> None:
    say(f"fer-live: too many markers at once from {origin}: {n} left out so far", to=sys.stderr)
