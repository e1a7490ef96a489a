"""A recording's rows as one file, with the person of each face where faces were grouped."""

from collections.abc import Sequence
from pathlib import Path

from fer_live.base.console import check_output_file
from fer_live.outputs.face_rows import Row, column_names
from fer_live.outputs.files import FILE_SUFFIXES, open_file_sink
from fer_live.recording.persons import PERSON


def write_rows(path: Path, rows: Sequence[Row], labels: tuple[str, ...]) -> None:
    """Write rows with the columns of `fer-live analyze`, and `person`.

    Args:
        path: Ends in .csv, .jsonl or .parquet.
        rows: Those of `Recording.rows`.
        labels: The recording's.

    Raises:
        InputError: The name ends otherwise.
        OutputError: The disk refuses.
    """
    check_output_file(path, FILE_SUFFIXES)
    with_signals = any("yaw_deg" in row for row in rows)
    columns = {*column_names(labels, signals=with_signals), PERSON}
    sink = open_file_sink(path, labels, signals=with_signals, also=(PERSON,))
    try:
        sink.append({name: cell for name, cell in row.items() if name in columns} for row in rows)
        sink.close()
    except BaseException:
        sink.abandon()
        raise
