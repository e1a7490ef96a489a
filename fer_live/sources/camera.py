"""Frame sources: a camera, a clip, a stream, and a synthetic camera for tests.

A source is read by one thread: `read` returns the next frame, or None at the end.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# FFmpeg writes its own lines to stderr otherwise; ours say what the person can do.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from cv2_enumerate_cameras import enumerate_cameras

from fer_live.base.translation import tr
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError, TruncatedError
from fer_live.sources.images import IMAGE_SUFFIXES, ImageSource, Slideshow, images_in, read_image

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_OPEN_TIMEOUT_MS = 10_000
_READ_TIMEOUT_MS = 10_000
_DEFAULT_FPS = 25.0
_MISSING_TOLERATED = 0.02
"""Share of a clip's announced frames, or of its length, that may be missing."""
_EXACT_COUNTS = (".mp4", ".m4v", ".mov", ".avi")
"""Containers that store how many frames they hold; for others OpenCV guesses by the length."""
_GUESSED_LENGTH_TOLERANCE_S = 1.0
_CAMERA_BACKENDS = {"win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
"""The one whose numbering `cv2.VideoCapture` follows; V4L2 elsewhere."""


class FrameSource(Protocol):
    """Where frames come from; `n_frames` where the number is known beforehand. `reconnects` tells
    a device or stream, which is opened again when it stops, from a file."""

    name: str
    n_frames: int | None
    reconnects: bool

    def read(self) -> Frame | None:
        """The next frame; None at the end; `SourceError` or `TruncatedError` where it breaks."""
        ...

    def close(self) -> None:
        """Release the device or file; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class CameraMode:
    """What is asked of a camera; None leaves it to the camera, which may also give another size or
    rate than it was asked for."""

    size_wh: tuple[int, int] | None = None
    fps: int | None = None


class CameraSource:
    """Camera number `index`, each frame stamped with the monotonic clock as it arrives."""

    n_frames: int | None = None
    reconnects = True

    def __init__(self, index: int, mode: CameraMode | None = None) -> None:
        self.name = f"camera {index}"
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise SourceError(
                tr(
                    "camera {number}: not there, or in use by another program; plug it in, close "
                    "the other program, or choose another with --camera N",
                    number=index,
                )
            )
        self._ask_for(mode or CameraMode())
        # A deeper queue would only show older pictures.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._index = 0

    def _ask_for(self, mode: CameraMode) -> None:
        if mode.size_wh is not None:
            # Uncompressed, USB has room for large pictures at a few frames a second alone.
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.size_wh[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.size_wh[1])
        if mode.fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, mode.fps)

    def read(self) -> Frame | None:
        frame = _next_frame(self._capture, self._index, time.monotonic)
        if frame is None:
            raise SourceError(
                tr("{name}: it stopped sending pictures; is it still plugged in?", name=self.name)
            )
        self._index += 1
        return frame

    def close(self) -> None:
        self._capture.release()


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
        frame = _next_frame(self._capture, self._index, time.monotonic)
        if frame is None and self._index == 0:
            raise SourceError(
                tr("{url}: the stream holds no picture that can be decoded", url=self.name)
            )
        self._index += 1
        return frame

    def close(self) -> None:
        self._capture.release()


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
        frame = _next_frame(self._capture, self._index, self._frame_time_s)
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


def list_cameras() -> dict[int, str]:
    """Number -> name of the cameras that the system knows of, free or in use."""
    backend = _CAMERA_BACKENDS.get(sys.platform, cv2.CAP_V4L2)
    return {camera.index: camera.name for camera in enumerate_cameras(backend)}


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


def open_source(name: str) -> FrameSource:
    """A stream for a URL, one frame for an image file, a clip for any other file; unpaced."""
    if is_url(name):
        return StreamSource(name)
    path = Path(name)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path)
    return ClipSource(path)


def open_live_source(name: str) -> FrameSource:
    """The same, played as a camera would; also a folder of images."""
    if not name:
        raise SourceError("--source is empty; name a file, a folder or a stream")
    if is_url(name):
        return StreamSource(name)
    path = Path(name)
    if path.is_dir():
        return Slideshow(name, images_in(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        read_image(path)
        return Slideshow(name, [path])
    return PacedClip(path)


def is_url(source: str) -> bool:
    """Whether a SOURCE names a stream rather than a file."""
    return "://" in source


def _next_frame(capture: cv2.VideoCapture, index: int, clock: "_Clock") -> Frame | None:
    ok, image = capture.read()
    if not ok or image is None or image.size == 0:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return Frame(np.asarray(image, dtype=np.uint8), index, clock())


class _Clock(Protocol):
    def __call__(self) -> float: ...
