"""The rows of CSV, JSONL and Parquet files as one table, whichever of them wrote them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
from pyarrow import json as arrow_json
from pyarrow import parquet

from fer_live.base.parse import parse_json
from fer_live.base.regular_file import LINE_BYTES, check_regular, lines_in, open_regular
from fer_live.errors import InputError
from fer_live.outputs.cells import as_written
from fer_live.outputs.marker_file import COMPANION_SUFFIX, companion_of, read_marker_file
from fer_live.outputs.markers import BETWEEN, MarkedSpan
from fer_live.recording.persons import PERSON, load_persons
from fer_live.recording.recorder import FACES_FILE

SUFFIXES = (".csv", ".jsonl", ".parquet")
_AT_ONCE = 20_000
"""Lines of JSON."""
_MAX_UNPACKED, _ALWAYS_UNPACKED = 64, 96 << 20
"""Bytes in memory for each byte of a Parquet file. Rows as `analyze` writes them have two to five;
in a small file 96 MB, half a million rows, are taken whatever they are."""
_CELL_BYTES = 8
_PIECE_ROWS = 1 << 16
_MAX_BRACKETS = 1000
"""In one line. A row with a heat map and the points of a face has some fifty."""
PROBABILITY = "p_"
MARKER, PARTICIPANT, CONDITION = "marker", "participant", "condition"
FILE = "file"
"""A column of ours: the file that a row came from, by its name."""
BLINK = "blink"

_NEEDED = ("source", "frame", "time_s", "track_id", "label", "shown_label")
_TEXT = ("source", "label", "shown_label", MARKER, PARTICIPANT, CONDITION)
_BOX = ("x1", "y1", "x2", "y2")
_WHOLE = ("frame", "track_id")
_LARGEST = 2**62
"""Of a frame or a face."""
_REAL = ("time_s", *_BOX, BLINK)
_ORDER = ["source", FILE, "frame", "track_id"]


def row_files(paths: Iterable[Path]) -> list[Path]:
    """The files of rows that the paths name; of a folder all that lie in it and below, by name.

    Args:
        paths: Files that end in one of `SUFFIXES`, and folders.

    Returns:
        Each file once. A `NAME.partial.csv`, which is still growing or was left by a crash, is
        taken where it is named and left out where its folder is. The markers beside a file of
        rows are left out: they are read with the rows.

    Raises:
        InputError: There is no such file, it has another suffix, or a folder has none of them.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in SUFFIXES
                and ".partial" not in file.name
                and not _is_companion(file)
            )
            if not inside:
                raise InputError(f"{path}: holds no file of rows ({', '.join(SUFFIXES)})")
            found |= dict.fromkeys(inside)
        elif not path.exists():
            raise InputError(f"{path}: no such file or folder")
        elif path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: unknown kind; rows are in {' or '.join(SUFFIXES)} files")
        elif _is_companion(path):
            continue  # "rows/*" names it too; it is read with the rows that it lies beside
        else:
            found[path] = None
    return list(found)


def read_rows(files: Sequence[Path], also: Sequence[str] = ()) -> pd.DataFrame:
    """All rows of the files, one under the other, in the order of their frames.

    Args:
        files: What `row_files` found; shards of one study, sessions, or models side by side.
        also: Columns to keep as text beside those that every summary needs.

    Returns:
        `file`, `source`, `label`, `shown_label` and those of `also` that are there as text, empty
        where a cell is; `frame` and `track_id` as int64; `time_s`, the box, `blink` and the
        probabilities as float64, NaN where a cell is empty or a file has no such column.

    Raises:
        InputError: A file cannot be read, or has not the columns that rows have.
    """
    names = _short_names(files)
    tables = [_table(file, names[file], also) for file in files]
    whole = pd.concat(tables, ignore_index=True) if tables else _typed(_empty(), Path(), "")
    for column in whole.columns:
        if column not in (*_WHOLE, *_REAL) and not column.startswith(PROBABILITY):
            whole[column] = whole[column].fillna("")
    return whole.sort_values(_ORDER, kind="stable", ignore_index=True)


def _table(file: Path, name: str, also: Sequence[str]) -> pd.DataFrame:
    return _marked(_typed(_with_persons(_read(file, also), file), file, name), file)


def _is_companion(file: Path) -> bool:
    return file.name.endswith(COMPANION_SUFFIX)


def _marked(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The rows with `marker` as the file of markers beside theirs tells it, where there is one.

    It has each interval from its exact begin; a row names only what was known when it was written.
    """
    place = companion_of(file)
    if not place.exists():
        return table
    return named_by(table.assign(**{MARKER: ""}), read_marker_file(place))


def named_by(rows: pd.DataFrame, spans: Iterable[MarkedSpan]) -> pd.DataFrame:
    """The rows with the names of the intervals that they lie in added to their column `marker`,
    each once."""
    cells = rows[MARKER].to_numpy(dtype=object, copy=True)
    times_s = rows["time_s"].to_numpy()
    for span in spans:
        if not span.is_interval:
            continue
        is_inside = times_s >= span.from_s
        if span.to_s is not None:
            is_inside &= times_s < span.to_s
        if span.source:
            is_inside &= (rows["source"] == span.source).to_numpy()
        for cell in pd.unique(cells[is_inside]):
            if span.text not in names_of(cell):
                added = BETWEEN.join(filter(None, (cell, span.text)))
                cells[is_inside & (cells == cell)] = added
    return rows.assign(**{MARKER: cells})


def names_of(text: str) -> list[str]:
    """The names in a cell of `marker`, which are separated by semicolons."""
    return [name for part in text.split(BETWEEN.strip()) if (name := part.strip())]


def labels_of(rows: pd.DataFrame) -> tuple[str, ...]:
    """The expressions that the rows have probabilities of, in the order of their columns."""
    return tuple(
        name.removeprefix(PROBABILITY) for name in rows.columns if name.startswith(PROBABILITY)
    )


def refuse_rows_twice(rows: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise `InputError` where two files have rows of the same frame, and `by` does not keep the
    files apart: what both models read of one face would count as two faces."""
    if FILE in by:
        return
    frames = rows[[FILE, "source", "frame", "time_s"]].drop_duplicates()
    twice = frames[frames.duplicated(["source", "frame", "time_s"], keep=False)]
    if len(twice):
        source, frame = twice.iloc[0]["source"], twice.iloc[0]["frame"]
        same = twice[(twice["source"] == source) & (twice["frame"] == frame)]
        one, other = same[FILE].iloc[0], same[FILE].iloc[1]
        raise InputError(
            f"{one} and {other}: both have rows of {source}, frame {frame}; "
            "add file to --by, or leave one of them out"
        )


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in _NEEDED})


def _short_names(files: Sequence[Path]) -> dict[Path, str]:
    """File names, and whole paths where two files have one name."""
    names = [file.name for file in files]
    return {f: f.name if names.count(f.name) == 1 else str(f) for f in files}


def _read(file: Path, also: Sequence[str]) -> pd.DataFrame:
    """The columns that are wanted, as they are in the file."""
    try:
        if file.suffix.lower() == ".csv":
            if file.is_file() and file.stat().st_size == 0:
                raise InputError(f"{file}: not a file of rows: it is empty, without a header")
            return _read_csv(file, also)
        if file.suffix.lower() == ".jsonl":
            return _read_jsonl(file, also)
        return _read_parquet(file, also)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:  # those of pandas and pyarrow are ValueErrors too
        why = str(error).splitlines()[0][:200]
        raise InputError(f"{file}: not a file of rows that can be read: {why}") from None


def _read_parquet(file: Path, also: Sequence[str]) -> pd.DataFrame:
    """Row group by row group, in pieces, text as numbers of its words: a value that repeats, or a
    column that was packed well, takes next to nothing in the file and any amount of memory."""
    most = max(_MAX_UNPACKED * file.stat().st_size, _ALWAYS_UNPACKED)
    pieces, n_bytes = [], 0
    check_regular(file)
    with parquet.ParquetFile(file) as opened:
        schema = opened.schema_arrow
        names = _wanted(schema.names, also)
        for name in names:
            if not _is_plain(schema.field(name).type):
                raise ValueError(f"the column {name} holds no numbers and no text")
        if opened.metadata.num_rows * max(len(names), 1) * _CELL_BYTES > most:
            raise ValueError("it claims more rows than a file of its size has")
    words = [name for name in names if pa.types.is_string(schema.field(name).type)]
    with parquet.ParquetFile(file, read_dictionary=words) as opened:
        for piece in opened.iter_batches(_PIECE_ROWS, columns=names, use_threads=False):
            n_bytes += piece.nbytes
            if n_bytes > most:
                raise ValueError("it unpacks to more than a file of its size does")
            pieces.append(piece)
    table = pa.Table.from_batches(pieces) if pieces else schema.empty_table().select(names)
    return table.to_pandas()


def _is_plain(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(is_text or pa.types.is_primitive(kind) or pa.types.is_null(kind))


def _with_persons(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """With the column `person`, of a recording whose faces were grouped in the review."""
    persons = load_persons(file.parent) if file.name == FACES_FILE else None
    if persons is None or "track_id" not in table:
        return table
    return table.assign(**{PERSON: [persons.person_of(number) for number in table["track_id"]]})


def _read_csv(file: Path, also: Sequence[str]) -> pd.DataFrame:
    with open_regular(file) as opened:
        # Not one line may be longer than a row, before anything takes it in.
        first = next(filter(bytes.strip, _lines(opened)), b"").decode("utf-8-sig")
        if any(b"\0" in line for line in _lines(opened)):
            raise ValueError("it is no text")
    columns = _wanted(next(csv.reader([first]), []), also)
    text = {name: str for name in columns if _is_text(name)}
    table = pd.read_csv(
        file,
        encoding="utf-8-sig",
        usecols=columns,
        dtype=text,
        keep_default_na=False,
        na_values=[""],
        on_bad_lines="error",
    )
    for name in text:  # the CSV writer has marked those that a spreadsheet would run
        table[name] = table[name].map(as_written, na_action="ignore")
    return table


def _read_jsonl(file: Path, also: Sequence[str]) -> pd.DataFrame:
    with open_regular(file) as opened:
        # A crash may have cut the last line.
        lines = (line for line in _lines(opened) if line.endswith(b"\n") and line.strip())
        tables = [_json_rows(some, also) for some in iter(lambda: [*islice(lines, _AT_ONCE)], [])]
    return pd.concat(tables, ignore_index=True) if tables else _empty()


def _json_rows(lines: list[bytes], also: Sequence[str]) -> pd.DataFrame:
    """Some rows; a file of hours is taken in part by part, for its other cells are many times what
    is wanted of it."""
    # Arrow's reader of JSON ends the process at what is no row, so each is looked at before.
    if not all(_is_row(line) for line in lines):
        raise ValueError("a line is no row")
    try:
        table = arrow_json.read_json(io.BytesIO(b"".join(lines)))
    except pa.ArrowInvalid:
        # It wants one kind in a column, and a cell that is "" where the others are numbers is two.
        whole = pd.DataFrame([parse_json(line) for line in lines])
        return whole[_wanted([str(name) for name in whole.columns], also)]
    return table.select(_wanted(table.column_names, also)).to_pandas()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines from here on; raises `ValueError` at one that is longer than any row."""
    for line in lines_in(file):
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            raise ValueError(f"a line is longer than {LINE_BYTES:,} bytes")
        yield line


def _is_row(line: bytes) -> bool:
    """Whether this is one object, without values in values in values. Raises `ValueError` where it
    is no JSON."""
    if line.count(b"[") + line.count(b"{") > _MAX_BRACKETS:
        return False
    return isinstance(parse_json(line), dict)


def _wanted(names: Sequence[str], also: Sequence[str]) -> list[str]:
    wanted = {*_NEEDED, *_TEXT, *_REAL, *also}
    return [name for name in names if name in wanted or name.startswith(PROBABILITY)]


def _is_text(name: str) -> bool:
    return name not in (*_WHOLE, *_REAL) and not name.startswith(PROBABILITY)


def _typed(table: pd.DataFrame, file: Path, name: str) -> pd.DataFrame:
    missing = [column for column in _NEEDED if column not in table]
    if missing or not (len(table) == 0 or labels_of(table)):
        lacks = ", ".join(missing) or f"{PROBABILITY}<label>"
        raise InputError(f"{file}: no rows of fer-live: it has no column {lacks}")
    for column, kind in _kinds(table.columns):
        try:
            cells = table[column]
            is_text = not pd.api.types.is_numeric_dtype(cells)
            if kind is not str and is_text:
                cells = pd.to_numeric(cells.astype(object).mask(cells == ""))
            if kind is int and (cells.abs() > _LARGEST).any():
                raise OverflowError  # it would become another number without a word
            table[column] = _as_text(cells) if kind is str else cells.astype(kind)
        except (ValueError, TypeError, OverflowError, pa.ArrowInvalid):
            raise InputError(f"{file}: the column {column} is not made of numbers") from None
    table.insert(0, FILE, name)
    return table


def _kinds(columns: Iterable[str]) -> Iterator[tuple[str, type]]:
    for column in columns:
        yield column, str if _is_text(column) else int if column in _WHOLE else float


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), "").astype(str)
