"""What an earlier run of the same command has finished, so that it is not read again.

Beside the output of a batch stands OUT.sources.json: of each part the hash of its files and of all
that decides about their rows, what was counted, and how many rows of the output are its. The rows
themselves are taken from the output, as long as nobody has changed it. So a source that is new, has
changed or broke is read, and the others are not.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_live.analyze.parallel import Part, counts_file, rows_file
from fer_live.base.atomic_file import beside, write_atomically
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import open_text, read_whole
from fer_live.errors import InputError
from fer_live.outputs.cells import as_written
from fer_live.outputs.face_rows import TEXT_COLUMNS, WHOLE_COLUMNS, Row

_SCHEMA = 1
_RECORD_BYTES = 1 << 30
"""A line or two for each source, and for each of its parts."""


class _FinishedPart(BaseModel):
    model_config = ConfigDict(frozen=True)

    key: str
    sources: tuple[str, ...]
    n_rows: int = Field(ge=0)
    counts: dict[str, Any]


class _Finished(BaseModel):
    """The content of OUT.sources.json; size and time are the output's when it was written."""

    model_config = ConfigDict(frozen=True)

    schema_version: int
    size: int
    mtime_ns: int
    parts: tuple[_FinishedPart, ...]


def remember(out: Path | None, parts: Sequence[Part], folder: Path, n_rows: Sequence[int]) -> None:
    """Note beside a finished output which of its rows are of which part, for `recall`.

    Args:
        out: The output; None where no rows are written.
        parts: All parts, in the order of their rows.
        folder: Where their counts lie.
        n_rows: How many rows each part has.
    """
    if out is None:
        return
    state = out.stat()
    finished = [
        _FinishedPart(
            key=part.key,
            sources=tuple(job.name for job in part.jobs),
            n_rows=n,
            counts=parse_json(read_whole(counts_file(folder, part))),
        )
        for part, n in zip(parts, n_rows, strict=True)
    ]
    record = _Finished(
        schema_version=_SCHEMA, size=state.st_size, mtime_ns=state.st_mtime_ns, parts=finished
    )
    write_atomically(_record_file(out), record.model_dump_json(indent=1).encode() + b"\n")


def recall(
    out: Path | None, parts: Sequence[Part], folder: Path, told: tuple[str, ...] = ()
) -> int:
    """Put what an earlier run finished where an interrupted one would have left it.

    Args:
        out: The output of both runs; None where no rows are written.
        parts: What is to be read now.
        folder: Where finished parts lie.
        told: The columns of a batch file, which are text.

    Returns:
        How many sources need not be read again.
    """
    record = _load(out)
    if out is None or record is None:
        return 0
    wanted = {part.key: part for part in parts}
    rows = _rows(out, {*TEXT_COLUMNS, *told})
    n_sources = 0
    folder.mkdir(exist_ok=True)
    for finished in record.parts:
        own = islice(rows, finished.n_rows)
        part = wanted.get(finished.key)
        if part is None or finished.counts.get("broken", True):
            for _ in own:  # the next part's rows are behind them
                pass
            continue
        if not counts_file(folder, part).is_file():
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
            write_atomically(rows_file(folder, part), text.encode())
            write_atomically(counts_file(folder, part), json.dumps(finished.counts).encode())
        else:
            for _ in own:
                pass
        n_sources += len(part.jobs)
    return n_sources


def _record_file(out: Path) -> Path:
    return beside(out, ".sources.json")


def _load(out: Path | None) -> _Finished | None:
    """The record of an output; None where there is none, or the output has changed since."""
    if out is None:
        return None
    try:
        record = _Finished.model_validate_json(read_whole(_record_file(out), _RECORD_BYTES))
        state = out.stat()
    except (OSError, ValidationError):
        return None
    is_same = (record.size, record.mtime_ns) == (state.st_size, state.st_mtime_ns)
    return record if is_same and record.schema_version == _SCHEMA else None


def _rows(out: Path, texts: set[str]) -> Iterator[Row]:
    """The rows of an output as they were before they were written."""
    if out.suffix.lower() == ".jsonl":
        with open_text(out) as file:
            for line in file:
                try:
                    yield parse_json(line)
                except ValueError:
                    raise InputError(
                        f"{out}: a line is no row; delete it and {_record_file(out)}"
                    ) from None
    elif out.suffix.lower() == ".csv":
        with open_text(out) as file:
            for row in csv.DictReader(file):
                yield {name: _value(text, name, texts) for name, text in row.items()}
    else:
        from pyarrow import parquet

        for batch in parquet.ParquetFile(out).iter_batches():
            for row in batch.to_pylist():
                yield {
                    name: None if value is None and name not in texts else value
                    for name, value in row.items()
                }


def _value(text: str, name: str, texts: set[str]) -> str | int | float | None:
    if name in texts:
        return as_written(text)
    if text == "":
        return None
    return int(text) if name in WHOLE_COLUMNS else float(text)
