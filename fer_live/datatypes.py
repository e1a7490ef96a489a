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
MarkerKind = Literal["moment", "begin", "end"]

BLENDSHAPES = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight"),
    *("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft"),
    *("eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight"),
    *("eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft"),
    *("mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper"),
    *("mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight"),
    *("mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    *("noseSneerLeft", "noseSneerRight"),
)
"""The names of ARKit's blendshapes but `tongueOut`, in the order of MediaPipe's network. Left and
right are the person's own."""

ACTION_UNITS: dict[str, tuple[str, ...]] = {
    "01": ("browInnerUp",),
    "02": ("browOuterUpLeft", "browOuterUpRight"),
    "04": ("browDownLeft", "browDownRight"),
    "05": ("eyeWideLeft", "eyeWideRight"),
    "06": ("cheekSquintLeft", "cheekSquintRight"),
    "07": ("eyeSquintLeft", "eyeSquintRight"),
    "09": ("noseSneerLeft", "noseSneerRight"),
    "10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "12": ("mouthSmileLeft", "mouthSmileRight"),
    "14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "15": ("mouthFrownLeft", "mouthFrownRight"),
    "16": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "17": ("mouthShrugLower",),
    "18": ("mouthPucker",),
    "20": ("mouthStretchLeft", "mouthStretchRight"),
    "22": ("mouthFunnel",),
    "24": ("mouthPressLeft", "mouthPressRight"),
    "26": ("jawOpen",),
    "28": ("mouthRollLower", "mouthRollUpper"),
    "43": ("eyeBlinkLeft", "eyeBlinkRight"),
}
"""An action unit's number in FACS -> the blendshapes whose mean stands for it (docs/signals.md)."""
_ACTION_UNIT_NUMBERS = [
    [BLENDSHAPES.index(name) for name in names] for names in ACTION_UNITS.values()
]


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


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened, as a person or another program tells it while it does.

    Args:
        text: What happened, one line of at most 200 characters; of an interval its name.
        time_s: When, in seconds on the clock of the frames (`Frame.captured_at_s`).
        utc: The same moment on the wall clock; None where nobody knows it.
        kind: A moment, or the begin or the end of an interval.
        origin: Who told it: "key", "osc", "lsl", "websocket", or "app" for the app itself.
    """

    text: str
    time_s: float
    utc: datetime | None = None
    kind: MarkerKind = "moment"
    origin: str = "app"


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
class FaceLandmarks:
    """A face as MediaPipe's Face Landmarker measures it.

    Args:
        points_xyz: (478, 3) float32: x and y in pixels of the unmirrored frame, z in pixels too,
            from the middle of the head and smaller towards the camera. The first 468 are the face
            mesh, 468 to 472 the iris at the image's left, 473 to 477 the one at its right.
        blendshapes: (51,) float32, 0 to 1, in the order of `BLENDSHAPES`.
        head_pose: (4, 4) float32, takes points of MediaPipe's canonical face (x to the image's
            right, y up, z towards the camera, centimetres) to the place of this head before a
            camera that sees the square around the face under 63 degrees.
    """

    points_xyz: FloatArray
    blendshapes: FloatArray
    head_pose: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FaceSignals:
    """What a face tells beside its expression. Left and right are the person's own.

    Angles are in degrees, positive to the person's own left, which is the right of an unmirrored
    image, and up.

    Args:
        landmarks: The points, blendshapes and MediaPipe's own pose, from which all else follows.
        head_deg: (3,) float32 yaw, pitch and roll; 0, 0, 0 is a head that faces the camera upright.
        gaze_in_head_deg: (2, 2) float32 yaw and pitch of the left and the right eye; 0, 0 is
            straight ahead from the head.
        gaze_deg: (2, 2) float32 the same before the camera; 0, 0 is into the camera.
        eyes_open: (2,) float32 the left and the right eye: height over width, 0 is closed, open
            eyes have 0.25 to 0.4.
        mouth_open: The gap between the lips over the mouth's width; 0 is closed.
        is_blink: Whether a blink ended in this frame: both lids open again.
        n_blinks: How many blinks there were since the face came.
        watched_s: For how long the eyes were watched for them.
        age_s: Since when it is known, seconds: 0 where the face was measured in this frame; else it
            is from a moment before, and the points were moved with the face.
    """

    landmarks: FaceLandmarks
    head_deg: FloatArray
    gaze_in_head_deg: FloatArray
    gaze_deg: FloatArray
    eyes_open: FloatArray
    mouth_open: float
    is_blink: bool
    n_blinks: int
    watched_s: float
    age_s: float = 0.0

    @property
    def yaw_deg(self) -> float:
        """How far the head is turned to its own left, degrees."""
        return float(self.head_deg[0])

    @property
    def pitch_deg(self) -> float:
        """How far the head is raised, degrees."""
        return float(self.head_deg[1])

    @property
    def mean_gaze_deg(self) -> FloatArray:
        """(2,) float32 yaw and pitch before the camera, the mean of both eyes."""
        return np.asarray(self.gaze_deg.mean(axis=0), np.float32)

    @property
    def blinks_per_minute(self) -> float:
        """Blinks a minute; 0 before anything was watched."""
        return 60 * self.n_blinks / self.watched_s if self.watched_s > 0 else 0.0

    @property
    def action_units(self) -> FloatArray:
        """(20,) float32, 0 to 1, in the order of `ACTION_UNITS`: means of blendshapes."""
        return np.array(
            [self.landmarks.blendshapes[numbers].mean() for numbers in _ACTION_UNIT_NUMBERS],
            np.float32,
        )


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
        signals: What else the face tells, if that was asked for and could be measured, else None.
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
    signals: FaceSignals | None = None

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
        timings_ms: Stage (detect, track, align, classify, quality, smooth, and signals where they
            are on) -> its wall time, milliseconds.
        provider: What the model ran on: cpu, cuda or tensorrt.
        detector: Which view of the detector looked at this frame.
    """

    frame: Frame
    faces: tuple[FaceResult, ...]
    timings_ms: dict[str, float]
    provider: str
    detector: str

    @property
    def has_signals(self) -> bool:
        """Whether the signals were on for this frame."""
        return "signals" in self.timings_ms
