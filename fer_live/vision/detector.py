"""Finds faces with MediaPipe."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeVar

import cv2
import numpy as np

from fer_live.datatypes import DetectorMode, FaceDetection, FloatArray, UInt8Array
from fer_live.vision.mediapipe_tasks import FaceDetectorTask
from fer_live.vision.squares import Square, around, grid, moved, without_repeats

if TYPE_CHECKING:
    from mediapipe.tasks.python.components.containers import Detection

_Range = Literal["short", "full"]
_View = Literal["short", "full", "full-parts"]

_MODEL_FILES: dict[_Range, str] = {
    "short": "face_detection_short_range.tflite",
    "full": "face_detection_full_range_sparse.tflite",
}
_MIN_CONFIDENCE = 0.5
_PROBE_INTERVAL_S = 1.0
_SURE = 0.7
_SURE_IN_SQUARE = 0.75
"""Seen so large, what is no face reaches 0.69 on the test clips, and faces have 0.87 and more."""
_SURE_CLOSER = 0.85
"""In a closer square around what was weak, unless there is a crowd: in one of 570 frames of clips
something else reached 0.80. In crowds of 20 to 60, 0.75 finds 99.8 % and 0.85 finds 99.5."""
_WEAK_IN_SQUARE = 0.2
"""From here on a square around it is worth a look."""
_MAX_WEAK_LOOKS, _MAX_MISSED_LOOKS = 10, 16
"""With 12 for those missed, 2 % of the faces in crowds of 20 to 60 wait for the next frame."""
_LOOKED_FOR_S = 2.0
"""As long as the tracker keeps its number."""
_MANY = 4
_SMALL = 0.2
"""Share of the frame's short side. The full-range model finds every face from 0.115 of the long
side on, which is 0.2 of the short one at 16:9; below it begins to miss some."""
_SQUARES_FROM_PX = 960
_SQUARES_EVERY = 5
_MAX_LOOKED_AT = 16_000_000
"""Pixels that a network is given; it shrinks them to some hundred a side."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a face was, (4,) pixels, and when."""

    box_xyxy: FloatArray
    seen_at_s: float


_HasBox = TypeVar("_HasBox", FaceDetection, _Place)


class FaceDetector:
    """MediaPipe's face detector, in video mode, on the caller's thread.

    `short` reads faces up to about two metres away, `full` also smaller ones at three times the
    cost; each is one look at the whole frame. `auto` measures what this scene needs. Once a second
    of the source's clock, and on the first frame after `reset`, both look at the same frame, and
    where faces are many, small or not to be found, the short-range model also looks at squares of
    it, in which a face is larger, and once more and closer where it was not sure. What finds more
    faces at a higher cost is used from there on.

    Between these probes `auto` looks at the whole frame once, and at squares around the places
    where faces have been within two seconds and now are not found: at most 16 a frame, one for all
    the faces that it holds. So a small face that nobody has seen yet is found up to a second late.

    A face counts once: `detect` reports no face twice. Use it as a context manager, or call
    `close`.
    """

    def __init__(self, mode: DetectorMode = "auto") -> None:
        self.mode = mode
        self._view: _View = "full" if mode == "full" else "short"
        self._probed_at_s: float | None = None
        self._n_probes = 0
        self._places: list[_Place] = []
        self._networks: dict[str, _Network] = {}
        for range_ in ("short", "full") if mode == "auto" else (mode,):
            self._networks[range_] = _Network(range_, _MIN_CONFIDENCE)
        if mode == "auto":
            # A third one, because what is weak must not shift the boxes of the whole frame's faces.
            self._networks["closer"] = _Network("short", _WEAK_IN_SQUARE)

    @property
    def name(self) -> str:
        """What looks now: "short", "full", or "full-parts", which is short range and squares."""
        return self._view

    def detect(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection]:
        """The faces of one frame, most confident first. `time_s` is the frame's own clock."""
        if self.mode != "auto":
            return self._look(self.mode, image_bgr)
        if self._probe_is_due(time_s):
            faces = self._probe(image_bgr, time_s)
        else:
            faces = self._look("full" if self._view == "full" else "short", image_bgr)
        missed = self._missed(faces, time_s)
        if missed:
            faces = self._look_for(missed, faces, image_bgr)
        self._remember(faces, time_s)
        return faces

    def reset(self) -> None:
        """Forget the scene: the next frame is of another source, or of another scene."""
        self._probed_at_s = None
        self._n_probes = 0
        self._places = []
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

    def _probe(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection]:
        near, far = self._look("short", image_bgr), self._look("full", image_bgr)
        # Of those that find most, the cheapest.
        faces = far if len(far) > len(near) else near
        with_squares = self._squares_are_due(faces, image_bgr)
        self._probed_at_s, self._n_probes = time_s, self._n_probes + 1
        self._view = "full" if faces is far else "short"
        if with_squares:
            faces = self._with_squares(faces, image_bgr)
        return faces

    def _with_squares(
        self, faces: list[FaceDetection], image_bgr: UInt8Array
    ) -> list[FaceDetection]:
        """`faces`, those that squares show too, and those that they show more surely instead."""
        squares = grid((image_bgr.shape[1], image_bgr.shape[0]))
        too_large = squares[0].side / 2 if squares else 0  # a square may show but a part of it
        strong = [
            face for face in faces if face.confidence >= _SURE_IN_SQUARE or _width(face) > too_large
        ]
        closer = _unseen(self._search(squares, faces, image_bgr), strong)
        all_faces = without_repeats(strong + closer + faces)
        if len(all_faces) > len(faces):
            self._view = "full-parts"
        return all_faces

    def _squares_are_due(self, faces: list[FaceDetection], image_bgr: UInt8Array) -> bool:
        """Whether a probe looks at squares too, which costs six times the rest of it."""
        if self._n_probes == 0 or self._view == "full-parts" or not faces:
            return True
        height, width = image_bgr.shape[:2]
        smallest = min(_width(face) for face in faces)
        if len(faces) >= _MANY or smallest < _SMALL * min(width, height):
            return True
        # Somebody may come in far behind the near face. In a smaller frame such a one cannot be
        # read.
        return max(width, height) >= _SQUARES_FROM_PX and self._n_probes % _SQUARES_EVERY == 0

    def _search(
        self, squares: list[Square], known: list[FaceDetection], image_bgr: UInt8Array
    ) -> list[FaceDetection]:
        """Sure faces in these squares, and in closer ones around what may be a face."""
        frame_wh = image_bgr.shape[1], image_bgr.shape[0]
        found = [face for square in squares for face in self._look_at(square, image_bgr)]
        sure = [face for face in found if face.confidence >= _SURE_IN_SQUARE]
        candidates = without_repeats(known + found)
        weak = [face.box_xyxy for face in _unseen(candidates, known + sure)]
        is_crowd = len(without_repeats(known + sure)) >= _MANY
        min_confidence = _SURE_IN_SQUARE if is_crowd else _SURE_CLOSER
        for square in around(weak, frame_wh, _MAX_WEAK_LOOKS):
            closer = self._look_at(square, image_bgr)
            sure += [face for face in closer if face.confidence >= min_confidence]
        return sure

    def _missed(self, faces: list[FaceDetection], time_s: float) -> list[_Place]:
        """Where faces were a moment ago and none surely is now, the longest unseen first."""
        self._places = [
            place for place in self._places if 0 <= time_s - place.seen_at_s <= _LOOKED_FOR_S
        ]
        return _unseen(self._places, [face for face in faces if face.confidence >= _SURE])

    def _look_for(
        self, missed: list[_Place], faces: list[FaceDetection], image_bgr: UInt8Array
    ) -> list[FaceDetection]:
        """`faces`, and those found in squares around the places where others were."""
        boxes = [place.box_xyxy for place in missed]
        frame_wh = image_bgr.shape[1], image_bgr.shape[0]
        for square in around(boxes, frame_wh, _MAX_MISSED_LOOKS):
            closer = self._look_at(square, image_bgr)
            elsewhere = _unseen(closer, missed)
            faces = faces + [
                face
                for face in closer
                if face.confidence >= (_SURE_IN_SQUARE if face in elsewhere else _MIN_CONFIDENCE)
            ]
        return without_repeats(faces)

    def _remember(self, faces: list[FaceDetection], time_s: float) -> None:
        """Sure faces, and others where a sure one was: what is weak is not looked for again."""
        new = _unseen(faces, self._places)
        known = [face for face in faces if face.confidence >= _SURE or face not in new]
        self._places = _unseen(self._places, known)
        self._places += [_Place(face.box_xyxy, time_s) for face in known]

    def _look(self, range_: _Range, image_bgr: UInt8Array) -> list[FaceDetection]:
        return self._networks[range_].detect(image_bgr)

    def _look_at(self, square: Square, image_bgr: UInt8Array) -> list[FaceDetection]:
        bottom, right = square.top + square.side, square.left + square.side
        part = image_bgr[square.top : bottom, square.left : right]
        return [moved(face, square) for face in self._networks["closer"].detect(part)]


def _width(face: FaceDetection) -> float:
    return float(face.box_xyxy[2] - face.box_xyxy[0])


def _unseen(
    these: Sequence[_HasBox], among: Sequence[FaceDetection] | Sequence[_Place]
) -> list[_HasBox]:
    """Those that have none of the others within a width of the smaller of both."""
    if not these or not among:
        return list(these)
    boxes = np.stack([one.box_xyxy for one in these])
    others = np.stack([other.box_xyxy for other in among])
    away_xy = (boxes[:, None, :2] + boxes[:, None, 2:] - others[:, :2] - others[:, 2:]) / 2
    widths = np.minimum((boxes[:, 2] - boxes[:, 0])[:, None], others[:, 2] - others[:, 0])
    is_seen = (np.hypot(away_xy[..., 0], away_xy[..., 1]) < widths).any(axis=1)
    return [one for one, seen in zip(these, is_seen.tolist(), strict=True) if not seen]


class _Network:
    """One of MediaPipe's face detectors, and its faces as ours."""

    def __init__(self, range_: _Range, min_confidence: float) -> None:
        self._task = FaceDetectorTask(_MODEL_FILES[range_], min_confidence)

    def detect(self, image_bgr: UInt8Array) -> list[FaceDetection]:
        """The faces of an (H, W, 3) uint8 image, most confident first."""
        height, width = image_bgr.shape[:2]
        frame_wh = np.array([width, height], dtype=np.float32)
        shrink = math.isqrt(height * width // _MAX_LOOKED_AT) + 1
        if shrink > 1:
            # The network shrinks it much further, and keeps copies of what it is given.
            size_wh = (-(-width // shrink), -(-height // shrink))
            image_bgr = np.asarray(cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA))
        scale_xy = np.divide(frame_wh, image_bgr.shape[1::-1], dtype=np.float32)
        found = self._task.detect(image_bgr).detections
        faces = [_to_detection(face, frame_wh, scale_xy) for face in found]
        faces = [face for face in faces if np.all(face.box_xyxy[2:] > face.box_xyxy[:2])]
        return sorted(faces, key=lambda face: -face.confidence)

    def close(self) -> None:
        """Free the network."""
        self._task.close()


def _to_detection(face: "Detection", frame_wh: FloatArray, scale_xy: FloatArray) -> FaceDetection:
    box = face.bounding_box
    corners = np.array(
        [[box.origin_x, box.origin_y], [box.origin_x + box.width, box.origin_y + box.height]],
        dtype=np.float32,
    )
    keypoints = np.array([[point.x, point.y] for point in face.keypoints], dtype=np.float32)
    confidence = float(face.categories[0].score)
    return FaceDetection(
        np.clip(corners * scale_xy, 0, frame_wh).reshape(4), keypoints * frame_wh, confidence
    )
