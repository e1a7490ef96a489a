"""Markers beside the rows: a CSV that grows line by line, and that `fer-live summarize` reads.

source,marker,from,to,utc,origin

An interval has a line when it begins, with `to` empty, and another one with the same beginning when
it ends. So the file is right after a crash too; once it is closed, the first of two such lines is
gone.
"""

import contextlib
import csv
import io
import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from fer_live.base.atomic_file import (
    beside,
    create_or_replace,
    link_target,
    open_to_append,
    write_atomically,
    writing,
)
from fer_live.base.clocks import moved
from fer_live.base.regular_file import read_whole
from fer_live.outputs.cells import as_written, plain_cell
from fer_live.outputs.face_rows import utc_text
from fer_live.outputs.markers import MarkedSpan

COMPANION_SUFFIX = ".markers.csv"
_COLUMNS = ("source", "marker", "from", "to", "utc", "origin")
_BOM = "\ufeff"


def companion_of(rows: Path) -> Path:
    """Where the markers of a file of rows lie: beside it, its whole name and `.markers.csv`."""
    return beside(link_target(rows), COMPANION_SUFFIX)


class MarkerFile:
    """Appends to `growing`, which is made with the first marker; each line is there at once."""

    def __init__(self, growing: Path, *, with_bom: bool = False, is_private: bool = False) -> None:
        self.path = growing
        self._head = (_BOM if with_bom else "") + _line(_COLUMNS)
        self._is_private = is_private
        self._is_there = False

    def append(self, span: MarkedSpan) -> None:
        """Add a moment, or the begin or the end of an interval; raises `OutputError`."""
        with writing(self.path):
            if not self._is_there:
                self.path = create_or_replace(self.path, is_private=self._is_private)
                self._write(self._head)
                self._is_there = True
            self._write(_line_of(span))

    def close(self, place: Path) -> None:
        """Put the file, with one line for each moment and interval, in its place.

        Without a marker there is none, also none that an earlier run has left there.
        """
        if not self._is_there:
            with writing(place):
                place.unlink(missing_ok=True)
            return
        spans = read_marker_file(self.path)
        _write_all(place, spans, self._head)
        if place != self.path:
            self.path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        with open_to_append(self.path) as file:
            file.write(text.encode("utf-8", "backslashreplace"))


def write_marker_file(path: Path, spans: Iterable[MarkedSpan]) -> None:
    """Replace the file by these markers; raises `OutputError`."""
    _write_all(path, spans, _line(_COLUMNS))


def read_marker_file(path: Path) -> list[MarkedSpan]:
    """The moments and intervals, in order of time; a line that a crash cut off is left out.

    Empty where there is no such file.
    """
    try:
        text = read_whole(path).decode("utf-8-sig", "replace")
    except OSError:
        return []
    whole = text[: text.rfind("\n") + 1]
    found: dict[tuple[str, str, float], MarkedSpan] = {}
    # Of a cell that is too long for a marker, and of what stands behind it, nothing is kept.
    with contextlib.suppress(csv.Error):
        for row in csv.DictReader(io.StringIO(whole, newline="")):
            if (span := _span_of(row)) is not None:
                found[span.source, span.text, span.from_s] = span
    return sorted(found.values(), key=lambda span: span.from_s)


def _span_of(row: dict[str, str | None]) -> MarkedSpan | None:
    cells = {name: as_written(row.get(name) or "") for name in _COLUMNS}
    try:
        from_s = float(cells["from"])
        to_s = float(cells["to"]) if cells["to"] else None
        utc = moved(datetime.fromisoformat(cells["utc"]), 0.0) if cells["utc"] else None
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(from_s) or not math.isfinite(to_s or 0.0):
        return None
    return MarkedSpan(cells["marker"], from_s, to_s, utc, cells["origin"], cells["source"])


def _write_all(path: Path, spans: Iterable[MarkedSpan], head: str) -> None:
    content = head + "".join(map(_line_of, spans))
    is_private = path.exists() and not path.stat().st_mode & 0o077
    write_atomically(path, content.encode("utf-8", "backslashreplace"), is_private=is_private)


def _line_of(span: MarkedSpan) -> str:
    to = "" if span.to_s is None else f"{span.to_s:.6f}"
    return _line(
        (span.source, span.text, f"{span.from_s:.6f}", to, utc_text(span.utc), span.origin)
    )


def _line(cells: Iterable[str]) -> str:
    # A time before a recording's beginning is a number, no formula.
    texts = list(cells)
    guarded = [
        str(plain_cell(text)) if name in ("source", "marker") else text
        for name, text in zip(_COLUMNS, texts, strict=True)
    ]
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerow(guarded)
    return content.getvalue()
