"""The marks in time that a report draws and lists, wherever they come from."""

from dataclasses import dataclass

from fer_live.recording.history import clock
from fer_live.recording.recorder import Recording


@dataclass(frozen=True, slots=True)
class ReportMark:
    """A moment, or an interval, of a source.

    Args:
        text: What happened.
        from_s: When, or when it began, in seconds on the clock of the rows.
        to_s: When it ended; the same as `from_s` for a moment, None where it lasts to the end.
        source: Of which source it is; empty for every one.
    """

    text: str
    from_s: float
    to_s: float | None
    source: str = ""

    @property
    def when(self) -> str:
        """For the list, for example "1:05" or "1:05 - 1:20"."""
        if self.to_s == self.from_s:
            return clock(self.from_s)
        return f"{clock(self.from_s)} - {'…' if self.to_s is None else clock(self.to_s)}"


def marks_of(recording: Recording) -> list[ReportMark]:
    """What a recording has of marks, in order of time."""
    return [ReportMark(note.text, note.time_s, note.time_s) for note in recording.notes()]
