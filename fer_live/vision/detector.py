"""Finds faces with MediaPipe, which no other file imports."""

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from fer_live.datatypes import DetectorMode, FaceDetection, FloatArray, UInt8Array
from fer_live.model.assets import asset

if TYPE_CHECKING:
    from mediapipe.tasks.python.components.containers import Detection

_Range = Literal["short", "full"]
_View = Literal["short", "full", "full-parts"]
_RANGES: tuple[_Range, ...] = ("short", "full")
_VIEWS: tuple[_View, ...] = ("short", "full", "full-parts")
"""The cheapest first."""

_MODEL_FILES: dict[_Range, str] = {
    "short": "face_detection_short_range.tflite",
    "full": "face_detection_full_range_sparse.tflite",
}
_MIN_CONFIDENCE = 0.5
_PROBE_INTERVAL_S = 1.0
_OVERLAP = 0.2
_PARTS_FROM_PX = 960
"""In a smaller frame, what only its parts show is too small to be read: 30 pixels and less."""
_SURE_IN_PART = 0.7
"""Seen so large, what is no face reaches 0.63 on the test clips, and faces have at least 0.78."""
_SAME_FACE = 0.5


class FaceDetector:
    """MediaPipe's face detector, in video mode, on the caller's thread.

    `short` reads faces up to about two metres away, `full` also small and many ones at 2.5 times
    the cost. `auto` measures which one this scene needs: once a second of the source's clock, and
    on the first frame after `reset`, both look at the same frame, the full-range model in a large
    one also at its two or three square parts, in which a face is larger. What finds more faces at a
    higher cost is used from there on. A face counts once: `detect` reports no face twice. Use it as
    a context manager, or call `close`.
    """

    def __init__(self, mode: DetectorMode = "auto") -> None:
        self.mode = mode
        self._view: _View = "full" if mode == "full" else "short"
        self._probed_at_s: float | None = None
        ranges = _RANGES if mode == "auto" else (mode,)
        self._networks = {range_: _Network(range_) for range_ in ranges}

    @property
    def name(self) -> str:
        """What looks now: "short", "full", or "full-parts"."""
        return self._view

    def detect(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection]:
        """The faces of one frame, most confident first. `time_s` is the frame's own clock."""
        if self.mode != "auto" or not self._probe_is_due(time_s):
            return self._look(self._view, image_bgr)
        self._probed_at_s = time_s
        views = _VIEWS if max(image_bgr.shape) >= _PARTS_FROM_PX else _RANGES
        found = {view: self._look(view, image_bgr) for view in views}
        # The first of those that find most is the cheapest of them.
        self._view = max(views, key=lambda view: len(found[view]))
        return found[self._view]

    def reset(self) -> None:
        """Forget the scene: the next frame is of another source."""
        self._probed_at_s = None
        if self.mode == "auto":
            self._view = "short"

    def close(self) -> None:
        """Free the networks. Needed: their own finalizers fail when the interpreter exits."""
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

    def _look(self, view: _View, image_bgr: UInt8Array) -> list[FaceDetection]:
        if view != "full-parts":
            return self._detect_with(view, image_bgr)
        height, width = image_bgr.shape[:2]
        faces: list[FaceDetection] = []
        for left, top, side in _parts(width, height):
            part = image_bgr[top : top + side, left : left + side]
            found = self._detect_with("full", part)
            sure = [face for face in found if face.confidence >= _SURE_IN_PART]
            faces += [_moved(face, left, top) for face in sure]
        return _without_repeats(faces)

    def _detect_with(self, range_: _Range, image_bgr: UInt8Array) -> list[FaceDetection]:
        height, width = image_bgr.shape[:2]
        image_rgb = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), np.uint8)
        found = self._networks[range_].detect(image_rgb)
        frame_wh = np.array([width, height], dtype=np.float32)
        faces = [_to_detection(face, frame_wh) for face in found]
        faces = [face for face in faces if np.all(face.box_xyxy[2:] > face.box_xyxy[:2])]
        return sorted(faces, key=lambda face: -face.confidence)


class _Network:
    """One of MediaPipe's face detectors, in video mode.

    MediaPipe takes more than a second to import, so it is imported when the first one is made, on
    whichever thread does that: a window stands and paints meanwhile.
    """

    def __init__(self, range_: _Range) -> None:
        from mediapipe import Image, ImageFormat
        from mediapipe.tasks.python import BaseOptions, vision

        self._image = partial(Image, ImageFormat.SRGB)
        self._timestamp_ms = 0
        options = vision.FaceDetectorOptions(
            # By content: MediaPipe cannot open every path on Windows.
            base_options=BaseOptions(model_asset_buffer=asset(_MODEL_FILES[range_]).read_bytes()),
            running_mode=vision.RunningMode.VIDEO,
            min_detection_confidence=_MIN_CONFIDENCE,
        )
        with quiet_native_stderr():
            self._detector = vision.FaceDetector.create_from_options(options)
            # The first frame builds the graph and logs too.
            self.detect(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image_rgb: UInt8Array) -> "list[Detection]":
        """Every face of an (H, W, 3) image, as MediaPipe reports it."""
        # Video mode wants growing timestamps and uses them for nothing else.
        self._timestamp_ms += 1
        found = self._detector.detect_for_video(self._image(image_rgb), self._timestamp_ms)
        return list(found.detections)

    def close(self) -> None:
        """Free the network."""
        with quiet_native_stderr():
            self._detector.close()


def _parts(width: int, height: int) -> list[tuple[int, int, int]]:
    """Squares (left, top, side) that cover a frame with some overlap."""
    side, length = min(width, height), max(width, height)
    n = max(math.ceil((length / side - _OVERLAP) / (1 - _OVERLAP)), 1)
    starts = [round(k * (length - side) / (n - 1)) for k in range(n)] if n > 1 else [0]
    return [(start, 0, side) if width >= height else (0, start, side) for start in starts]


def _moved(face: FaceDetection, left: int, top: int) -> FaceDetection:
    shift = np.array([left, top], np.float32)
    box = face.box_xyxy + np.tile(shift, 2)
    return FaceDetection(box, face.keypoints_xy + shift, face.confidence)


def _without_repeats(faces: list[FaceDetection]) -> list[FaceDetection]:
    """Each face once, most confident first: where two parts overlap both may see it, or a half."""
    kept: list[FaceDetection] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(_shared(face.box_xyxy, other.box_xyxy) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _shared(a_xyxy: FloatArray, b_xyxy: FloatArray) -> float:
    """The overlap's share of the smaller box, 0..1."""
    overlap_wh = np.minimum(a_xyxy[2:], b_xyxy[2:]) - np.maximum(a_xyxy[:2], b_xyxy[:2])
    areas = [float(np.prod(box[2:] - box[:2])) for box in (a_xyxy, b_xyxy)]
    return float(np.prod(np.maximum(overlap_wh, 0))) / max(min(areas), 1e-6)


def _to_detection(face: "Detection", frame_wh: FloatArray) -> FaceDetection:
    box = face.bounding_box
    corners = np.array(
        [[box.origin_x, box.origin_y], [box.origin_x + box.width, box.origin_y + box.height]],
        dtype=np.float32,
    )
    keypoints = np.array([[point.x, point.y] for point in face.keypoints], dtype=np.float32)
    confidence = float(face.categories[0].score)
    return FaceDetection(np.clip(corners, 0, frame_wh).reshape(4), keypoints * frame_wh, confidence)


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
