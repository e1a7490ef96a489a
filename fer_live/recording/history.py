"""What the faces of the last minute showed, for the timeline."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fer_live.datatypes import FloatArray, FrameResult

_KEPT_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One face at one time: smoothed probabilities (C,) and the label shown."""

    time_s: float
    probs: FloatArray
    shown_label: str


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, for example "1:05"; from an hour on "1:00:05"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def clock_tenths(seconds: float) -> str:
    """The same with tenths of a second, for example "1:05.3"."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def seconds_in(text: str) -> float | None:
    """Reads seconds, or minutes and seconds, for example "1:05.3"; None where it is neither."""
    minutes, _, seconds = text.strip().rpartition(":")
    try:
        value = 60 * int(minutes or 0) + float(seconds)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


class ExpressionHistory:
    """The last minute of every face, by its number; memory does not grow beyond that."""

    def __init__(self) -> None:
        self._moments: dict[int, deque[Moment]] = {}

    def add(self, result: FrameResult) -> None:
        """Take in one frame's faces; times do not go back."""
        now_s = result.frame.captured_at_s
        for face in result.faces:
            moment = Moment(now_s, face.smoothed_probs, face.shown_label)
            self._moments.setdefault(face.track_id, deque()).append(moment)
        for moments in self._moments.values():
            while moments and now_s - moments[0].time_s > _KEPT_S:
                moments.popleft()
        self._moments = {number: kept for number, kept in self._moments.items() if kept}

    def of(self, track_id: int) -> Iterator[Moment]:
        """A face's moments, the oldest first."""
        return iter(self._moments.get(track_id, ()))

    def all(self) -> Mapping[int, Sequence[Moment]]:
        """Every face of the last minute, by its number, the oldest moment first."""
        return self._moments

    def clear(self) -> None:
        """The next frame is of another source."""
        self._moments.clear()
