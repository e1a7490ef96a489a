"""What one `fer-live analyze` is to read: sources, the part of each, and whose it is."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fer_live.base.clocks import can_be_recorded
from fer_live.base.source_table import (
    BATCH_COLUMNS,
    STUDY_COLUMNS,
    SourceTable,
    read_batch_file,
)
from fer_live.errors import InputError, SourceError
from fer_live.outputs.cells import plain_cell
from fer_live.outputs.face_rows import column_names
from fer_live.outputs.markers import MARKER_COLUMN, MarkedSpan
from fer_live.plain_text import say
from fer_live.recording.recorder import recording_of
from fer_live.sources.folder import look_into
from fer_live.sources.open import is_url, local_path

_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Job:
    """One source to read.

    Attributes:
        name: File or URL.
        begin_s: The first time that is read, in seconds on the source's own clock; None: its start.
        end_s: The time before which reading ends; None: its end.
        began_at: When the source's clock stood at 0, for one that does not tell.
        told: What a batch file says of it beside that, each column and its text: the last ones of
            its rows.
        markers: Moments and intervals of a recording.
    """

    name: str
    begin_s: float | None = None
    end_s: float | None = None
    began_at: datetime | None = None
    told: tuple[tuple[str, str], ...] = ()
    markers: tuple[MarkedSpan, ...] = ()

    @property
    def span(self) -> str:
        """The part that is read, for a person: "from 1:00 to 2:30"; empty for all of it."""
        words = (("from", self.begin_s), ("to", self.end_s))
        return " ".join(f"{word} {_clock(at_s)}" for word, at_s in words if at_s is not None)

    def holds(self, time_s: float) -> bool:
        """Whether a time lies in the part that is read, its end left out."""
        return (self.begin_s is None or time_s >= self.begin_s) and not self.is_over(time_s)

    def is_over(self, time_s: float) -> bool:
        """Whether the part that is read has ended at a time."""
        return self.end_s is not None and time_s >= self.end_s


def parse_began_at(text: str, what: str) -> datetime:
    """Read a moment in ISO 8601; one without a zone is on this computer's clock."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"{what} {text!r}: not a moment in ISO 8601, as 2026-11-25T14:03:22.5Z"
        ) from None
    if not can_be_recorded(moment):
        raise InputError(f"{what} {text!r}: nothing was recorded in that year; correct it")
    return moment.astimezone(UTC)


def parse_shard(text: str) -> tuple[int, int]:
    """Read I/N, the I-th of N equal parts, counted from 1."""
    match = _SHARD.fullmatch(text.strip())
    which, of = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= which <= of:
        raise InputError(f"--shard {text!r}: write I/N, the I-th of N parts, as 1/8 to 8/8")
    return which, of


def load_batch(path: Path) -> tuple[list[Job], tuple[str, ...]]:
    """Read a batch file: what it names, and the columns that its rows get after all others.

    These are participant and condition, there or not, and those of one's own. A relative source
    lies in the folder of the batch file, or else in the current one. One source may stand in
    several lines, with other parts.

    Raises:
        InputError: The file, a column or a value is wrong; the message names the line.
    """
    table = read_batch_file(path)
    columns = (*STUDY_COLUMNS, *_own_columns(table))
    jobs = []
    for line in table.lines:
        began_at = line.texts.get("began_at")
        jobs.append(
            Job(
                _found(line.source, table),
                line.begin_s,
                line.end_s,
                parse_began_at(began_at, f"{table.where(line)}began_at") if began_at else None,
                tuple((name, line.texts.get(name, "")) for name in columns),
            )
        )
        try:
            _check_there(jobs[-1].name)
        except SourceError as error:
            raise InputError(f"{table.where(line)}{error}; correct the name") from None
    return jobs, columns


def _own_columns(table: SourceTable) -> tuple[str, ...]:
    own = tuple(name for name in table.columns if name not in BATCH_COLUMNS)
    taken = {*column_names((), signals=True), MARKER_COLUMN}
    for name in own:
        if name in taken or name.startswith("p_"):
            raise InputError(
                f"{table.path}: rows have a column {name} of their own; call it otherwise"
            )
        if plain_cell(name) != name:
            raise InputError(
                f"{table.path}: a spreadsheet would take the column {name} for a formula; call it "
                "otherwise"
            )
    return own


def _found(name: str, table: SourceTable) -> str:
    """Where a source of a batch file is; one from Windows may have backslashes."""
    for written in (name, name.replace("\\", "/")):
        path = local_path(written)
        if path is None or path.is_absolute():
            return name
        for place in (table.beside(str(path)), path):
            if os.path.lexists(place):
                return str(place)
    return name


def check_there(jobs: Sequence[Job]) -> None:
    """Refuse a source that is not there before anything starts; one that is there and cannot be
    read is told when its turn comes. A stream is only there once."""
    for job in jobs:
        _check_there(job.name)


def _check_there(name: str) -> None:
    if not name:
        raise SourceError("a SOURCE is empty; name a file, a folder or a stream")
    path = local_path(name)
    if path is None:
        return
    try:
        path.stat()
    except PermissionError:
        return
    except FileNotFoundError:
        raise SourceError(f"{name}: no such file or folder") from None
    except (OSError, ValueError) as error:  # a circle of links, a name too long or with a NUL byte
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"{name}: no such file or folder: {reason}") from None


def expand(jobs: Sequence[Job], *, recursive: bool = False) -> tuple[list[Job], list[str]]:
    """Folders become their images, sorted by name, and what is left out is told; that of a
    recording becomes its video; everything else stays.

    With `recursive`, every image and video of a folder and of the folders below it.

    Returns:
        The jobs, and a line for each folder that has none.

    Raises:
        SourceError: Nothing is left.
    """
    expanded: list[Job] = []
    broken: list[str] = []
    for job in jobs:
        path = local_path(job.name)
        if path is None or not path.is_dir():
            expanded.append(job)
            continue
        if (recording := recording_of(path)) is not None:
            expanded.append(replace(job, name=str(recording.video)))
            continue
        try:
            folder = look_into(path, recursive=recursive)
        except SourceError as error:
            broken.append(str(error))
            continue
        if folder.left_out:
            say(f"fer-live: {folder.left_out}", to=sys.stderr)
        expanded += [replace(job, name=str(file)) for file in folder.files]
    if broken and not expanded:
        raise SourceError(broken[0])
    return expanded, broken


def marked(jobs: Sequence[Job]) -> list[Job]:
    """Give each video of a recording the markers of that."""
    given = []
    for job in jobs:
        path = local_path(job.name)
        recording = None if path is None else recording_of(path)
        spans = recording.markers() if recording is not None else []
        markers = tuple(replace(span, source=job.name) for span in spans)
        given.append(replace(job, markers=markers))
    return given


def shard_of(jobs: Sequence[Job], shard: tuple[int, int]) -> list[Job]:
    """The I-th of N parts of a list, in its order; no two differ by more than one job. Where there
    are fewer jobs than parts, some are empty."""
    which, of = shard
    begin, end = ((number * len(jobs)) // of for number in (which - 1, which))
    return list(jobs[begin:end])


def began(jobs: Sequence[Job], began_at: datetime | None) -> list[Job]:
    """Give the jobs of one source the moment at which it began; `InputError` for several."""
    if began_at is None:
        return list(jobs)
    if len({job.name for job in jobs}) > 1:
        raise InputError(
            f"--began-at goes with one source, got {len(jobs)}; a batch file has a column began_at"
        )
    return [replace(job, began_at=job.began_at or began_at) for job in jobs]


def has_streams(jobs: Sequence[Job]) -> bool:
    """Whether a source is reached by a network rather than a file here."""
    return any(is_url(job.name) for job in jobs)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"
