"""What one `fer-live analyze` is to read: sources, the part of each, and whose it is."""

import csv
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fer_live.errors import InputError, SourceError
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.recorder import recording_of
from fer_live.sources.folder import look_into
from fer_live.sources.open import is_url, local_path

STUDY_COLUMNS = ("participant", "condition")
"""Columns that rows have where a batch file names the sources."""
_BATCH_COLUMNS = ("source", *STUDY_COLUMNS, "from", "to", "began_at")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")
_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Job:
    """One source to read.

    Attributes:
        name: File or URL.
        begin_s: The first time that is read, in seconds on the source's own clock; None: its start.
        end_s: The time before which reading ends; None: its end.
        participant: Who is seen, in the words of a batch file.
        condition: Under which condition, in the same.
        began_at: When the source's clock stood at 0, for one that does not tell.
        markers: Moments and intervals of a recording.
    """

    name: str
    begin_s: float | None = None
    end_s: float | None = None
    participant: str = ""
    condition: str = ""
    began_at: datetime | None = None
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


def parse_time(text: str, what: str) -> float:
    """Read seconds or [H:]M:S, "90.5" or "1:30.5"; `InputError` names `what` was wrong."""
    match = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = match.groups() if match else (None, None, None)
    if seconds is None or (minutes is not None and float(seconds) >= 60):
        raise InputError(f"{what} {text!r}: write seconds, as 90.5, or [H:]M:S, as 1:30.5")
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


def parse_began_at(text: str, what: str) -> datetime:
    """Read a moment in ISO 8601; one without a zone is on this computer's clock."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"{what} {text!r}: not a moment in ISO 8601, as 2026-11-25T14:03:22.5Z"
        ) from None
    return moment.astimezone(UTC)


def parse_shard(text: str) -> tuple[int, int]:
    """Read I/N, the I-th of N equal parts, counted from 1."""
    match = _SHARD.fullmatch(text.strip())
    which, of = (int(number) for number in match.groups()) if match else (0, 0)
    if not 1 <= which <= of:
        raise InputError(f"--shard {text!r}: write I/N, the I-th of N parts, as 1/8 to 8/8")
    return which, of


def span_of(
    begin: str | None, end: str | None, where: str = ""
) -> tuple[float | None, float | None]:
    """Read --from and --to, or a batch file's; `where` begins the message."""
    begin_s = parse_time(begin, f"{where}--from") if begin else None
    end_s = parse_time(end, f"{where}--to") if end else None
    if begin_s is not None and end_s is not None and end_s <= begin_s:
        raise InputError(f"{where}--to {end}: is not after --from {begin}")
    return begin_s, end_s


def load_batch(path: Path) -> list[Job]:
    """Read a batch file: CSV with a column source, and any of participant, condition, from, to and
    began_at.

    A relative source is looked for beside the current folder's files first, then beside the batch
    file. One source may stand in several lines.

    Raises:
        InputError: The file, a column or a value is wrong; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            lines = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: cannot read the batch file: {reason}") from None
    if "source" not in columns:
        raise InputError(
            f"{path}: its first line has no column source; it may have these: "
            f"{', '.join(_BATCH_COLUMNS)}"
        )
    unknown = [column for column in columns if column not in _BATCH_COLUMNS]
    if unknown:
        raise InputError(
            f"{path}: unknown column {unknown[0]!r}; it may have {', '.join(_BATCH_COLUMNS)}"
        )
    jobs = [_batch_job(path, number, row) for number, row in lines if any(row.values())]
    if not jobs:
        raise InputError(f"{path}: names no source")
    return jobs


def _batch_job(path: Path, line: int, row: dict[str, str | None]) -> Job:
    where = f"{path}, line {line}: "
    if None in row:
        raise InputError(f"{where}more values than columns")
    values = {name: (value or "").strip() for name, value in row.items()}
    if not values["source"]:
        raise InputError(f"{where}no source")
    begin_s, end_s = span_of(values.get("from"), values.get("to"), where)
    began_at = values.get("began_at")
    return Job(
        _found_beside(values["source"], path),
        begin_s,
        end_s,
        values.get("participant", ""),
        values.get("condition", ""),
        parse_began_at(began_at, f"{where}began_at") if began_at else None,
    )


def _found_beside(name: str, batch: Path) -> str:
    path = local_path(name)
    if path is None or path.is_absolute() or os.path.lexists(path):
        return name
    beside = batch.parent / path
    return str(beside) if os.path.lexists(beside) else name


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
            print(f"fer-live: {folder.left_out}", file=sys.stderr)
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
