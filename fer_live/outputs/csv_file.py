"""CSV, one row per face."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from fer_live.base.translation import mark
from fer_live.datatypes import FrameResult
from fer_live.outputs.cells import plain_cell
from fer_live.outputs.face_rows import Row, column_names, face_rows
from fer_live.outputs.kind import Opening, OutputKind
from fer_live.outputs.marked_rows import MarkedRows
from fer_live.outputs.markers import MARKER_COLUMN
from fer_live.outputs.text_file import GrowingTextFile, check_text_file, suggested_file


class CsvFile:
    """A `ResultSink` into one CSV file with a header, UTF-8, with or without a byte order mark.

    `also` are columns after the others, of rows that are appended.
    """

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...],
        *,
        signals: bool = False,
        with_bom: bool = False,
        also: tuple[str, ...] = (),
    ) -> None:
        self._labels, self._signals = labels, signals
        self._file = GrowingTextFile(path)
        self._text = io.StringIO()
        self._writer = csv.DictWriter(
            self._text, [*column_names(labels, signals=signals), *also], lineterminator="\n"
        )
        self._text.write("\ufeff" if with_bom else "")
        self._writer.writeheader()
        self._append()

    @property
    def partial(self) -> Path:
        """Where the rows grow."""
        return self._file.partial

    def write(self, source: str, result: FrameResult) -> None:
        self.append(face_rows(source, result, self._labels, signals=self._signals))

    def append(self, rows: Iterable[Row]) -> None:
        self._writer.writerows(
            {key: plain_cell(value) for key, value in row.items()} for row in rows
        )
        self._append()

    @property
    def last_message(self) -> str:
        """The row that was written last."""
        return self._file.last_line

    def send_test(self) -> str:
        """Write and read a file beside this one; returns what happened."""
        return self._file.test()

    def close(self) -> None:
        self._file.close()

    def finish(self) -> Path:
        """Complete the file where it grew, without moving it to its place; returns that path."""
        self._file.finish()
        return self._file.partial

    def abandon(self) -> Path:
        return self._file.abandon()

    def _append(self) -> None:
        self._file.append(self._text.getvalue())
        self._text.seek(0)
        self._text.truncate()


def open_csv(opening: Opening, *, with_bom: bool = False) -> MarkedRows:
    """A CSV of live rows, with markers."""
    rows = CsvFile(
        Path(opening.where),
        opening.labels,
        signals=opening.with_signals,
        with_bom=with_bom,
        also=(MARKER_COLUMN,),
    )
    return MarkedRows(rows, opening, with_bom=with_bom)


OUTPUT = OutputKind(
    name="csv",
    title="CSV",
    purpose=mark("For R, Python and statistics programs: a table with one row per face."),
    metavar="FILE",
    help="one row per face",
    open=open_csv,
    check=lambda where: check_text_file(where, ".csv"),
    suggest=lambda: suggested_file(".csv"),
    writes_file=True,
    position=10,
)
