"""Tells when a processor is too slow to read every face twice."""

from collections import deque
from statistics import median

from fer_live.datatypes import FrameResult

_MAX_MS = 15.0
"""Of reading all faces of a frame: half of what a frame has at 30 a second."""
_N_FRAMES = 60


class ReadingPace:
    """Notes how long frames with faces took to read; short pauses of the machine do not count."""

    def __init__(self) -> None:
        self._times_ms: deque[float] = deque(maxlen=_N_FRAMES)

    def is_too_slow(self, result: FrameResult) -> bool:
        """Take in a result; whether the median of the last 60 says that it takes too long."""
        if not result.faces:
            return False
        self._times_ms.append(result.timings_ms["classify"])
        return len(self._times_ms) == _N_FRAMES and median(self._times_ms) > _MAX_MS

    def start_over(self) -> None:
        """Forget what was noted: another model reads now, or reads otherwise."""
        self._times_ms.clear()
