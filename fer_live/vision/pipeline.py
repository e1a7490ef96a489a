"""The straight line from a frame to what is read in it: no Qt, no thread, no clock of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fer_live.datatypes import (
    DetectorMode,
    FaceDetection,
    FaceResult,
    FaceSignals,
    FloatArray,
    Frame,
    FrameResult,
    HeatMap,
    Provider,
    TrackedFace,
    UInt8Array,
)
from fer_live.model.manifest import EVERYDAY
from fer_live.vision.alignment import align_face, face_transform
from fer_live.vision.answers import AnswerConfig, Readings
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.cuts import CutDetector
from fer_live.vision.detector import FaceDetector
from fer_live.vision.follower import FaceFollower
from fer_live.vision.quality import FaceQuality, QualityJudge
from fer_live.vision.smoothing import UNSURE, ExpressionSmoother, SmoothingConfig
from fer_live.vision.speaking import SpeechMeter
from fer_live.vision.tracker import FaceTracker

if TYPE_CHECKING:
    from fer_live.vision.signals.stage import SignalStage

_MAX_DISORDER_S = 1.0
"""Times that go back by less are frames out of order."""


class Pipeline:
    """Reads the faces of a frame: finds and numbers them, cuts them out, reads and smooths.

    The window, `fer-live analyze` and the benchmarks all call this one. Use it as a context
    manager, or call `close`. Two threads must not call it at once; `smoothing`, `with_heat_map`,
    `with_signals` and `signals_budget` may be set from another thread, and hold from the next frame
    on. Its only sense of time is
    `Frame.captured_at_s`. A hard cut within a source ends all tracks: the faces after it get new
    numbers.

    Args:
        detector: Finds the faces.
        classifier: Reads the expressions of cut-out faces.
    """

    def __init__(self, detector: FaceDetector, classifier: ExpressionClassifier) -> None:
        self.detector = detector
        self.classifier = classifier
        self.with_heat_map = False
        """Whether to ask the model where it looked, which costs a copy a face."""
        self.with_signals = False
        """Whether to measure what else a face tells; its networks load with the first frame."""
        self.signals_budget: float | None = None
        """Seconds that the signals may take a second of the source's clock; None measures every
        face in every frame."""
        self._signals: SignalStage | None = None
        self._last_s: float | None = None
        self._cuts = CutDetector()
        self._follower = FaceFollower()
        self._tracker = FaceTracker()
        self._quality = QualityJudge()
        self._speech = SpeechMeter()
        self._smoother = ExpressionSmoother(classifier.labels)

    @classmethod
    def load(
        cls,
        model: Path | str | None = None,
        provider: Provider = "auto",
        detector: DetectorMode = "auto",
        *,
        readings: Readings = 2,
        prior: str = EVERYDAY,
        signals: bool = False,
    ) -> "Pipeline":
        """Build a pipeline from a model and a detector by name. Takes a second or two.

        Args:
            model: An .onnx file, or a folder that holds int8 for the CPU and fp32 for a GPU; None
                takes the model that ships with the app.
            provider: What the model runs on: auto, cpu, cuda or tensorrt. Where it does not load,
                the CPU is used, and `classifier.warning` says why.
            detector: auto, short (faces up to about two metres away) or full (small ones too).
            readings: 2 reads each face and its mirror image, and answers with the mean of the
                probabilities; 1 reads the face alone, in half the time.
            prior: everyday (faces are mostly neutral, as in the training data), or another that the
                model has, such as expressive (every expression is equally likely).
            signals: Whether to measure head pose, gaze, blinks, openings and blendshapes too.

        Returns:
            The pipeline, ready for its first frame.

        Raises:
            ModelError: The model cannot be read, has no manifest or no such prior, or contradicts
                its manifest.
        """
        # The model first: a file that cannot be used is found before the detector's seconds.
        path = None if model is None else Path(model)
        classifier = ExpressionClassifier(path, provider, AnswerConfig(readings, prior))
        pipeline = cls(FaceDetector(detector), classifier)
        pipeline.with_signals = signals
        return pipeline

    @property
    def labels(self) -> tuple[str, ...]:
        """The C expressions that the model knows, in the order of every `probs`."""
        return self.classifier.labels

    @property
    def own_labels(self) -> tuple[str, ...]:
        """The last of `labels`: expressions of the person's own, which most models have none of."""
        return self.classifier.manifest.own_labels

    @property
    def answers(self) -> AnswerConfig:
        """How often a face is read, and by which prior; setting it holds from the next frame on.

        `ModelError` for a prior that the model has not.
        """
        return self.classifier.answers

    @answers.setter
    def answers(self, answers: AnswerConfig) -> None:
        self.classifier.answers = answers

    @property
    def smoothing(self) -> SmoothingConfig:
        """How calm the shown labels are; setting it holds from the next frame on."""
        return self._smoother.config

    @smoothing.setter
    def smoothing(self, config: SmoothingConfig) -> None:
        self._smoother.config = config

    def process(self, frame: Frame) -> FrameResult:
        """Read one frame.

        Args:
            frame: The next frame of its source. Frames of one source come in the order of their
                `captured_at_s`: one that goes back by more than a second begins another scene. Call
                `reset` before the first one of another source.

        Returns:
            The frame with its faces, most confident detection first, and the time of each stage in
            milliseconds (detect, track, align, classify, quality, smooth, and signals where they
            are on).
        """
        timings_ms: dict[str, float] = {}
        now_s = self._at(frame)
        with _timed(timings_ms, "detect"):
            detections = self._find(frame.image_bgr, now_s)
        with _timed(timings_ms, "track"):
            tracked = self._tracker.update(detections, now_s)
        with _timed(timings_ms, "align"):
            crops = self._align(frame, tracked)
        with _timed(timings_ms, "classify"):
            probs, maps = self._classify(crops)
        signals = self._measure(frame, tracked, now_s, timings_ms)
        with _timed(timings_ms, "quality"):
            qualities = self._judge(frame, tracked, crops, signals, now_s)
        with _timed(timings_ms, "smooth"):
            faces = tuple(
                self._read(
                    face,
                    probs[i],
                    None if maps is None else maps[i],
                    signals[i],
                    qualities[i],
                    self._speech.update(face.track_id, crops[i], now_s),
                    now_s,
                )
                for i, face in enumerate(tracked)
            )
            self._smoother.forget_unseen(now_s)
            self._speech.forget_unseen(now_s)
        return FrameResult(frame, faces, timings_ms, self.classifier.provider, self.detector.name)

    def reset(self) -> None:
        """Forget faces and time: the next frame is of another source."""
        self._last_s = None
        self.detector.reset()
        self._cuts.reset()
        self._follower.reset()
        self._tracker.reset()
        self._quality.reset()
        self._speech.reset()
        self._smoother.reset()
        if self._signals is not None:
            self._signals.reset()

    def close(self) -> None:
        """Free MediaPipe's networks; the pipeline cannot be used afterwards."""
        self.detector.close()
        if self._signals is not None:
            self._signals.close()

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _at(self, frame: Frame) -> float:
        """The frame's time on a clock that never goes back within a scene.

        A recording that was joined, or whose clock was set, goes back by more than the order of two
        frames explains: its next part is another scene.
        """
        now_s = frame.captured_at_s
        if self._last_s is not None and now_s < self._last_s:
            if now_s < self._last_s - _MAX_DISORDER_S:
                self._cuts.reset()
                self._begin_scene()
            else:
                now_s = self._last_s
        self._last_s = now_s
        return now_s

    def _find(self, image_bgr: UInt8Array, now_s: float) -> list[FaceDetection]:
        followed = self._follower.follow(image_bgr, now_s)
        if followed is not None:
            return followed  # pixel by pixel the same faces, so there was no cut
        change = self._cuts.look(image_bgr, now_s)
        if change == "blinded":
            return []
        if change == "cut":
            self._begin_scene()
        detections = self.detector.detect(image_bgr, now_s)
        self._follower.begin(image_bgr, detections, now_s)
        return detections

    def _begin_scene(self) -> None:
        """Nobody after a cut is who was there before it, wherever he stands."""
        self.detector.reset()
        self._follower.reset()
        self._tracker.end_all()
        self._quality.reset()
        self._speech.reset()
        self._smoother.reset()
        if self._signals is not None:
            self._signals.reset()

    def _align(self, frame: Frame, tracked: list[TrackedFace]) -> UInt8Array:
        side, crop = self.classifier.side, self.classifier.manifest.crop
        crops = np.empty((len(tracked), side, side), np.uint8)
        for index, face in enumerate(tracked):
            crops[index] = align_face(frame.image_bgr, face.detection, side, crop)
        return crops

    def _classify(self, crops: UInt8Array) -> tuple[FloatArray, FloatArray | None]:
        if self.with_heat_map:
            return self.classifier.classify_with_heat_maps(crops)
        return self.classifier.classify(crops), None

    def _measure(
        self,
        frame: Frame,
        tracked: list[TrackedFace],
        now_s: float,
        timings_ms: dict[str, float],
    ) -> list[FaceSignals | None]:
        if not self.with_signals:
            if self._signals is not None:
                self._signals.close()
                self._signals = None
            return [None] * len(tracked)
        with _timed(timings_ms, "signals"):
            if self._signals is None:
                from fer_live.vision.signals.stage import (
                    SignalStage,
                )  # whoever wants none pays none

                self._signals = SignalStage()
            self._signals.budget = self.signals_budget
            return self._signals.measure(frame.image_bgr, tracked, now_s)

    def _judge(
        self,
        frame: Frame,
        tracked: list[TrackedFace],
        crops: UInt8Array,
        signals: list[FaceSignals | None],
        now_s: float,
    ) -> list[FaceQuality]:
        height, width = frame.image_bgr.shape[:2]
        geometry = self.classifier.manifest.crop
        return self._quality.judge(tracked, crops, geometry, (width, height), now_s, signals)

    def _read(
        self,
        face: TrackedFace,
        probs: FloatArray,
        heat_map: FloatArray | None,
        signals: FaceSignals | None,
        quality: FaceQuality,
        speaks: float,
        now_s: float,
    ) -> FaceResult:
        smoothed_probs, shown_label = self._smoother.update(
            face.track_id, probs, now_s, can_be_read=quality.can_be_read, speaks=speaks
        )
        best = int(probs.argmax())
        return FaceResult(
            track_id=face.track_id,
            box_xyxy=face.detection.box_xyxy,
            keypoints_xy=face.detection.keypoints_xy,
            detection_confidence=face.detection.confidence,
            probs=probs,
            label=self.labels[best],
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
        return float(smoothed_probs[self.labels.index(shown_label)]) if known else None

    def _place(self, heat_map: FloatArray, face: TrackedFace) -> HeatMap:
        crop = self.classifier.manifest.crop
        to_crop = face_transform(face.detection.keypoints_xy, 1, crop)
        return HeatMap(heat_map, np.asarray(cv2.invertAffineTransform(to_crop), np.float32))


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings_ms[stage] = (time.perf_counter() - start) * 1000
