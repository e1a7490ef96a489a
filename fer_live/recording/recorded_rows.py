"""The rows that a recording has of one frame, as lines of its file."""

import json
from collections.abc import Iterator

from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.recording.face_points import COLUMN, points_value
from fer_live.recording.kept_readings import kept_values
from fer_live.recording.row_index import IndexBuilder


class RecordedLines:
    """Gives the lines of frame after frame, and indexes them by the way.

    A line has the columns of every output, what only the review needs, and while the signals are on
    theirs.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.index = IndexBuilder(labels)
        self._labels, self._n_bytes = labels, 0

    def of(self, source: str, result: FrameResult) -> bytes:
        """The lines of this frame, in the order of the file."""
        lines = []
        for line, row in _lines(source, result, self._labels):
            self.index.add(row, self._n_bytes)
            self._n_bytes += len(line)
            lines.append(line)
        return b"".join(lines)


def _lines(
    source: str, result: FrameResult, labels: tuple[str, ...]
) -> Iterator[tuple[bytes, Row]]:
    with_signals = result.has_signals
    rows = face_rows(source, result, labels, signals=with_signals)
    for row, face in zip(rows, result.faces, strict=True):
        row |= kept_values(face)
        if with_signals:
            row[COLUMN] = points_value(face)
        yield json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n", row
