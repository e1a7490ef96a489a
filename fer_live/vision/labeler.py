"""The last steps of the path: from a face's probabilities to the label that is shown."""

import cv2
import numpy as np

from fer_live.datatypes import (
    FaceResult,
    FaceSignals,
    FloatArray,
    HeatMap,
    TrackedFace,
    UInt8Array,
)
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import face_transform
from fer_live.vision.quality import FaceQuality, QualityJudge
from fer_live.vision.smoothing import UNSURE, ExpressionSmoother
from fer_live.vision.speaking import SpeechMeter


class FaceLabeler:
    """Smooths what is read of each face, judges how well it can be read, and names its label.

    It remembers faces from frame to frame by their track. Use it from one thread at a time, with
    the frames of one source in their order; `reset` before another scene.

    Args:
        labels: The C expressions, in the order of all probabilities.
        geometry: Where eyes and mouth lie in a crop.
    """

    def __init__(self, labels: tuple[str, ...], geometry: CropGeometry) -> None:
        self.smoother = ExpressionSmoother(labels)
        self.judge = QualityJudge()
        self._speech = SpeechMeter()
        self._labels, self._geometry = labels, geometry

    def qualities(
        self,
        tracked: list[TrackedFace],
        crops: UInt8Array,
        signals: list[FaceSignals | None],
        frame_wh: tuple[int, int],
        now_s: float,
    ) -> list[FaceQuality]:
        """How well each of N faces can be read; `crops` are (N, S, S) gray, `frame_wh` pixels."""
        return self.judge.judge(tracked, crops, self._geometry, frame_wh, now_s, signals)

    def label(
        self,
        tracked: list[TrackedFace],
        crops: UInt8Array,
        probs: FloatArray,
        heat_maps: FloatArray | None,
        signals: list[FaceSignals | None],
        qualities: list[FaceQuality],
        now_s: float,
    ) -> tuple[FaceResult, ...]:
        """Name the labels of the N faces of one frame.

        Args:
            tracked: Where they are, and their numbers.
            crops: What was read, (N, S, S) uint8 gray.
            probs: What the network answered, (N, C) float32.
            heat_maps: Where it looked, (N, h, w), 0..1; None where nobody asked.
            signals: What else was measured of each.
            qualities: How well each can be read.
            now_s: The frame's own clock, which does not go back before `reset`.
        """
        faces = tuple(
            self._result(
                face,
                probs[i],
                None if heat_maps is None else heat_maps[i],
                signals[i],
                qualities[i],
                self._speech.update(face.track_id, crops[i], now_s),
                now_s,
            )
            for i, face in enumerate(tracked)
        )
        self.smoother.forget_unseen(now_s)
        self._speech.forget_unseen(now_s)
        return faces

    def reset(self) -> None:
        """Forget all faces: the next frame is of another source, or of another scene."""
        self.judge.reset()
        self._speech.reset()
        self.smoother.reset()

    def _result(
        self,
        face: TrackedFace,
        probs: FloatArray,
        heat_map: FloatArray | None,
        signals: FaceSignals | None,
        quality: FaceQuality,
        speaks: float,
        now_s: float,
    ) -> FaceResult:
        smoothed_probs, shown_label = self.smoother.update(
            face.track_id, probs, now_s, can_be_read=quality.can_be_read, speaks=speaks
        )
        best = int(probs.argmax())
        return FaceResult(
            track_id=face.track_id,
            box_xyxy=face.detection.box_xyxy,
            keypoints_xy=face.detection.keypoints_xy,
            detection_confidence=face.detection.confidence,
            probs=probs,
            label=self._labels[best],
            confidence=float(probs[best]),
            smoothed_probs=smoothed_probs,
            shown_label=shown_label,
            shown_confidence=self._confidence(smoothed_probs, shown_label),
            quality=quality.value,
            quality_reason=quality.reason,
            heat_map=None if heat_map is None else self._place(heat_map, face),
            signals=signals,
        )

    def _confidence(self, smoothed_probs: FloatArray, shown_label: str) -> float | None:
        known = shown_label != UNSURE
        return float(smoothed_probs[self._labels.index(shown_label)]) if known else None

    def _place(self, heat_map: FloatArray, face: TrackedFace) -> HeatMap:
        to_crop = face_transform(face.detection.keypoints_xy, 1, self._geometry)
        return HeatMap(heat_map, np.asarray(cv2.invertAffineTransform(to_crop), np.float32))
