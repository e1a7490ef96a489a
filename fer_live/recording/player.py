"""Plays a recorded video at any moment of it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from fer_live.datatypes import Frame

_A_LITTLE_S = 2e-3
"""Less than a frame lasts, and more than its time is rounded by."""


class ClipPlayer:
    """Random access to a video file. `length_s` is the time of its last frame, measured, for the
    header of a recording that a crash cut off does not tell it. Raises `SourceError`."""

    def __init__(self, path: Path) -> None:
        from fer_live.sources.decoder import VideoDecoder  # not before a recording is played

        self._decoder = VideoDecoder(path)
        self.length_s = self._decoder.last_time_s()
        self._frames: Iterator[Frame] = iter(())
        self._last: Frame | None = None
        self._ahead: Frame | None = None

    def at(self, time_s: float) -> Frame | None:
        """The last frame that is not later than this; cheap where it is the next one or so. None
        where nothing can be decoded."""
        last = self._last
        if last is None or not 0 <= time_s - last.captured_at_s <= 1:
            self._seek(time_s)
        while True:
            self._ahead = self._ahead or next(self._frames, None)
            if self._ahead is None:
                break
            if self._last is not None and self._ahead.captured_at_s > time_s + 1e-3:
                break
            self._last, self._ahead = self._ahead, None
        return self._last

    def beside(self, time_s: float, frames: int) -> float:
        """The time of the frame after, 1, or before, -1, the one of this time; the same at an
        end."""
        shown = self.at(time_s)
        if shown is None:
            return time_s
        if frames > 0:
            return time_s if self._ahead is None else self._ahead.captured_at_s
        before = self.at(shown.captured_at_s - _A_LITTLE_S) if shown.captured_at_s > 0 else None
        return shown.captured_at_s if before is None else before.captured_at_s

    def close(self) -> None:
        """Close the video file; nothing can be played afterwards."""
        self._decoder.close()

    def _seek(self, time_s: float) -> None:
        self._decoder.seek(time_s)
        numbered = zip(count(), self._decoder.frames(), strict=False)
        self._frames = (Frame(image, index, at_s) for index, (image, at_s) in numbered)
        self._last, self._ahead = None, None
