"""What one face showed over time, as arrays: grown frame by frame, or taken from a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.recording.episodes import Times

_MIN_ROOM, _MAX_ROOM = 32, 512
"""For more moments: most faces of a clip with cuts are seen for a second or two."""
_THIN_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class FaceCurve:
    """The moments of one face, in order of time.

    Args:
        number: Of the face or person.
        times_s: (T,) float64 seconds.
        probs: (T, C) float32, smoothed.
        shown: (T,) for each moment the place in `names` of the label shown.
        names: The labels that were shown, "" for "unsure".
    """

    number: int
    times_s: Times
    probs: FloatArray
    shown: NDArray[np.uint16]
    names: Sequence[str]

    @classmethod
    def of(
        cls, number: int, times_s: Times, probs: FloatArray, labels: Sequence[str]
    ) -> "FaceCurve":
        """A curve whose labels shown are given one per moment."""
        places: dict[str, int] = {}
        shown = np.array([places.setdefault(label, len(places)) for label in labels], np.uint16)
        return cls(number, times_s, probs, shown, list(places))

    def labels_shown(self) -> list[str]:
        """The label shown at each moment."""
        return [self.names[place] for place in self.shown.tolist()]

    def is_between(self, from_s: float, to_s: float) -> bool:
        """Whether the face was seen at any time between these."""
        first, last = np.searchsorted(self.times_s, (from_s, to_s))
        return bool(last > first)

    def at(self, time_s: float, within_s: float) -> int | None:
        """The place of the moment nearest to a time; None where none is that near."""
        after = int(np.searchsorted(self.times_s, time_s))
        near = [place for place in (after - 1, after) if 0 <= place < len(self.times_s)]
        found = min(near, key=lambda place: abs(self.times_s[place] - time_s), default=None)
        if found is None or abs(self.times_s[found] - time_s) > within_s:
            return None
        return found


class GrowingCurve:
    """Takes in the moments of a face; what is older than `full_s` is thinned to one in `step_s`,
    and what is older than `kept_s` is let go.

    At 30 a second, a face is 7,800 moments of 42 bytes (eight labels) after ten minutes.
    """

    def __init__(
        self, number: int, names: list[str], *, full_s: float, step_s: float, kept_s: float
    ) -> None:
        self._number, self._names = number, names
        self._full_s, self._step_s, self._kept_s = full_s, step_s, kept_s
        self._times_s: Times = np.empty(0)
        self._probs: FloatArray = np.empty((0, 0), np.float32)
        self._shown: NDArray[np.uint16] = np.empty(0, np.uint16)
        self._n = self._n_thin = 0

    @property
    def curve(self) -> FaceCurve:
        """What is kept, without a copy; it is of now, and not to be kept."""
        n = self._n
        return FaceCurve(
            self._number, self._times_s[:n], self._probs[:n], self._shown[:n], self._names
        )

    @property
    def end_s(self) -> float:
        """The time of the newest moment."""
        return float(self._times_s[self._n - 1]) if self._n else float("-inf")

    def append(self, time_s: float, probs: FloatArray, shown: int) -> None:
        """Take in a moment; times do not go back. `shown` is the place of its label in `names`."""
        if self._n == len(self._times_s):
            self._keep(np.arange(self._n), len(probs))
        self._times_s[self._n] = time_s
        self._probs[self._n] = probs
        self._shown[self._n] = shown
        self._n += 1
        if self._times_s[self._n_thin] < time_s - self._full_s - _THIN_EVERY_S:
            self._thin(time_s)

    def _thin(self, now_s: float) -> None:
        times_s = self._times_s[: self._n]
        recent = int(np.searchsorted(times_s, now_s - self._full_s))
        slots = np.floor(times_s / self._step_s)
        is_kept = np.ones(self._n, bool)
        is_kept[1:] = slots[1:] != slots[:-1]
        is_kept[recent:] = True
        is_kept[: np.searchsorted(times_s, now_s - self._kept_s)] = False
        self._keep(np.flatnonzero(is_kept), self._probs.shape[1])
        self._n_thin = int(is_kept[:recent].sum())

    def _keep(self, places: NDArray[np.intp], n_labels: int) -> None:
        n = len(places)
        size = n + min(max(n, _MIN_ROOM), _MAX_ROOM)
        times_s, probs = np.empty(size), np.empty((size, n_labels), np.float32)
        shown = np.empty(size, np.uint16)
        if n:
            times_s[:n], probs[:n] = self._times_s[places], self._probs[places]
            shown[:n] = self._shown[places]
        self._times_s, self._probs, self._shown, self._n = times_s, probs, shown, n
