"""A recording's rows as one file, with the person of each face where faces were grouped, and the
intervals that each row lies in."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from fer_live.base.console import check_output_file
from fer_live.base.regular_file import lines_in, open_regular
from fer_live.outputs.face_rows import Row, column_names
from fer_live.outputs.files import FILE_SUFFIXES, open_file_sink
from fer_live.outputs.marker_file import companion_of, write_marker_file
from fer_live.outputs.markers import MARKER_COLUMN, names_at
from fer_live.recording.persons import PERSON, load_persons
from fer_live.recording.recorder import FACES_FILE, Recording

_AT_ONCE = 500


def write_rows(
    path: Path,
    rows: Iterable[Row],
    labels: tuple[str, ...],
    *,
    signals: bool,
    also: tuple[str, ...] = (PERSON,),
) -> None:
    """Write rows with the columns of `fer-live analyze`, and others.

    Args:
        path: Ends in .csv, .jsonl or .parquet.
        rows: Those of `Recording.each_row`; what they raise ends it, and leaves nothing behind.
        labels: The recording's.
        signals: Whether the rows have the columns of the signals.
        also: The other columns.

    Raises:
        InputError: The name ends otherwise.
        OutputError: The disk refuses.
    """
    check_output_file(path, FILE_SUFFIXES)
    columns = {*column_names(labels, signals=signals), *also}
    sink = open_file_sink(path, labels, signals=signals, also=also)
    source = iter(rows)
    try:
        while some := list(islice(source, _AT_ONCE)):
            sink.append({n: cell for n, cell in row.items() if n in columns} for row in some)
        sink.close()
    except BaseException:
        kept = sink.abandon()
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise


def write_recording_rows(path: Path, recording: Recording, tell: Callable[[float], None]) -> None:
    """Write all rows of a recording, with `marker`, and `person` where faces were grouped; all
    markers lie beside the file, as with `analyze`.

    Args:
        path: As for `write_rows`.
        recording: The recording.
        tell: Called with the seconds of the recording that are written; what it raises ends it.

    Raises:
        InputError, OutputError: As `write_rows`.
    """
    spans = recording.markers()
    also = (*((PERSON,) if load_persons(recording.folder) else ()), MARKER_COLUMN)

    def rows() -> Iterator[Row]:
        for number, row in enumerate(recording.each_row()):
            time_s = float(row["time_s"])
            if number % _AT_ONCE == 0:
                tell(time_s)
            yield row | {MARKER_COLUMN: names_at(spans, time_s)}

    write_rows(path, rows(), recording.about.labels, signals=has_signals(recording), also=also)
    if spans:
        write_marker_file(companion_of(path), spans)


def has_signals(recording: Recording) -> bool:
    """Whether the signals were on for any part of the recording."""
    try:
        with open_regular(recording.folder / FACES_FILE) as file:
            return any(b'"yaw_deg"' in line for line in lines_in(file))
    except OSError:
        return False
