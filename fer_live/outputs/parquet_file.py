"""Parquet, one row per face, with the columns of the CSV."""

from collections.abc import Iterable
from csv import reader
from pathlib import Path

from fer_live.base.atomic_file import (
    discard_partial,
    leave_partial,
    partial_path,
    put_in_place,
    writing,
)
from fer_live.base.regular_file import open_regular, open_text
from fer_live.datatypes import FrameResult
from fer_live.errors import OutputError
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.face_rows import TEXT_COLUMNS, WHOLE_COLUMNS, Row


class ParquetFile:
    """A `ResultSink` into one Parquet file.

    Parquet has no readable state before its footer, so rows grow in a CSV beside it, and become
    Parquet when it is closed; after a crash the CSV is still there.
    """

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...],
        *,
        signals: bool = False,
        also: tuple[str, ...] = (),
    ) -> None:
        self._path, self._also = path, also
        self._rows = CsvFile(path.with_name(path.name + ".csv"), labels, signals=signals, also=also)

    @property
    def partial(self) -> Path:
        """Where the rows grow, as CSV."""
        return self._rows.partial

    def write(self, source: str, result: FrameResult) -> None:
        self._rows.write(source, result)

    def append(self, rows: Iterable[Row]) -> None:
        self._rows.append(rows)

    def close(self) -> None:
        import pyarrow as pa
        from pyarrow import csv, parquet

        rows_file = self._rows.finish()
        text = dict.fromkeys((*TEXT_COLUMNS, *self._also), pa.string())
        whole = dict.fromkeys(WHOLE_COLUMNS, pa.int64())
        with open_text(rows_file) as file:
            columns = next(reader(file))
        real = {name: pa.float64() for name in columns if name not in {**text, **whole}}
        options = csv.ConvertOptions(
            column_types={**text, **whole, **real}, strings_can_be_null=False
        )
        temporary = partial_path(self._path)
        with writing(self._path):
            try:
                # Opened here: by its name, a thread of Arrow's may hold it a moment longer.
                with open_regular(rows_file) as opened:
                    table = csv.read_csv(opened, convert_options=options)
                parquet.write_table(table, temporary)
                put_in_place(temporary, self._path)
            except (OSError, OutputError):
                discard_partial(temporary)
                leave_partial(rows_file)
                raise
            discard_partial(rows_file)

    def abandon(self) -> Path:
        return self._rows.abandon()
