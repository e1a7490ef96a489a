"""Writes video that survives a crash: whatever was written before it can be played."""

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import OutputError
from fer_live.recording.sound import Sound

_TIME_BASE = Fraction(1, 1000)
_KEYFRAME_EVERY_S = 1.0
_RATE = 30
"""Only a hint for the encoder: each frame carries its own time."""
_CONTAINER_OPTIONS = {
    # Parts of at most a second, each whole; only an index is left to be written at the end.
    ".mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
    ".mkv": {"cluster_time_limit": "500", "flush_packets": "1"},
}
# Without delay, so that a frame is in the file as soon as it was written.
_ENCODER_OPTIONS = {"preset": "superfast", "crf": "21", "tune": "zerolatency"}

VIDEO_SUFFIXES = tuple(_CONTAINER_OPTIONS)


class VideoFile:
    """H.264 in MP4 or Matroska, as the suffix says; every frame keeps its own time.

    The first frame's size is the video's; of odd sizes, which H.264 cannot hold, the last column or
    row is repeated. Raises `OutputError` where the disk refuses or a frame has another size.
    """

    def __init__(self, path: Path, sound: Sound | None = None) -> None:
        """`sound` is copied as far as pictures come, and to its end where the video is closed."""
        self.path = path
        self._sound = sound
        self.n_frames = 0
        self._size_wh: tuple[int, int] | None = None
        self._first_s = 0.0
        self._last_pts = -1
        self._keyframe_at_ms = 0
        try:
            self._container = av.open(
                str(path), "w", container_options=_CONTAINER_OPTIONS[path.suffix.lower()]
            )
        except (OSError, av.FFmpegError) as error:
            raise self._refused(error) from None
        self._stream: av.VideoStream | None = None

    def write(self, image_bgr: UInt8Array, time_s: float) -> None:
        """Append (H, W, 3) uint8, shown from `time_s` on, on any clock that does not go back."""
        height, width = image_bgr.shape[:2]
        stream = self._opened(width, height, time_s)
        padded = np.pad(image_bgr, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="bgr24")
        frame.pts = max(round((time_s - self._first_s) / _TIME_BASE), self._last_pts + 1)
        frame.time_base = _TIME_BASE
        if frame.pts >= self._keyframe_at_ms:
            frame.pict_type = av.video.frame.PictureType.I
            self._keyframe_at_ms = frame.pts + round(_KEYFRAME_EVERY_S * 1000)
        self._last_pts = frame.pts
        try:
            if self._sound is not None:
                self._sound.copy_until(time_s)
            self._container.mux(stream.encode(frame))
        except (OSError, av.FFmpegError) as error:
            raise self._refused(error) from None
        self.n_frames += 1

    def close(self, end_s: float | None = None) -> None:
        """Write what is missing. May be called more than once.

        Sound is copied up to `end_s` of the source's clock; None: as far as there is some.
        """
        stream, self._stream = self._stream, None
        sound, self._sound = self._sound, None
        try:
            if stream is not None:
                self._container.mux(stream.encode(None))
            if sound is not None and stream is not None:
                sound.copy_until(math.inf if end_s is None else end_s)
            if sound is not None:
                sound.close()
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            raise self._refused(error) from None

    def _opened(self, width: int, height: int, time_s: float) -> av.VideoStream:
        if self._size_wh is None:
            self._size_wh, self._first_s = (width, height), time_s
            stream = self._container.add_stream("libx264", rate=_RATE, options=_ENCODER_OPTIONS)
            stream.width, stream.height = width + width % 2, height + height % 2
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
            self._stream = stream
            if self._sound is not None:
                self._sound.begin(self._container, time_s)
        if self._stream is None or self._size_wh != (width, height):
            raise OutputError(
                tr(
                    "{path}: the source changed its size from {before} to {after}; a video has one",
                    path=self.path,
                    before=self._size_wh,
                    after=(width, height),
                )
            )
        return self._stream

    def _refused(self, error: OSError | av.FFmpegError) -> OutputError:
        reason = refusal(error) if isinstance(error, OSError) else error.strerror or str(error)
        return OutputError(
            tr(
                "{path}: cannot write: {reason}; free some space or choose another place",
                path=self.path,
                reason=reason,
            )
        )
