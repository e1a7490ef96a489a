"""Plays a recorded video at any moment of it."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import SourceError


class ClipPlayer:
    """Random access to a video file. `length_s` is the time of its last frame, measured, for the
    header of a recording that a crash cut off does not tell it. Raises `SourceError`."""

    def __init__(self, path: Path) -> None:
        try:
            self._container = av.open(str(path))
            self._stream = self._container.streams.video[0]
            self.length_s = self._last_time_s()
        except (OSError, av.FFmpegError, IndexError) as error:
            raise SourceError(
                tr("{path}: not a video that can be decoded: {why}", path=path, why=error)
            ) from None
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

    def close(self) -> None:
        """Close the video file; nothing can be played afterwards."""
        self._container.close()

    def _seek(self, time_s: float) -> None:
        self._container.seek(round(max(time_s, 0) * av.time_base), backward=True)
        self._frames, self._last, self._ahead = self._decode(), None, None

    def _decode(self) -> Iterator[Frame]:
        try:
            for index, frame in enumerate(self._container.decode(self._stream)):
                image = frame.to_ndarray(format="bgr24")
                yield Frame(np.asarray(image, np.uint8), index, float(frame.time or 0.0))
        except (OSError, av.FFmpegError):
            return  # the end of a recording that was cut off

    def _last_time_s(self) -> float:
        last_s = 0.0
        for packet in self._container.demux(self._stream):
            if packet.pts is not None and packet.time_base is not None:
                last_s = max(last_s, float(packet.pts * packet.time_base))
        self._container.seek(0)
        return last_s
