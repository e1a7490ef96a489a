"""Measures one face: 478 points, 51 blendshapes and the pose of the head."""

from types import TracebackType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fer_live.datatypes import BLENDSHAPES, FaceLandmarks, FloatArray, UInt8Array
from fer_live.vision.mediapipe_tasks import FaceLandmarkerTask

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision import FaceLandmarkerResult

_MODEL_FILE = "face_landmarker.task"
_MIN_DETECTION_CONFIDENCE = 0.2
"""A face is known to be there; of 400 tight crops of 48 pixels as many are found with 0.1."""
_MIN_PRESENCE_CONFIDENCE = 0.5
_BOX_SCALE, _CROP_SCALE = 2.0, 1.5
"""Side of the square that is looked at, in sides of the detector's box and of a tight crop."""
_REDUCED_FROM = 1.5
_MIN_SIDE_PX, _MAX_SIDE_PX = 256, 384
"""Smaller faces are enlarged and larger ones reduced. The network looks at 256 pixels across three
quarters of this square."""


class FaceLandmarker:
    """MediaPipe's Face Landmarker on one face at a time, on the caller's thread.

    It looks at a square around the face and not at the frame, so that it costs the same in any
    frame, measures as many faces as one asks for, and never takes one for another. It has no
    memory: equal pixels give equal points. Beyond the frame's edges the square is black; with the
    edge repeated instead, 3 % more of the tight crops of FER2013 were not found.

    Use it as a context manager, or call `close`.
    """

    def __init__(self) -> None:
        self._task = FaceLandmarkerTask(
            _MODEL_FILE, _MIN_DETECTION_CONFIDENCE, _MIN_PRESENCE_CONFIDENCE
        )

    def measure(
        self, image: UInt8Array, box_xyxy: FloatArray | None = None
    ) -> FaceLandmarks | None:
        """Measure one face.

        Args:
            image: The frame, (H, W, 3) uint8 BGR, or (H, W) uint8 gray.
            box_xyxy: The face's box in pixels of the frame, (4,), as the detector reports it; None
                where `image` is a face cut out tightly, of any size.

        Returns:
            What was measured, in pixels of `image`; None where no face was found there.
        """
        to_frame, side = _square(image.shape[1], image.shape[0], box_xyxy)
        result = self._task.detect(_cut_out_rgb(image, to_frame, side))
        return _landmarks(result, to_frame, side) if result.face_landmarks else None

    def close(self) -> None:
        """Free the networks; the landmarker cannot be used afterwards."""
        self._task.close()

    def __enter__(self) -> "FaceLandmarker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _square(width: int, height: int, box_xyxy: FloatArray | None) -> tuple[FloatArray, int]:
    """The square to look at: (2, 3) from its pixels to the frame's, and its side in its pixels."""
    if box_xyxy is None:
        x1, y1, x2, y2, scale = 0.0, 0.0, float(width), float(height), _CROP_SCALE
    else:
        (x1, y1, x2, y2), scale = (float(value) for value in box_xyxy), _BOX_SCALE
    side_in_frame = max(scale * max(x2 - x1, y2 - y1), 1.0)
    side = round(min(max(side_in_frame, _MIN_SIDE_PX), _MAX_SIDE_PX))
    step = side_in_frame / side
    # A pixel's middle is a half: the middle of the square is that of the box.
    left = (x1 + x2 - side_in_frame + step - 1) / 2
    top = (y1 + y2 - side_in_frame + step - 1) / 2
    return np.array([[step, 0, left], [0, step, top]], np.float32), side


def _cut_out_rgb(image: UInt8Array, to_frame: FloatArray, side: int) -> UInt8Array:
    # warpAffine skips pixels where it reduces, so large faces are made smaller before.
    if to_frame[0, 0] > _REDUCED_FROM:
        image, to_frame = _reduced(image, to_frame, side)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(image, to_frame, (side, side), flags=flags)
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(cut, code), np.uint8)


def _reduced(image: UInt8Array, to_frame: FloatArray, side: int) -> tuple[UInt8Array, FloatArray]:
    """The part of the frame that the square shows, as small as the square, and the way to it."""
    step = float(to_frame[0, 0])
    first = np.maximum(np.floor(to_frame[:, 2]).astype(int), 0)
    last = np.maximum(np.ceil(to_frame[:, 2] + step * side).astype(int) + 1, first + 1)
    part = image[first[1] : last[1], first[0] : last[0]]
    if part.size == 0:
        return np.zeros((1, 1, *image.shape[2:]), np.uint8), to_frame
    height, width = part.shape[:2]
    small_wh = max(round(width / step), 1), max(round(height / step), 1)
    small = cv2.resize(part, small_wh, interpolation=cv2.INTER_AREA)
    ratio = np.array([[small_wh[0] / width], [small_wh[1] / height]], np.float32)
    moved = to_frame.copy()
    moved[:, 2] -= first
    moved *= ratio
    moved[:, 2:] += (ratio - 1) / 2
    return np.asarray(small, np.uint8), moved


def _landmarks(result: "FaceLandmarkerResult", to_frame: FloatArray, side: int) -> FaceLandmarks:
    points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]], np.float32) * side
    # In fractions of the image the middle of the first pixel is half a pixel.
    points[:, :2] -= 0.5
    points *= to_frame[0, 0]
    points[:, :2] += to_frame[:, 2]
    scores = {shape.category_name: shape.score for shape in result.face_blendshapes[0]}
    return FaceLandmarks(
        points_xyz=points,
        blendshapes=np.array([scores[name] for name in BLENDSHAPES], np.float32),
        head_pose=np.asarray(result.facial_transformation_matrixes[0], np.float32),
    )
