"""Which stretch of time a timeline shows: zoomed, panned, or following what is now."""

from dataclasses import dataclass
from itertools import count, takewhile

_SHORTEST_S = 1.0
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(slots=True)
class TimeRange:
    """From `from_s` on, `span_s` seconds are shown of those between `begin_s` and `end_s`.

    `usual_s` is the length shown at first, and `longest_s` the one that zooming out ends at. A live
    range ends at `end_s`, which `advance` moves on, while it `follows`.
    """

    begin_s: float
    end_s: float
    usual_s: float
    longest_s: float
    is_live: bool
    follows: bool = False
    from_s: float = 0.0
    span_s: float = 0.0

    def __post_init__(self) -> None:
        self.reset()

    @classmethod
    def live(cls, now_s: float, usual_s: float, kept_s: float) -> "TimeRange":
        """The last `usual_s` seconds, of the last `kept_s` that are kept."""
        return cls(now_s - kept_s, now_s, usual_s, kept_s, is_live=True)

    @classmethod
    def whole(cls, length_s: float) -> "TimeRange":
        """All of a recording."""
        return cls(0.0, length_s, length_s, length_s, is_live=False)

    @property
    def to_s(self) -> float:
        """The end of what is shown."""
        return self.from_s + self.span_s

    @property
    def is_whole(self) -> bool:
        """Whether nothing more is seen by zooming out."""
        return self.span_s >= self.longest_s

    def advance(self, now_s: float) -> None:
        """It is later now; what is too old goes, also where it is shown."""
        self.end_s, self.begin_s = now_s, now_s - self.longest_s
        self.from_s = now_s - self.span_s if self.follows else max(self.from_s, self.begin_s)

    def zoom(self, factor: float, at_s: float) -> None:
        """Show `factor` times as short a time; `at_s` stays where it is, or the end that is now."""
        wanted = min(max(self.span_s / factor, _SHORTEST_S), self.longest_s)
        place = (at_s - self.from_s) / self.span_s
        self.span_s = wanted
        if not self.follows:
            self._move(at_s - place * wanted)
        else:
            self.from_s = self.end_s - wanted

    def pan(self, by_s: float) -> None:
        """Show an earlier or later time; a live range that comes to its end follows again."""
        wanted = self.from_s + by_s
        self.follows = self.is_live and wanted + self.span_s >= self.end_s - 1e-9
        self._move(wanted)

    def bring(self, time_s: float) -> None:
        """Move so that a time is seen; one that is seen already moves nothing."""
        if not self.from_s <= time_s <= self.to_s:
            self.pan(time_s - self.span_s / 2 - self.from_s)

    def reset(self) -> None:
        """Show what was shown at first."""
        self.span_s, self.follows = self.usual_s, self.is_live
        self.from_s = self.end_s - self.span_s if self.is_live else self.begin_s

    def _move(self, from_s: float) -> None:
        self.from_s = max(min(from_s, self.end_s - self.span_s), self.begin_s)


def ticks(from_s: float, span_s: float, n_most: int) -> list[float]:
    """Round times in a stretch, at most so many of them, in order."""
    step_s = next((step for step in _TICKS_S if span_s / step <= n_most), _TICKS_S[-1])
    first = int(-(-from_s // step_s))
    times = (place * step_s for place in count(first))
    return list(takewhile(lambda time_s: time_s <= from_s + span_s + 1e-9, times))
