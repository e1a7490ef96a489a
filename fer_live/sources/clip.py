"""Finished videos, read as fast as asked or played at their own pace."""

import time
from collections.abc import Callable
from pathlib import Path

from fer_live.base.clocks import moved
from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import LimitError, SourceError, TruncatedError
from fer_live.sources.decoder import VideoDecoder
from fer_live.sources.source import FrameSource

_MAX_WAIT_S = 15.0
"""Two frames that are further apart are a jump of the clock, not a picture that stands."""
_MAX_LATE_S = 1.0
_JUMP_SHOWN_FOR_S = 1 / 25


class ClipSource:
    """A finished video, in a file or behind a URL, read as fast as asked.

    `captured_at_s` is the frame's time on the file's own clock, jumps and all; the wall clock is
    that of the file's creation, where its header tells it, plus that time. `n_threads` decode; 0
    takes all cores.
    """

    reconnects = False

    def __init__(self, where: Path | str | VideoDecoder, n_threads: int = 0) -> None:
        self._decoder = where if isinstance(where, VideoDecoder) else VideoDecoder(where, n_threads)
        self.name = self._decoder.name
        self.n_frames: int | None = self._decoder.n_frames
        self._frames = self._decoder.frames()
        self._began_at = self._decoder.began_at
        self._index = 0

    def read(self) -> Frame | None:
        image_bgr, time_s = next(self._frames, (None, 0.0))
        if image_bgr is None:
            self._refuse_what_is_missing()
            return None
        self._index += 1
        utc = moved(self._began_at, time_s)
        return Frame(image_bgr, self._index - 1, time_s, utc)

    def close(self) -> None:
        self._frames.close()
        self._decoder.close()

    def _refuse_what_is_missing(self) -> None:
        if self._index == 0 and not all(self._decoder.size_wh):
            raise LimitError(  # FFmpeg does not tell a size that is beyond the limit
                tr(
                    "{name}: its pictures tell no size, or have more than {limit} million pixels; "
                    "make them smaller",
                    name=self.name,
                    limit=f"{self._decoder.max_pixels / 1e6:.3g}",
                )
            )
        if self._index == 0:
            raise SourceError(tr("{name}: holds no picture that can be decoded", name=self.name))
        if self._decoder.is_damaged:
            raise TruncatedError(
                tr(
                    "{name}: is damaged or was cut off; the {n} frames that can be decoded were "
                    "read",
                    name=self.name,
                    n=self._index,
                )
            )


class PacedClip:
    """A clip played like a camera: at its own pace, over and over, on the monotonic clock.

    Used by the window, so that a clip behaves as a camera does: who is too slow misses frames. A
    clock that jumps begins anew: no jump is waited for.
    """

    n_frames: int | None = None
    reconnects = False

    def __init__(self, open_clip: Callable[[], FrameSource]) -> None:
        """`open_clip` opens it at its first frame; it is called again for every further pass."""
        self._open_clip = open_clip
        self._clip = open_clip()
        self.name = self._clip.name
        self._index = 0
        self._last: tuple[float, float] | None = None
        """When the last frame was due, and its time in the clip."""

    def read(self) -> Frame | None:
        frame = self._clip.read()
        if frame is None:
            self._clip.close()
            self._clip = self._open_clip()
            frame = self._clip.read()
            if frame is None:
                return None
        due_s = self._due_s(frame.captured_at_s, time.monotonic())
        self._last = due_s, frame.captured_at_s
        time.sleep(max(due_s - time.monotonic(), 0.0))
        self._index += 1
        return Frame(frame.image_bgr, self._index - 1, time.monotonic())

    def close(self) -> None:
        self._clip.close()

    def _due_s(self, time_s: float, now_s: float) -> float:
        if self._last is None:
            return now_s
        last_due_s, last_time_s = self._last
        step_s = time_s - last_time_s
        if not 0 <= step_s <= _MAX_WAIT_S:
            step_s = _JUMP_SHOWN_FOR_S
        due_s = last_due_s + step_s
        # A machine that slept: the clip goes on from now, without a rush.
        return due_s if now_s - due_s <= _MAX_LATE_S else now_s
