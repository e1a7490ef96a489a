"""Writes what the window would show into a video file, without a window."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QGuiApplication, QImage, QPainter

from fer_live.atomic_file import partial_path, writing
from fer_live.datatypes import FrameResult
from fer_live.errors import OutputError
from fer_live.ui.overlay import Hud, paint_overlay, to_qimage
from fer_live.ui.qt_runtime import prepare_qt


class AnnotatedVideo:
    """A `ResultSink` into one MP4 file (MPEG-4 part 2), painted like the window; the speed
    shown is the pipeline's own.

    The file grows beside its place and moves there when it is closed and can be read back whole;
    the encoder does not report a full disk by itself.
    """

    def __init__(self, path: Path, labels: tuple[str, ...], fps: float) -> None:
        self._path, self._labels, self._fps = path, labels, fps
        self._partial = partial_path(path)
        self._writer: cv2.VideoWriter | None = None
        self._size_wh = (0, 0)
        self._n_frames = 0
        self._latency_ms = 0.0
        self._qt = QGuiApplication.instance() or _headless_qt()

    def write(self, source: str, result: FrameResult) -> None:
        height, width = result.frame.image_bgr.shape[:2]
        canvas = to_qimage(result.frame.image_bgr).convertToFormat(QImage.Format.Format_RGB32)
        latency_ms = sum(result.timings_ms.values())
        self._latency_ms += 0.1 * (latency_ms - self._latency_ms) if self._n_frames else latency_ms
        hud = Hud(1000 / max(self._latency_ms, 0.01), self._latency_ms)
        painter = QPainter(canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_overlay(painter, QRectF(0, 0, width, height), result, self._labels, hud)
        painter.end()
        bits = canvas.constBits()
        if bits is None:
            raise OutputError(f"{self._path}: no memory for a frame of {width}x{height}")
        bits.setsize(canvas.sizeInBytes())
        painted = np.frombuffer(cast(bytes, bits), np.uint8).reshape(
            height, canvas.bytesPerLine() // 4, 4
        )
        self._open(width, height).write(np.ascontiguousarray(painted[:, :width, :3]))
        self._n_frames += 1

    def close(self) -> None:
        if self._writer is None:
            return
        self._writer.release()
        written = cv2.VideoCapture(str(self._partial), cv2.CAP_FFMPEG)
        n_readable = int(written.get(cv2.CAP_PROP_FRAME_COUNT)) if written.isOpened() else 0
        written.release()
        if n_readable < self._n_frames:
            if n_readable == 0:
                self._partial.unlink(missing_ok=True)
            raise OutputError(
                f"{self._path}: only {n_readable} of {self._n_frames} frames could be written; "
                "is the disk full?"
            )
        with writing(self._path):
            self._partial.replace(self._path)

    def abandon(self) -> Path | None:
        if self._writer is None:
            return None
        self._writer.release()
        return self._partial

    def _open(self, width: int, height: int) -> cv2.VideoWriter:
        if self._writer is None:
            self._writer = cv2.VideoWriter(
                str(self._partial),
                cv2.CAP_FFMPEG,
                cv2.VideoWriter.fourcc(*"mp4v"),
                self._fps,
                (width, height),
            )
            self._size_wh = (width, height)
            if not self._writer.isOpened():
                raise OutputError(f"{self._path}: cannot start a video there; is the disk full?")
        if (width, height) != self._size_wh:
            raise OutputError(
                f"{self._path}: the source changed its size from {self._size_wh} to "
                f"{(width, height)}; a video has one"
            )
        return self._writer


def _headless_qt() -> QGuiApplication:
    prepare_qt(headless=True)
    return QGuiApplication([])
