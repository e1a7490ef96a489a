"""A camera made of given pictures."""

import time
from collections.abc import Sequence

from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError


class SyntheticCamera:
    """A camera made of given pictures, for tests: `n_frames` frames in turn, `fps` a second.

    With `paced`, frames come in real time; without, at once. Fails with `SourceError` where the
    pictures are exhausted and `then_fail` is set, as an unplugged camera does.
    """

    reconnects = False

    def __init__(
        self,
        images_bgr: Sequence[UInt8Array],
        n_frames: int,
        fps: float = 30.0,
        *,
        paced: bool = False,
        then_fail: bool = False,
    ) -> None:
        self.name = "synthetic camera"
        self.n_frames: int | None = n_frames
        self._images = images_bgr
        self._fps, self._paced, self._then_fail = fps, paced, then_fail
        self._index = 0
        self._start_s = time.monotonic()

    def read(self) -> Frame | None:
        if self._index >= (self.n_frames or 0):
            if self._then_fail:
                raise SourceError(f"{self.name}: it stopped sending pictures")
            return None
        due_s = self._index / self._fps
        if self._paced:
            time.sleep(max(self._start_s + due_s - time.monotonic(), 0))
            due_s = time.monotonic()
        frame = Frame(self._images[self._index % len(self._images)], self._index, due_s)
        self._index += 1
        return frame

    def close(self) -> None:
        pass
