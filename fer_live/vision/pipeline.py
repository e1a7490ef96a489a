"""The straight line from a frame to what is read in it: no Qt, no thread, no clock of its own."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from fer_live.datatypes import (
    DetectorMode,
    FaceDetection,
    FaceSignals,
    FloatArray,
    Frame,
    FrameResult,
    Provider,
    TrackedFace,
    UInt8Array,
)
from fer_live.model.manifest import EVERYDAY
from fer_live.vision.alignment import align_face
from fer_live.vision.answers import AnswerConfig, Readings
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.cuts import CutDetector
from fer_live.vision.detector import FaceDetector
from fer_live.vision.follower import FaceFollower
from fer_live.vision.labeler import FaceLabeler
from fer_live.vision.smoothing import SmoothingConfig
from fer_live.vision.tracker import FaceTracker

if TYPE_CHECKING:
    from fer_live.vision.signals.stage import SignalStage

_MAX_DISORDER_S = 1.0
"""Times that go back by less are frames out of order."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame whose faces are found, numbered and cut out; crops are (N, S, S) uint8 gray."""

    frame: Frame
    now_s: float
    tracked: list[TrackedFace]
    crops: UInt8Array
    begins_scene: bool
    detector: str
    timings_ms: dict[str, float]


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
        self.beside: Executor | None = None
        """Where faces are measured while the frame's faces are still being found, so that it is
        ready sooner; None does one after the other. Only with a `signals_budget`."""
        self._signals: SignalStage | None = None
        self._last_s: float | None = None
        self._cuts = CutDetector()
        self._follower = FaceFollower()
        self._tracker = FaceTracker()
        self._labeler = FaceLabeler(classifier.labels, classifier.manifest.crop)

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
        return self._labeler.smoother.config

    @smoothing.setter
    def smoothing(self, config: SmoothingConfig) -> None:
        self._labeler.smoother.config = config

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
        (result,) = self.process_all([frame])
        return result

    def process_all(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """Read several frames at once, for who has no hurry: the network reads the faces of all of
        them in one go, which takes a fifth less time a face.

        Args:
            frames: The next frames of their source, as for `process`.

        Returns:
            To the bit what `process` returns of one after the other. The time of the network is
            shared out among the frames.
        """
        if len(frames) == 1:
            self._begin_signals(frames[0])
        seen = [self._see(frame) for frame in frames]
        if not seen:
            return []
        shared_ms: dict[str, float] = {}
        with _timed(shared_ms, "classify"):
            crops = seen[0].crops if len(seen) == 1 else np.concatenate([s.crops for s in seen])
            probs, maps = self._classify(crops)
        results = []
        begin = 0
        for one in seen:
            own = slice(begin, begin := begin + len(one.tracked))
            one.timings_ms["classify"] = shared_ms["classify"] / len(seen)
            results.append(self._label(one, probs[own], None if maps is None else maps[own]))
        return results

    def reset(self) -> None:
        """Forget faces and time: the next frame is of another source."""
        self._last_s = None
        self.detector.reset()
        self._cuts.reset()
        self._follower.reset()
        self._tracker.reset()
        self._labeler.reset()
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

    def _see(self, frame: Frame) -> _Seen:
        """Find and number the faces of a frame, and cut them out."""
        timings_ms: dict[str, float] = {}
        now_s, begins_scene = self._at(frame)
        with _timed(timings_ms, "detect"):
            detections, is_cut = self._find(frame.image_bgr, now_s)
        with _timed(timings_ms, "track"):
            tracked = self._tracker.update(detections, now_s)
        with _timed(timings_ms, "align"):
            crops = self._align(frame, tracked)
        detector = self.detector.name
        return _Seen(frame, now_s, tracked, crops, begins_scene or is_cut, detector, timings_ms)

    def _label(self, seen: _Seen, probs: FloatArray, maps: FloatArray | None) -> FrameResult:
        """What is read in a frame, from the network's answers on it."""
        frame, tracked, crops, now_s = seen.frame, seen.tracked, seen.crops, seen.now_s
        if seen.begins_scene:
            self._labeler.reset()
            if self._signals is not None:
                self._signals.reset()
        signals = self._measure(frame, tracked, now_s, seen.timings_ms)
        height, width = frame.image_bgr.shape[:2]
        with _timed(seen.timings_ms, "quality"):
            qualities = self._labeler.qualities(tracked, crops, signals, (width, height), now_s)
        with _timed(seen.timings_ms, "smooth"):
            faces = self._labeler.label(tracked, crops, probs, maps, signals, qualities, now_s)
        provider = self.classifier.provider
        return FrameResult(frame, faces, seen.timings_ms, provider, seen.detector)

    def _at(self, frame: Frame) -> tuple[float, bool]:
        """The frame's time on a clock that never goes back within a scene, and whether it begins
        another.

        A recording that was joined, or whose clock was set, goes back by more than the order of two
        frames explains: its next part is another scene.
        """
        now_s = frame.captured_at_s
        is_another = False
        if self._last_s is not None and now_s < self._last_s:
            is_another = now_s < self._last_s - _MAX_DISORDER_S
            if is_another:
                self._cuts.reset()
                self._begin_scene()
            else:
                now_s = self._last_s
        self._last_s = now_s
        return now_s, is_another

    def _find(self, image_bgr: UInt8Array, now_s: float) -> tuple[list[FaceDetection], bool]:
        """The faces of a frame, and whether it is the first one after a cut."""
        followed = self._follower.follow(image_bgr, now_s)
        if followed is not None:
            return followed, False  # pixel by pixel the same faces, so there was no cut
        change = self._cuts.look(image_bgr, now_s)
        if change == "blinded":
            return [], False
        if change == "cut":
            self._begin_scene()
        detections = self.detector.detect(image_bgr, now_s)
        self._follower.begin(image_bgr, detections, now_s)
        return detections, change == "cut"

    def _begin_scene(self) -> None:
        """Nobody after a cut is who was there before it, wherever he stands. What is read later,
        labels and signals, begins anew when its turn comes, with the same frame."""
        self.detector.reset()
        self._follower.reset()
        self._tracker.end_all()

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

    def _begin_signals(self, frame: Frame) -> None:
        if self.beside is not None and self.with_signals and self._signals is not None:
            self._signals.budget = self.signals_budget
            self._signals.begin(frame.image_bgr, frame.captured_at_s, self.beside)

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


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings_ms[stage] = (time.perf_counter() - start) * 1000
