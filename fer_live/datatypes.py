"""What travels between the stages. Every stored coordinate is a pixel of the unmirrored frame."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

UInt8Array: TypeAlias = NDArray[np.uint8]
FloatArray: TypeAlias = NDArray[np.float32]

Provider = Literal["auto", "cpu", "cuda", "tensorrt"]
DetectorMode = Literal["auto", "short", "full"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a camera, clip, image or stream.

    `image_bgr` is (H, W, 3) uint8, `index` counts from 0 within its source, `captured_at_s` is
    seconds on the source's clock and is the only clock the pipeline knows.
    """

    image_bgr: UInt8Array
    index: int
    captured_at_s: float

    def __post_init__(self) -> None:
        image = self.image_bgr
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(
                "Frame.image_bgr: expected (H, W, 3) uint8 with H, W > 0, "
                f"got {image.shape} {image.dtype}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class FaceDetection:
    """A face as the detector reports it.

    `box_xyxy` is (4,) float32 pixels, clipped to the frame. `keypoints_xy` is (6, 2) float32
    pixels, not clipped: the eye at the image's left, the eye at its right, nose tip, mouth centre,
    the two ears. `confidence` is 0..1.
    """

    box_xyxy: FloatArray
    keypoints_xy: FloatArray
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """A detection with the number that its face keeps from frame to frame (from 1)."""

    track_id: int
    detection: FaceDetection


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Where in a face the model looked: `weights` (h, w) float32, 0..1, over the crop it read.

    `crop_to_frame` (2, 3) float32 takes a point of the crop, in fractions of its side, to pixels of
    the unmirrored frame.
    """

    weights: FloatArray
    crop_to_frame: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FaceResult:
    """One face of one frame, read.

    `probs` (C,) float32 are the model's raw probabilities and sum to 1; `label` is their argmax and
    `confidence` its value. `smoothed_probs` (C,) and `shown_label` are what a window shows:
    smoothed in time, with hold and margin; `shown_label` is empty for "unsure". `heat_map` is
    where the model looked, where that was asked for and the model tells it.
    """

    track_id: int
    box_xyxy: FloatArray
    keypoints_xy: FloatArray
    detection_confidence: float
    probs: FloatArray
    label: str
    confidence: float
    smoothed_probs: FloatArray
    shown_label: str
    heat_map: HeatMap | None = None

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return float((x2 - x1) * (y2 - y1))


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Everything read from one frame, with the frame itself: it is painted on its own picture.

    `timings_ms` maps a stage (detect, track, align, classify, smooth) to its wall time; `provider`
    and `detector` are what really read this frame.
    """

    frame: Frame
    faces: tuple[FaceResult, ...]
    timings_ms: dict[str, float]
    provider: str
    detector: str
