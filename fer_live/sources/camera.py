"""Cameras, which OpenCV opens."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from cv2_enumerate_cameras import enumerate_cameras

from fer_live.base.translation import tr
from fer_live.datatypes import Frame
from fer_live.errors import SourceError

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our own lines say what to do

_CAMERA_BACKENDS = {"win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
"""The one whose numbering `cv2.VideoCapture` follows; V4L2 elsewhere."""

_LAST_INDEX = 2**31 - 1
"""OpenCV takes no larger one; there is no such camera either."""


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
        self._capture = cv2.VideoCapture(min(index, _LAST_INDEX))
        if not self._capture.isOpened():
            raise SourceError(f"{self.name}: {_why_not(index)}")
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
        ok, image = self._capture.read()
        if not ok or image is None or image.size == 0:
            raise SourceError(
                tr("{name}: it stopped sending pictures; is it still plugged in?", name=self.name)
            )
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        self._index += 1
        return Frame(np.asarray(image, np.uint8), self._index - 1, time.monotonic())

    def close(self) -> None:
        self._capture.release()


def _why_not(number: int) -> str:
    """Why this camera does not open, and what to do, as far as the system tells."""
    device = Path(f"/dev/video{number}")
    if sys.platform == "linux" and device.exists() and not os.access(device, os.R_OK | os.W_OK):
        return tr(
            "you are not allowed to use {device}; add yourself to its group ({group}) and log in "
            "again",
            device=device,
            group=device.group(),
        )
    there = list_cameras()
    if not there:
        return tr("no camera is found; plug one in")
    if number not in there:
        names = ", ".join(f"{name} ({known})" for known, name in there.items())
        return tr("not there; plug it in, or choose another: {names}", names=names)
    if sys.platform == "linux":
        return tr("{name} is in use; close the program that uses it", name=there[number])
    return tr(
        "{name} is in use, or not allowed; close the program that uses it, and allow the camera in "
        "the system's settings for privacy",
        name=there[number],
    )


def list_cameras() -> dict[int, str]:
    """Number -> name of the cameras that the system knows of, free or in use."""
    backend = _CAMERA_BACKENDS.get(sys.platform, cv2.CAP_V4L2)
    return {camera.index: camera.name for camera in enumerate_cameras(backend)}
