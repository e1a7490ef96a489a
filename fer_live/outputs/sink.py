"""What every output is: something of one small shape that takes results in order."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from fer_live.datatypes import FrameResult, Marker
from fer_live.outputs.face_rows import Row


class ResultSink(Protocol):
    """Takes results in order. `close` makes them final; `abandon` keeps what was written aside.

    Both `write` and `close` raise `OutputError` where the disk refuses, and neither touches what
    an earlier run left under the same name until everything is written. A sink with receivers may
    count what they lost in `dropped`, and say in `described` how they do, in `last_message` what
    they wrote or sent last, and in `address_to_copy` and `page_address` where receivers and a
    browser find them. One that writes a file tells in `growing` what there is of it until it is
    closed: None as long as there is nothing. One with `send_test` can send something that nobody
    takes for data; it returns what happened, in the language spoken.
    """

    def write(self, source: str, result: FrameResult) -> None:
        """Take in one frame's result; `source` is the name of the clip, image or stream."""
        ...

    def close(self) -> None:
        """Put the finished output in its place."""
        ...

    def abandon(self) -> Path | None:
        """Stop without finishing; returns where what was written so far can be read."""
        ...


class RowSink(ResultSink, Protocol):
    """A sink that also takes rows as they are, for instance those that another process read."""

    def append(self, rows: Iterable[Row]) -> None:
        """Take in finished rows, in the order of their frames."""
        ...


@runtime_checkable
class GrowingRows(RowSink, Protocol):
    """A sink whose rows can be read in `partial` while they grow."""

    @property
    def partial(self) -> Path:
        """Where the rows grow."""
        ...


@runtime_checkable
class MarkerSink(Protocol):
    """A `ResultSink` that has a place for markers too; others go without them."""

    def mark(self, marker: Marker) -> None:
        """Take in a marker, in the order in which they come; raises as `write` does."""
        ...
