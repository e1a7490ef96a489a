"""The finished files of `fer-live analyze --out`: the kind is told by the suffix."""

from pathlib import Path

from fer_live.errors import InputError
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.jsonl_file import JsonlFile
from fer_live.outputs.parquet_file import ParquetFile
from fer_live.outputs.sink import GrowingRows

_FILE_SINKS: dict[str, type[CsvFile] | type[JsonlFile] | type[ParquetFile]] = {
    ".csv": CsvFile,
    ".jsonl": JsonlFile,
    ".parquet": ParquetFile,
}
FILE_SUFFIXES = tuple(_FILE_SINKS)


def open_file_sink(
    path: Path, labels: tuple[str, ...], *, signals: bool = False, also: tuple[str, ...] = ()
) -> GrowingRows:
    """The sink for a file, by its suffix; `also` are columns after the others.

    Raises `InputError` for an unknown suffix.
    """
    try:
        sink = _FILE_SINKS[path.suffix.lower()]
    except KeyError:
        raise InputError(f"{path}: unknown kind; end it in {' or '.join(_FILE_SINKS)}") from None
    return sink(path, labels, signals=signals, also=also)
