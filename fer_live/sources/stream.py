"""Network streams, which have no end of their own."""

import time

from fer_live.base.translation import tr
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError
from fer_live.sources.decoder import VideoDecoder


class StreamSource:
    """A live stream (rtsp, rtmp, udp, srt, MJPEG over http, ...), stamped with the monotonic clock
    as it arrives.

    `read` returns None where the server has ended it, and raises `SourceTimeout` where it sends
    nothing more: both may come back, see `fer_live.session.reconnect`. A damaged picture is left
    out; the next one follows.
    """

    n_frames: int | None = None
    reconnects = True

    def __init__(self, where: str | VideoDecoder) -> None:
        self._decoder = where if isinstance(where, VideoDecoder) else VideoDecoder(where)
        self.name = self._decoder.name
        self.is_playlist = self._decoder.is_playlist
        self._frames = self._decoder.frames()
        self._first: UInt8Array | None = None
        self._index = 0

    def first_picture(self) -> UInt8Array | None:
        """The picture that the first `read` will give; to be called before it."""
        self._first, _ = next(self._frames, (None, 0.0))
        return self._first

    def read(self) -> Frame | None:
        image_bgr, self._first = self._first, None
        if image_bgr is None:
            image_bgr, _ = next(self._frames, (None, 0.0))
        if image_bgr is None:
            if self._index == 0:
                raise SourceError(
                    tr("{url}: the stream holds no picture that can be decoded", url=self.name)
                )
            return None
        self._index += 1
        return Frame(image_bgr, self._index - 1, time.monotonic())

    def close(self) -> None:
        self._frames.close()
        self._decoder.close()
