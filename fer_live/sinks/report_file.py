"""An HTML report, written when all rows are in."""

from collections.abc import Iterable
from pathlib import Path

from fer_live.datatypes import FrameResult
from fer_live.sinks.face_rows import Row, face_rows


class ReportFile:
    """A `ResultSink` into one HTML page, which keeps the rows in memory until it is closed."""

    def __init__(self, path: Path, labels: tuple[str, ...]) -> None:
        self._path, self._labels = path, labels
        self._rows: list[Row] = []

    def write(self, source: str, result: FrameResult) -> None:
        self.append(face_rows(source, result, self._labels))

    def append(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)

    def close(self) -> None:
        from fer_live.report import write_report  # matplotlib takes a second to import

        write_report(self._path, self._rows, self._labels)

    def abandon(self) -> Path | None:
        return None
