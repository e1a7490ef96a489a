"""Finds faces with MediaPipe (the only file that imports it)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

import cv2
import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions, vision
from mediapipe.tasks.python.components.containers import Detection

from fer_live.assets import asset
from fer_live.datatypes import DetectorMode, FaceDetection, FloatArray, UInt8Array

_Range = Literal["short", "full"]

_MODEL_FILES: dict[_Range, str] = {
    "short": "face_detection_short_range.tflite",
    "full": "face_detection_full_range_sparse.tflite",
}
_MIN_CONFIDENCE = 0.5
_PROBE_INTERVAL_S = 1.0


class FaceDetector:
    """MediaPipe's face detector, in video mode, on the caller's thread.

    `short` reads faces up to about two metres away, `full` also small and many ones at 2.5 times
    the cost. `auto` measures which one this scene needs: once a second of the source's clock, and
    on the first frame after `reset`, both look at the same frame; the full-range model is used
    from there on exactly if it found more faces. A face counts once: `detect` reports no face
    twice. Use it as a context manager, or call `close`.
    """

    def __init__(self, mode: DetectorMode = "auto") -> None:
        self.mode = mode
        self._networks: dict[_Range, vision.FaceDetector] = {}
        self._timestamp_ms: dict[_Range, int] = {"short": 0, "full": 0}
        self._range: _Range = "full" if mode == "full" else "short"
        self._probed_at_s: float | None = None
        for range_ in ("short", "full") if mode == "auto" else (self._range,):
            self._networks[range_] = _load(range_)

    @property
    def name(self) -> str:
        """The model in use now: "short" or "full"."""
        return self._range

    def detect(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection]:
        """The faces of one frame, most confident first. `time_s` is the frame's own clock."""
        if self.mode != "auto" or not self._probe_is_due(time_s):
            return self._detect_with(self._range, image_bgr)
        self._probed_at_s = time_s
        found = {range_: self._detect_with(range_, image_bgr) for range_ in self._networks}
        self._range = "full" if len(found["full"]) > len(found["short"]) else "short"
        return found[self._range]

    def reset(self) -> None:
        """Forget the scene: the next frame is of another source."""
        self._probed_at_s = None
        if self.mode == "auto":
            self._range = "short"

    def close(self) -> None:
        """Free the networks. Needed: their own finalizers fail when the interpreter exits."""
        with quiet_native_stderr():
            for network in self._networks.values():
                network.close()
        self._networks.clear()

    def __enter__(self) -> "FaceDetector":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _probe_is_due(self, time_s: float) -> bool:
        last_s = self._probed_at_s
        return last_s is None or time_s < last_s or time_s - last_s >= _PROBE_INTERVAL_S

    def _detect_with(self, range_: _Range, image_bgr: UInt8Array) -> list[FaceDetection]:
        height, width = image_bgr.shape[:2]
        image_rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        # Video mode wants growing timestamps and uses them for nothing else.
        self._timestamp_ms[range_] += 1
        found = self._networks[range_].detect_for_video(
            Image(ImageFormat.SRGB, image_rgb), self._timestamp_ms[range_]
        )
        frame_wh = np.array([width, height], dtype=np.float32)
        faces = [_to_detection(face, frame_wh) for face in found.detections]
        faces = [face for face in faces if np.all(face.box_xyxy[2:] > face.box_xyxy[:2])]
        return sorted(faces, key=lambda face: -face.confidence)


def _to_detection(face: Detection, frame_wh: FloatArray) -> FaceDetection:
    box = face.bounding_box
    corners = np.array(
        [[box.origin_x, box.origin_y], [box.origin_x + box.width, box.origin_y + box.height]],
        dtype=np.float32,
    )
    keypoints = np.array([[point.x, point.y] for point in face.keypoints], dtype=np.float32)
    confidence = float(face.categories[0].score)
    return FaceDetection(np.clip(corners, 0, frame_wh).reshape(4), keypoints * frame_wh, confidence)


def _load(range_: _Range) -> vision.FaceDetector:
    model: Path = asset(_MODEL_FILES[range_])
    options = vision.FaceDetectorOptions(
        # By content: MediaPipe cannot open every path on Windows.
        base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
        running_mode=vision.RunningMode.VIDEO,
        min_detection_confidence=_MIN_CONFIDENCE,
    )
    with quiet_native_stderr():
        network = vision.FaceDetector.create_from_options(options)
        # The first frame builds the graph and logs too.
        network.detect_for_video(Image(ImageFormat.SRGB, np.zeros((64, 64, 3), np.uint8)), 0)
    return network


@contextlib.contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Swallow what MediaPipe's C++ writes to file descriptor 2 while it loads; it has no switch."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as devnull:
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
