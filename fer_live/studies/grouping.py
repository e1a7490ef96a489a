"""Who and what a row belongs to: participants and conditions of a batch file, and markers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fer_live.base.source_table import (
    BEGIN,
    END,
    SOURCE,
    SourceTable,
    read_batch_file,
    read_source_table,
)
from fer_live.errors import InputError
from fer_live.outputs.cells import as_written
from fer_live.outputs.markers import EXCLUDE, MarkedSpan
from fer_live.recording.persons import PERSON
from fer_live.studies.tables import CONDITION, FILE, MARKER, PARTICIPANT, named_by, names_of
from fer_live.studies.timing import UNIT

SPAN, SPAN_BEGIN = "span", "span_begin_s"
"""Columns of ours: the number of a row's interval among its source's, and when that began."""


def read_batch(path: Path) -> pd.DataFrame:
    """A batch file, as `fer-live analyze --batch` reads it.

    Args:
        path: `source` and any of `participant`, `condition`, `from`, `to` and more; of each line,
            `from` and `to` limit the part of its source that it is about.

    Returns:
        The file's columns as text, `from` and `to` as float64 seconds (-inf and inf where empty).

    Raises:
        InputError: As `read_batch_file`.
    """
    return _as_frame(read_batch_file(path))


def read_markers(path: Path) -> pd.DataFrame:
    """Intervals beside the rows: CSV with `marker`, `from`, `to`, and `source` where they are not
    of every one. Returns and raises as `read_batch`; lines may repeat, and be about
    a moment, which marks no rows."""
    needed = (MARKER, BEGIN, END)
    frame = _as_frame(read_source_table(path, (SOURCE, *needed), needed, with_moments=True))
    for name in (SOURCE, MARKER):
        frame[name] = frame[name].map(as_written)
    # Of an interval that a crash left as it was written, the line of its begin comes first.
    return frame.drop_duplicates([SOURCE, MARKER, BEGIN], keep="last", ignore_index=True)


def _as_frame(table: SourceTable) -> pd.DataFrame:
    frame = pd.DataFrame([line.texts for line in table.lines], columns=list(table.columns))
    frame.insert(0, SOURCE, [line.source for line in table.lines])
    for name, without, times in (
        (BEGIN, -np.inf, [line.begin_s for line in table.lines]),
        (END, np.inf, [line.end_s for line in table.lines]),
    ):
        frame[name] = [without if time_s is None else time_s for time_s in times]
    return frame


def with_batch(rows: pd.DataFrame, batch: pd.DataFrame) -> pd.DataFrame:
    """The rows with the batch's columns, and `span_begin_s` where their range has a begin.

    A source is matched by its name as it stands, by the end of its path, or by its file name where
    only one of the batch has that. Rows of a source that the batch does not name, or outside its
    ranges, have empty cells.

    Raises:
        InputError: The batch names no source of the rows.
    """
    matched = _matched_names(rows["source"].unique(), batch["source"])
    if not matched:
        raise InputError(
            f"the batch names none of the rows' sources, for instance {rows['source'].iloc[0]}; "
            "its column source has to name them as the rows do, or by their file names"
            if len(rows)
            else "there are no rows"
        )
    named = [name for name in batch.columns if name not in (SOURCE, BEGIN, END)]
    rows = rows.assign(**{name: rows.get(name, "") for name in named}, **{SPAN_BEGIN: np.nan})
    sources = rows["source"].map(matched)
    for entry in batch.to_dict("records"):
        inside = (sources == entry["source"]) & _is_within(rows, entry)
        for name in named:
            rows.loc[inside, name] = entry[name]
        if np.isfinite(entry["from"]):
            rows.loc[inside, SPAN_BEGIN] = entry["from"]
    return rows


def with_markers(rows: pd.DataFrame, markers: pd.DataFrame) -> pd.DataFrame:
    """The rows with the names of the sidecar's intervals added to their column `marker`."""
    rows = rows.assign(**{MARKER: rows.get(MARKER, "")})
    matched = _matched_names(rows["source"].unique(), markers["source"])
    spans = [
        MarkedSpan(entry[MARKER], entry["from"], entry["to"], source=source)
        for entry in markers.to_dict("records")
        for source in _sources_called(entry["source"], matched)
    ]
    return named_by(rows, spans)


def _sources_called(name: str, matched: dict[str, str]) -> list[str]:
    """The rows' own names of a source; an empty one, for every source, where it has none."""
    return [source for source, called in matched.items() if called == name] if name else [""]


def without_excluded(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that lie in no interval named "exclude"."""
    if MARKER not in rows:
        return rows
    kept = [EXCLUDE not in map(str.casefold, names_of(text)) for text in rows[MARKER]]
    return rows[kept]


def by_marker(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each interval that a row lies in, with its name in `marker`, the number of the
    interval among those of its name in `span`, and the time of its first row in `span_begin_s`.

    A row in no interval stays, with an empty name. An interval ends where a frame of its source
    does not carry its name.
    """
    frames = rows.drop_duplicates([*UNIT, "frame"])
    order = frames.groupby(UNIT, sort=False, observed=True).cumcount()
    positions = frames.assign(position=order)[[*UNIT, "frame", "position"]]
    rows = rows.merge(positions, on=[*UNIT, "frame"], how="left")
    rows = rows.assign(**{MARKER: [names_of(text) or [""] for text in rows[MARKER]]})
    rows = rows.explode(MARKER, ignore_index=True)
    keys = [*UNIT, MARKER]
    rows = rows.sort_values([*keys, "frame", "track_id"], kind="stable", ignore_index=True)
    jumps = rows.groupby(keys, sort=False, observed=True)["position"].diff() > 1
    rows[SPAN] = jumps.groupby([rows[key] for key in keys], sort=False, observed=True).cumsum()
    spans = rows.groupby([*keys, SPAN], sort=False, observed=True)
    begins = spans["time_s"].transform("min")
    is_named = rows[MARKER] != ""
    known = rows.get(SPAN_BEGIN, np.nan)
    rows[SPAN_BEGIN] = begins.where(is_named, known)
    return rows.drop(columns="position")


def check_columns(rows: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise `InputError` where a column to group by is not there."""
    for name in by:
        if name not in rows:
            there = [FILE, "source", "track_id", PARTICIPANT, CONDITION, MARKER, PERSON]
            there = [column for column in there if column in rows]
            instead = {
                PARTICIPANT: "; --batch FILE.csv tells them",
                CONDITION: "; --batch FILE.csv tells them",
                MARKER: "; --markers FILE.csv tells them",
                PERSON: "; analyze --persons tells them, or a recording's review",
            }.get(name, "")
            raise InputError(
                f"--by {name}: the rows have no such column; they have {', '.join(there)}{instead}"
            )


def _is_within(rows: pd.DataFrame, entry: "dict[str, float]") -> pd.Series:
    return (rows["time_s"] >= entry["from"]) & (rows["time_s"] < entry["to"])


def _matched_names(sources: Sequence[str], named: pd.Series) -> dict[str, str]:
    """Source of the rows -> how the batch calls it."""
    exact = set(named)
    by_file_name: dict[str, set[str]] = {}
    for name in exact - {""}:
        by_file_name.setdefault(_file_name(name), set()).add(name)
    matched = {}
    for source in sources:
        others = by_file_name.get(_file_name(source), set())
        path = _slashed(source)
        ends = {name for name in others if path.endswith("/" + _slashed(name))}
        if source in exact:
            matched[source] = source
        elif ends:
            matched[source] = max(ends, key=len)
        elif len(others) == 1:
            (matched[source],) = others
    return matched


def _file_name(source: str) -> str:
    return _slashed(source).rpartition("/")[2]


def _slashed(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").removeprefix("./")
