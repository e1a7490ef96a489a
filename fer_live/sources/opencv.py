"""What the sources share that OpenCV reads: it is quiet, and its pictures become frames."""

import os
from collections.abc import Callable

# FFmpeg writes its own lines to stderr otherwise; ours say what the person can do.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np

from fer_live.datatypes import Frame

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def next_frame(capture: cv2.VideoCapture, index: int, clock: Callable[[], float]) -> Frame | None:
    """The next frame of `capture`, numbered `index` and stamped by `clock`; None at the end."""
    ok, image = capture.read()
    if not ok or image is None or image.size == 0:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return Frame(np.asarray(image, dtype=np.uint8), index, clock())
