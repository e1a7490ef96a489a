"""Results as a pipeline gives them, without a pipeline."""

import numpy as np

from fer_live.datatypes import FaceResult, Frame, FrameResult

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
