"""Rows with the intervals that they lie in, and every marker in a file beside them."""

from pathlib import Path

from fer_live.base.atomic_file import discard_partial, writing
from fer_live.datatypes import FrameResult, Marker
from fer_live.outputs.face_rows import face_rows
from fer_live.outputs.kind import Opening
from fer_live.outputs.marker_file import MarkerFile, companion_of
from fer_live.outputs.markers import MARKER_COLUMN, MarkedSpans
from fer_live.outputs.sink import GrowingRows


class MarkedRows:
    """A `ResultSink` into a file of rows, whose last column `marker` names intervals.

    A row names those that were known when it was written. The file of markers beside it has all of
    them with their exact times, and moments too, also those at which no face was in view. Where
    neither a frame nor a marker came, what an earlier run left in the place stays.
    """

    def __init__(self, rows: GrowingRows, opening: Opening, *, with_bom: bool = False) -> None:
        self._rows, self._opening = rows, opening
        self._spans = MarkedSpans()
        self._has_taken = False
        self._markers = MarkerFile(companion_of(rows.partial), with_bom=with_bom)

    def write(self, source: str, result: FrameResult) -> None:
        self._has_taken = True
        names = self._spans.names_at(result.frame.captured_at_s)
        opening = self._opening
        rows = face_rows(source, result, opening.labels, signals=opening.with_signals)
        self._rows.append(row | {MARKER_COLUMN: names} for row in rows)

    def mark(self, marker: Marker) -> None:
        self._has_taken = True
        span = self._spans.add(marker)
        if span is not None:
            self._markers.append(span)

    @property
    def growing(self) -> Path:
        """Where the rows are until they are closed."""
        return self._rows.partial

    @property
    def last_message(self) -> str:
        """The row that was written last; empty where the rows do not tell."""
        return str(getattr(self._rows, "last_message", ""))

    def send_test(self) -> str:
        """Write and read a file beside this one; returns what happened."""
        return self._rows.send_test()  # type: ignore[attr-defined, no-any-return]  # see `sink.py`

    def close(self) -> None:
        if not self._has_taken and Path(self._opening.where).exists():
            kept = self._rows.abandon()
            if kept is not None:
                with writing(Path(self._opening.where)):
                    discard_partial(kept)
            return
        self._rows.close()
        self._markers.close(companion_of(Path(self._opening.where)))

    def abandon(self) -> Path | None:
        return self._rows.abandon()
