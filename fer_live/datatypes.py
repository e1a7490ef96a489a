"""What travels between the stages. Every stored coordinate is a pixel of the unmirrored frame."""

from dataclasses import dataclass
from datetime import datetime
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

    Args:
        image_bgr: The picture, (H, W, 3) uint8, blue first, H and W above 0. It is not copied.
        index: Its number within its source, from 0.
        captured_at_s: When it was taken, in seconds on the source's own clock, which must not go
            back between two frames of one source. It is the only clock the pipeline knows.
        captured_at_utc: The same moment on the wall clock, with its time zone, to lay data beside
            another log; None where nobody knows it. Nothing is computed from it, because a wall
            clock can be set.

    Raises:
        ValueError: `image_bgr` has another shape or type; the message tells which.
    """

    image_bgr: UInt8Array
    index: int
    captured_at_s: float
    captured_at_utc: datetime | None = None

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

    Args:
        box_xyxy: Left, top, right and bottom, (4,) float32 pixels, clipped to the frame.
        keypoints_xy: (6, 2) float32 pixels, not clipped: the eye at the image's left, the eye at
            its right, nose tip, mouth centre, the two ears.
        confidence: How sure the detector is, 0 to 1.
    """

    box_xyxy: FloatArray
    keypoints_xy: FloatArray
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """A detection with the number that its face keeps from frame to frame, counted from 1."""

    track_id: int
    detection: FaceDetection


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Where in a face the model looked: a class activation map, laid over the frame.

    Args:
        weights: (h, w) float32, 0 to 1, over the crop that the model read; 1 is where most of what
            spoke for the label was.
        crop_to_frame: (2, 3) float32, takes a point of the crop, in fractions of its side, to
            pixels of the unmirrored frame.
    """

    weights: FloatArray
    crop_to_frame: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FaceResult:
    """One face of one frame, with what was read in it.

    Args:
        track_id: The number that the face keeps from frame to frame, from 1.
        box_xyxy: Left, top, right and bottom, (4,) float32 pixels of the unmirrored frame.
        keypoints_xy: (6, 2) float32 pixels, as in `FaceDetection`.
        detection_confidence: How sure the detector is that this is a face, 0 to 1.
        probs: The model's raw probabilities, (C,) float32 in the order of `Pipeline.labels`; they
            sum to 1.
        label: The likeliest label, the argmax of `probs`.
        confidence: The probability of `label`, 0 to 1.
        smoothed_probs: `probs` smoothed in time, (C,) float32.
        shown_label: The label that a window shows: smoothed, with hold and margin; empty where the
            face reads as unsure.
        shown_confidence: The smoothed probability of `shown_label`, 0 to 1: the number that stands
            beside it wherever it is shown. None where the face reads as unsure, and where it is not
            known.
        quality: How well this face can be read, 0 to 1, by its size, turn, light, blur, cover and
            place in the frame; below 0.5 it has a `quality_reason`.
        quality_reason: What stands in the way most: "small", "turned", "dark", "bright", "blurred",
            "covered" or "cut"; empty where the picture is good.
        heat_map: Where the model looked, if that was asked for and the model tells it, else None.
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
    shown_confidence: float | None = None
    quality: float = 1.0
    quality_reason: str = ""
    heat_map: HeatMap | None = None

    @property
    def area(self) -> float:
        """The area of the face's box, in square pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return float((x2 - x1) * (y2 - y1))


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Everything that was read from one frame, with the frame itself.

    Args:
        frame: The frame as it was given; a result is painted on its own picture.
        faces: Its faces, most confident detection first; empty where none was found.
        timings_ms: Stage (detect, track, align, classify, quality, smooth) -> its wall time,
            milliseconds.
        provider: What the model ran on: cpu, cuda or tensorrt.
        detector: Which view of the detector looked at this frame.
    """

    frame: Frame
    faces: tuple[FaceResult, ...]
    timings_ms: dict[str, float]
    provider: str
    detector: str
