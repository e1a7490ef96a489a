"""Video files, read as fast as asked or played at their own pace."""

import time
from pathlib import Path

import cv2

from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import SourceError, TruncatedError
from fer_live.sources.opencv import next_frame

_DEFAULT_FPS = 25.0
_MISSING_TOLERATED = 0.02
"""Share of a clip's announced frames, or of its length, that may be missing."""
_EXACT_COUNTS = (".mp4", ".m4v", ".mov", ".avi")
"""Containers that store how many frames they hold; for others OpenCV guesses by the length."""
_GUESSED_LENGTH_TOLERANCE_S = 1.0


class ClipSource:
    """A video file, read as fast as asked; `captured_at_s` is the frame's time in the clip."""

    reconnects = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._capture = open_clip(path)
        self.n_frames: int | None = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0) or None
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= 1000 else _DEFAULT_FPS
        self._index = 0
        self._last_s = -1.0 / self.fps

    def read(self) -> Frame | None:
        frame = next_frame(self._capture, self._index, self._frame_time_s)
        if frame is None:
            self._refuse_early_end()
            return None
        self._index += 1
        return frame

    def rewind(self) -> None:
        """Start again at frame 0."""
        self.close()
        self._capture = open_clip(Path(self.name))
        self._index, self._last_s = 0, -1.0 / self.fps

    def close(self) -> None:
        self._capture.release()

    def _frame_time_s(self) -> float:
        # The container's own timestamp, for clips of variable frame rate; never backwards.
        time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._last_s = time_s if time_s > self._last_s else self._last_s + 1 / self.fps
        return self._last_s

    def _refuse_early_end(self) -> None:
        if self._index == 0:
            raise SourceError(tr("{name}: holds no picture that can be decoded", name=self.name))
        if not self.n_frames:
            return
        if Path(self.name).suffix.lower() in _EXACT_COUNTS:
            is_cut = self._index < self.n_frames * (1 - _MISSING_TOLERATED) - 1
        else:
            length_s = self.n_frames / self.fps
            is_cut = (
                self._last_s < length_s * (1 - _MISSING_TOLERATED) - _GUESSED_LENGTH_TOLERANCE_S
            )
        if is_cut:
            raise TruncatedError(
                f"{self.name}: ends after {self._index} of about {self.n_frames} frames; the file "
                "is damaged or was cut off, the frames before that were read"
            )


class PacedClip:
    """A clip played like a camera: at its own pace, over and over, on the monotonic clock.

    Used by the window, so that a clip behaves as a camera does: who is too slow misses frames.
    """

    n_frames: int | None = None
    reconnects = False

    def __init__(self, path: Path) -> None:
        self._clip = ClipSource(path)
        self.name = self._clip.name
        self._index = 0
        self._start_s: float | None = None
        self._due_s = 0.0

    def read(self) -> Frame | None:
        frame = self._clip.read()
        if frame is None:
            self._clip.rewind()
            self._start_s = self._due_s + 1 / self._clip.fps
            frame = self._clip.read()
            assert frame is not None, "a clip without a frame is refused by its first read"
        now_s = time.monotonic()
        if self._start_s is None or now_s - self._start_s - frame.captured_at_s > 1.0:
            # The first frame, or a machine that slept: the clip goes on from now, without a rush.
            self._start_s = now_s - frame.captured_at_s
        self._due_s = self._start_s + frame.captured_at_s
        time.sleep(max(self._due_s - now_s, 0.0))
        paced = Frame(frame.image_bgr, self._index, time.monotonic())
        self._index += 1
        return paced

    def close(self) -> None:
        self._clip.close()


def open_clip(path: Path) -> cv2.VideoCapture:
    """Open a video file, or raise `SourceError` that says why it cannot be one."""
    if not path.exists():
        raise SourceError(tr("{path}: no such file", path=path))
    if path.is_dir():
        raise SourceError(tr("{path}: is a folder; name a video file", path=path))
    if not path.is_file():
        raise SourceError(tr("{path}: is not a regular file; name a video file", path=path))
    try:
        str(path).encode()
    except UnicodeEncodeError:  # OpenCV ends the process with signal 11
        raise SourceError(
            tr("{path}: its name is not valid text; rename the file", path=ascii(str(path)))
        ) from None
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(tr("{path}: is empty", path=path))
    except OSError as error:
        raise SourceError(
            tr("{path}: cannot be read: {why}", path=path, why=error.strerror)
        ) from None
    # Absolute, for FFmpeg takes what stands before a colon in a relative name for a protocol.
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(
            tr("{path}: not a video that can be decoded; is it damaged or another kind?", path=path)
        )
    return capture
