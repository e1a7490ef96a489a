"""Writes results with their overlay into a video file, without a window."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from PyQt6.QtCore import QCoreApplication, QRectF
from PyQt6.QtGui import QGuiApplication, QImage, QPainter

from fer_live.base.atomic_file import (
    discard_partial,
    leave_partial,
    partial_path,
    put_in_place,
)
from fer_live.datatypes import FrameResult, UInt8Array
from fer_live.errors import OutputError
from fer_live.painting.overlay import Hud, paint_overlay, to_qimage
from fer_live.painting.qt_runtime import prepare_qt

if TYPE_CHECKING:
    from fer_live.recording.video_file import VideoFile


class AnnotatedVideo:
    """A `ResultSink` into one video file, painted as the window paints.

    Each frame keeps its own time, and the speed shown is the pipeline's own. A frame of another
    size than the first one is shown within that size. The file is written beside its place and
    moves there when it is closed.
    """

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...],
        *,
        sound_of: str | None = None,
        sound_until_s: float | None = None,
    ) -> None:
        """`sound_of` is the file whose sound is kept, up to `sound_until_s` of its clock."""
        self._path = path
        self._sound_of, self._sound_until_s = sound_of, sound_until_s
        self._partial = partial_path(path)
        self._video: VideoFile | None = None
        self._size_wh = (0, 0)
        self._latency_ms = 0.0
        self._paint = FramePainter(labels)

    def write(self, source: str, result: FrameResult) -> None:
        latency_ms = sum(result.timings_ms.values())
        self._latency_ms += (
            0.1 * (latency_ms - self._latency_ms) if self._video is not None else latency_ms
        )
        hud = Hud(1000 / max(self._latency_ms, 0.01), self._latency_ms)
        image = self._paint(result, hud)
        if self._video is None:
            from fer_live.recording.sound import open_sound  # not before there is one
            from fer_live.recording.video_file import VideoFile

            suffix = self._path.suffix
            sound = open_sound(self._sound_of, suffix) if self._sound_of is not None else None
            self._video = VideoFile(self._partial, sound)
            self._size_wh = image.shape[1], image.shape[0]
        self._video.write(letterbox(image, self._size_wh), result.frame.captured_at_s)

    def close(self) -> None:
        if self._video is None:
            discard_partial(self._partial)
            return
        self._video.close(self._sound_until_s)
        put_in_place(self._partial, self._path)

    def abandon(self) -> Path | None:
        if self._video is None:
            discard_partial(self._partial)
            return None
        try:
            self._video.close()
        finally:
            leave_partial(self._partial)
        return self._partial


def letterbox(image_bgr: UInt8Array, size_wh: tuple[int, int]) -> UInt8Array:
    """The whole image within a size, as large as fits, on black."""
    height, width = image_bgr.shape[:2]
    if (width, height) == size_wh:
        return image_bgr
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (size_wh[0] - inner_wh[0]) // 2, (size_wh[1] - inner_wh[1]) // 2
    boxed = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    scaled = cv2.resize(image_bgr, inner_wh, interpolation=cv2.INTER_AREA)
    boxed[top : top + inner_wh[1], left : left + inner_wh[0]] = scaled
    return boxed


class FramePainter:
    """Paints a result into a new picture, (H, W, 3) uint8 BGR; its own frame is kept.

    Works without a display: it holds a Qt application where none runs yet.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._qt = _headless_qt()

    def __call__(self, result: FrameResult, hud: Hud | None = None) -> UInt8Array:
        height, width = result.frame.image_bgr.shape[:2]
        canvas = to_qimage(result.frame.image_bgr).convertToFormat(QImage.Format.Format_RGB32)
        painter = QPainter(canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_overlay(painter, QRectF(0, 0, width, height), result, self._labels, hud)
        painter.end()
        bits = canvas.constBits()
        if bits is None:
            raise OutputError(f"no memory for a frame of {width}x{height}")
        bits.setsize(canvas.sizeInBytes())
        pixels = np.frombuffer(cast(bytes, bits), np.uint8)
        rows = pixels.reshape(height, canvas.bytesPerLine() // 4, 4)
        return np.ascontiguousarray(rows[:, :width, :3])


def _headless_qt() -> QCoreApplication:
    """Qt's application, made without a display where there is none yet; keep it while painting."""
    running = QGuiApplication.instance()
    if running is not None:
        return running
    prepare_qt(headless=True)
    return QGuiApplication([])
