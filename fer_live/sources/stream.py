"""Network streams."""

import time

import cv2

from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import SourceError
from fer_live.sources.opencv import next_frame

_OPEN_TIMEOUT_MS = 10_000
_READ_TIMEOUT_MS = 10_000


class StreamSource:
    """A network stream (rtsp, http, udp, ...), stamped with the monotonic clock as it arrives."""

    n_frames: int | None = None
    reconnects = True

    def __init__(self, url: str) -> None:
        self.name = url
        self._capture = cv2.VideoCapture(
            url,
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                _OPEN_TIMEOUT_MS,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                _READ_TIMEOUT_MS,
            ],
        )
        if not self._capture.isOpened():
            raise SourceError(
                tr("{url}: no stream there; check the address and that it is running", url=url)
            )
        self._index = 0

    def read(self) -> Frame | None:
        frame = next_frame(self._capture, self._index, time.monotonic)
        if frame is None and self._index == 0:
            raise SourceError(
                tr("{url}: the stream holds no picture that can be decoded", url=self.name)
            )
        self._index += 1
        return frame

    def close(self) -> None:
        self._capture.release()
