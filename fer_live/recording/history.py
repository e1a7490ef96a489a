"""What the faces of the last ten minutes showed, for the timeline; of the last one in full."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fer_live.datatypes import FloatArray, FrameResult
from fer_live.recording.face_curve import FaceCurve, GrowingCurve

KEPT_S = 600.0
_RECENT_S = 60.0
_STEP_S = 0.1


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
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) and value >= 0 else None


class ExpressionHistory:
    """The last ten minutes of every face, by its number; memory does not grow beyond that.

    `of` and `all` have the last minute, moment by moment. `curves` has all ten, as arrays that are
    thinned to ten a second beyond the last minute.
    """

    def __init__(self) -> None:
        self._moments: dict[int, deque[Moment]] = {}
        self._curves: dict[int, GrowingCurve] = {}
        self._names: list[str] = []

    def add(self, result: FrameResult) -> None:
        """Take in one frame's faces; times do not go back."""
        now_s = result.frame.captured_at_s
        for face in result.faces:
            moment = Moment(now_s, face.smoothed_probs, face.shown_label)
            self._moments.setdefault(face.track_id, deque()).append(moment)
            self._append(face.track_id, moment)
        for moments in self._moments.values():
            while moments and now_s - moments[0].time_s > _RECENT_S:
                moments.popleft()
        self._moments = {number: kept for number, kept in self._moments.items() if kept}
        gone = [n for n, curve in self._curves.items() if now_s - curve.end_s > KEPT_S]
        for number in gone:
            del self._curves[number]

    def _append(self, number: int, moment: Moment) -> None:
        if moment.shown_label not in self._names:
            self._names.append(moment.shown_label)
        curve = self._curves.get(number)
        if curve is None:
            curve = self._curves[number] = GrowingCurve(
                number, self._names, full_s=_RECENT_S, step_s=_STEP_S, kept_s=KEPT_S
            )
        curve.append(moment.time_s, moment.probs, self._names.index(moment.shown_label))

    def of(self, track_id: int) -> Iterator[Moment]:
        """A face's moments of the last minute, the oldest first."""
        return iter(self._moments.get(track_id, ()))

    def all(self) -> Mapping[int, Sequence[Moment]]:
        """Every face of the last minute, by its number, the oldest moment first."""
        return self._moments

    def curves(self) -> Mapping[int, FaceCurve]:
        """Every face of the last ten minutes, by its number, as it is now."""
        return {number: curve.curve for number, curve in sorted(self._curves.items())}

    def clear(self) -> None:
        """The next frame is of another source."""
        self._moments.clear()
        self._curves.clear()
        self._names = []
