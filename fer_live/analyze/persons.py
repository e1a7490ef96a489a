"""`fer-live analyze --persons`: a number for each person of a source, beside those of the faces."""

import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from fer_live.analyze.jobs import Job, has_streams
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError, SourceError
from fer_live.outputs.face_rows import Row
from fer_live.outputs.sink import RowSink
from fer_live.plain_text import say
from fer_live.recording.persons import Persons, with_persons
from fer_live.sources.content import kind_of
from fer_live.sources.open import local_path

NOTICE = (
    "--persons compares faces with each other; what it knows of them is biometric data, stays in "
    "memory and is gone when this ends (docs/persons.md)"
)


def check_persons(jobs: Sequence[Job], *, has_rows: bool) -> None:
    """Refuse what `--persons` cannot tell persons in: streams, and a source that comes twice."""
    if not has_rows:
        raise InputError("--persons adds a column; add --out FILE.csv or --report FILE.html")
    if has_streams(jobs):
        raise InputError("--persons takes files: a stream cannot be looked at a second time")
    names = [job.name for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"--persons takes each source once, and {twice} is named twice")


class PersonRows:
    """A `RowSink` that holds the rows of a source until all are there, looks at its faces again,
    and hands the rows on with the column `person`.

    What was read of a source before an interrupt is handed on without it.
    """

    def __init__(self, sinks: Sequence[RowSink]) -> None:
        self._sinks = sinks
        self._held: list[Row] = []

    def write(self, source: str, result: FrameResult) -> None:
        """Not used: rows are appended."""
        raise NotImplementedError

    def append(self, rows: Iterable[Row]) -> None:
        for source, group in groupby(rows, key=lambda row: str(row["source"])):
            if self._held and self._held[0]["source"] != source:
                self._hand_on()
            self._held += group

    def close(self) -> None:
        self._hand_on()
        for sink in self._sinks:
            sink.close()

    def abandon(self) -> Path | None:
        for sink in self._sinks:
            sink.append(self._held)
        kept = [sink.abandon() for sink in self._sinks]
        return kept[0]

    def _hand_on(self) -> None:
        if not self._held:
            return
        rows = list(with_persons(self._held, _persons_in(str(self._held[0]["source"]), self._held)))
        self._held = []
        for sink in self._sinks:
            sink.append(rows)


def _persons_in(source: str, rows: Sequence[Row]) -> Persons:
    from fer_live.recording.same_person import group_faces

    path = local_path(source)
    try:
        if path is None or kind_of(path) == "image":
            return Persons()  # one picture: all of its faces are persons of their own
        return group_faces(path, rows) or Persons()
    except SourceError as error:  # read to its end a moment ago, and gone now
        say(f"fer-live: {error}; its faces are not grouped", to=sys.stderr)
        return Persons()
