"""Results as a pipeline gives them, without a pipeline."""

from dataclasses import replace

import numpy as np

from fer_live.datatypes import FaceLandmarks, FaceResult, FaceSignals, Frame, FrameResult

LABELS = ("neutral", "happiness")


def result(index: int, time_s: float, *, happy: float = 0.3, n_faces: int = 1) -> FrameResult:
    probs = np.array([1 - happy, happy], np.float32)
    label = LABELS[int(happy > 0.5)]
    faces = tuple(
        FaceResult(
            track_id=k + 1,
            box_xyxy=np.array([10, 10, 40, 40], np.float32),
            keypoints_xy=np.zeros((6, 2), np.float32),
            detection_confidence=0.9,
            probs=probs,
            label=label,
            confidence=float(probs.max()),
            smoothed_probs=probs,
            shown_label=label,
            shown_confidence=float(probs.max()),
            quality=0.9,
        )
        for k in range(n_faces)
    )
    image = np.full((96, 128, 3), 100, np.uint8)
    return FrameResult(Frame(image, index, time_s), faces, {}, "cpu", "short")


def face_signals(**changes: object) -> FaceSignals:
    """Signals whose blendshapes are 0.00, 0.01, ..., of a head turned 20 left, 10 up, 5 left."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.linspace(12, 38, 478)
    points[:, 1] = np.linspace(38, 12, 478)
    landmarks = FaceLandmarks(
        points, np.arange(51, dtype=np.float32) / 100, np.eye(4, dtype=np.float32)
    )
    fields: dict[str, object] = {
        "landmarks": landmarks,
        "head_deg": np.array([20, 10, 5], np.float32),
        "gaze_in_head_deg": np.array([[-20, -10], [-16, -12]], np.float32),
        "gaze_deg": np.array([[1, 2], [3, 4]], np.float32),
        "eyes_open": np.array([0.3, 0.25], np.float32),
        "mouth_open": 0.125,
        "is_blink": True,
        "n_blinks": 3,
        "watched_s": 12.0,
    }
    return FaceSignals(**fields | changes)  # type: ignore[arg-type]


def with_signals(plain: FrameResult, signals: FaceSignals | None) -> FrameResult:
    """The same result of a pipeline whose signals are on; every face tells `signals`."""
    faces = tuple(replace(face, signals=signals) for face in plain.faces)
    return replace(plain, faces=faces, timings_ms={**plain.timings_ms, "signals": 8.0})
