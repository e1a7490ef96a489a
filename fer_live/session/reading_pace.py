"""Tells when a processor is too slow to read every face twice."""

from collections import deque
from statistics import median

from fer_live.datatypes import FrameResult

_MAX_MS = 15.0
"""Of reading all faces of a frame: half of what a frame has at 30 a second."""
_N_FRAMES = 60


class ReadingPace:
    """Notes how long frames with faces took to read; short pauses of the machine do not count.

    Attributes:
        was_too_slow: Whether it has been told before, since the start or `start_over`.
    """

    def __init__(self) -> None:
        self.was_too_slow = False
        self._times_ms: deque[float] = deque(maxlen=_N_FRAMES)

    def is_too_slow(self, result: FrameResult) -> bool:
        """Take in a result; whether the median of 60 frames has said that it takes too long."""
        if not result.faces:
            return False
        self._times_ms.append(result.timings_ms["classify"])
        is_full = len(self._times_ms) == _N_FRAMES
        self.was_too_slow |= is_full and median(self._times_ms) > _MAX_MS
        return self.was_too_slow

    def start_over(self) -> None:
        """Forget what was noted: another model reads now, or reads otherwise."""
        self.was_too_slow = False
        self._times_ms.clear()
