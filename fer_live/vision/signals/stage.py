"""The signals as a stage of the pipeline: which face is measured in which frame."""

import time
from collections import deque
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from fer_live.datatypes import (
    FaceDetection,
    FaceLandmarks,
    FaceSignals,
    FloatArray,
    TrackedFace,
    UInt8Array,
)
from fer_live.vision.landmarker import FaceLandmarker
from fer_live.vision.signals.blinks import BlinkCounter
from fer_live.vision.signals.gaze import gaze
from fer_live.vision.signals.head_pose import head_pose
from fer_live.vision.signals.openings import eyes_open, mouth_open

_HELD_FOR_S = 0.5
_FORGOTTEN_AFTER_S = 10.0
_COSTS = 15
_FIRST_COST_S = 0.01
_ROUNDING = 1e-6


@dataclass(slots=True, eq=False)
class _Watched:
    """What is known of one track."""

    blinks: BlinkCounter = field(default_factory=BlinkCounter)
    seen_at_s: float = -np.inf
    looked_at_s: float = -np.inf
    turn: int = 0
    """When it was looked at last, counted in looks: of one frame's faces one was the first."""
    measured_at_s: float = -np.inf
    signals: FaceSignals | None = None
    detection: FaceDetection | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Measurement:
    """What was found in one look at a face, and how long that took."""

    landmarks: FaceLandmarks | None
    cost_s: float


class SignalStage:
    """Measures faces, on the caller's thread but for what `begin` begins.

    Without a budget, every face in every frame. With one, it spends that share of a second's time
    and no more, and of each frame's time too, but for one face: whose measurement is the oldest
    comes first, and between two measurements of a face
    the last one is held for half a second, its points moved with the face. The cost of a face is
    the median of the last ones, so that a slow or busy computer measures less often.

    `begin` looks on another thread while the faces of the frame are still being found: there where
    they were in the frame before. `measure` of that frame takes what was seen.

    Args:
        budget: Seconds of work a second of the source's clock, 0 to 1, for all faces together;
            None is no limit.
    """

    def __init__(self, budget: float | None = None) -> None:
        self.budget = budget
        self._landmarker = FaceLandmarker()
        self._watched: dict[int, _Watched] = {}
        self._n_looks = 0
        self._costs_s: deque[float] = deque([_FIRST_COST_S], _COSTS)
        self._credit_s = _FIRST_COST_S
        self._last_s: float | None = None
        self._last_faces: list[TrackedFace] = []
        self._begun: list[tuple[int, Future[_Measurement]]] = []

    def begin(self, image_bgr: UInt8Array, time_s: float, beside: Executor) -> None:
        """Start to measure faces of the frame at `time_s` on another thread; `measure` or `reset`
        comes next. Without a budget or a frame before it nothing is begun."""
        self._drop_begun()
        if self.budget is None:
            return
        for face in self._due(self._last_faces, time_s):
            box_xyxy = face.detection.box_xyxy
            self._begun.append((face.track_id, beside.submit(self._look, image_bgr, box_xyxy)))

    def measure(
        self, image_bgr: UInt8Array, faces: list[TrackedFace], time_s: float
    ) -> list[FaceSignals | None]:
        """What the faces of the frame at `time_s` tell, in their order.

        None for a face that nothing is known of lately.
        """
        for face in faces:
            self._watched.setdefault(face.track_id, _Watched()).seen_at_s = time_s
        if self._begun:
            self._take_begun(faces, time_s)
        else:
            for face in self._due(faces, time_s):
                self._keep(face, self._look(image_bgr, face.detection.box_xyxy), time_s)
        self._last_faces = list(faces)
        known = [self._known(face, time_s) for face in faces]
        self._watched = {
            number: watched
            for number, watched in self._watched.items()
            if time_s - watched.seen_at_s <= _FORGOTTEN_AFTER_S
        }
        return known

    def reset(self) -> None:
        """Forget all faces: the next frame is of another source, or of another scene."""
        self._drop_begun()
        self._watched.clear()
        self._last_faces = []
        self._last_s = None

    def close(self) -> None:
        """Free the networks; the stage cannot be used afterwards."""
        self._drop_begun()
        self._landmarker.close()

    def _due(self, faces: list[TrackedFace], time_s: float) -> list[TrackedFace]:
        """Those whose turn it is, the longest unseen first."""
        if self.budget is None:
            return faces
        cost_s = median(self._costs_s)
        passed_s = 0.0 if self._last_s is None else max(time_s - self._last_s, 0.0)
        self._last_s = time_s
        # What one frame does not spend, the next one may, but no more than a frame's faces.
        most_s = cost_s * max(len(faces), 1)
        self._credit_s = min(self._credit_s + self.budget * passed_s, most_s)
        # Half a measurement ahead: at 30 frames a second with a budget for 29, every frame but one.
        # No more than a frame's own share, or those with several faces would be shown late.
        share = max(int(self.budget * passed_s / cost_s + _ROUNDING), 1)
        n_due = min(int(self._credit_s / cost_s + 0.5), share)
        return sorted(faces, key=lambda face: self._watched[face.track_id].turn)[:n_due]

    def _look(self, image_bgr: UInt8Array, box_xyxy: FloatArray) -> _Measurement:
        began_s = time.perf_counter()
        landmarks = self._landmarker.measure(image_bgr, box_xyxy)
        return _Measurement(landmarks, time.perf_counter() - began_s)

    def _take_begun(self, faces: list[TrackedFace], time_s: float) -> None:
        """What was begun where a face was; of one that is not there any more it is nothing."""
        begun, self._begun = self._begun, []
        by_number = {face.track_id: face for face in faces}
        for number, future in begun:
            look = future.result()
            face = by_number.get(number)
            if face is not None and _is_of(look.landmarks, face.detection):
                self._keep(face, look, time_s)
            else:
                self._pay(look)

    def _drop_begun(self) -> None:
        begun, self._begun = self._begun, []
        for _, future in begun:
            with suppress(Exception):  # of a frame that is given up anyway
                future.result()

    def _keep(self, face: TrackedFace, look: _Measurement, time_s: float) -> None:
        person = self._watched[face.track_id]
        self._n_looks += 1
        person.looked_at_s, person.turn = time_s, self._n_looks
        person.signals = None
        if look.landmarks is not None:
            person.signals = _signals(look.landmarks, person.blinks, time_s)
            person.detection, person.measured_at_s = face.detection, time_s
        self._pay(look)

    def _pay(self, look: _Measurement) -> None:
        self._costs_s.append(look.cost_s)
        self._credit_s -= median(self._costs_s)

    def _known(self, face: TrackedFace, time_s: float) -> FaceSignals | None:
        person = self._watched[face.track_id]
        age_s = time_s - person.measured_at_s
        if person.signals is None or person.detection is None or age_s > _HELD_FOR_S:
            return None
        if person.looked_at_s == time_s:
            return person.signals
        landmarks = _moved(person.signals.landmarks, person.detection, face.detection)
        return replace(person.signals, landmarks=landmarks, is_blink=False, age_s=age_s)


def _signals(landmarks: FaceLandmarks, blinks: BlinkCounter, time_s: float) -> FaceSignals:
    pose = head_pose(landmarks.points_xyz)
    looks = gaze(landmarks, pose)
    opened = eyes_open(landmarks.points_xyz, pose)
    is_blink = blinks.update(opened, time_s)
    return FaceSignals(
        landmarks=landmarks,
        head_deg=pose.degrees,
        gaze_in_head_deg=looks.in_head_deg,
        gaze_deg=looks.to_camera_deg,
        eyes_open=opened,
        mouth_open=mouth_open(landmarks.points_xyz, pose),
        is_blink=is_blink,
        n_blinks=blinks.n_blinks,
        watched_s=blinks.watched_s,
    )


def _is_of(landmarks: FaceLandmarks | None, face: FaceDetection) -> bool:
    """Whether this was seen of the face, and not of one beside the place where it was."""
    if landmarks is None:
        return True
    x, y = landmarks.points_xyz[:, :2].mean(axis=0)
    x1, y1, x2, y2 = face.box_xyxy
    return bool(x1 <= x <= x2 and y1 <= y <= y2)


def _moved(landmarks: FaceLandmarks, before: FaceDetection, now: FaceDetection) -> FaceLandmarks:
    """The points where they are if the face moved and grew as its box did."""
    (x1, y1, x2, y2), (left, top, right, bottom) = before.box_xyxy, now.box_xyxy
    scale = (right - left) / max(x2 - x1, 1e-6)
    middle_before = np.array([(x1 + x2) / 2, (y1 + y2) / 2, 0])
    middle_now = np.array([(left + right) / 2, (top + bottom) / 2, 0])
    points = (landmarks.points_xyz - middle_before) * scale + middle_now
    return replace(landmarks, points_xyz=points.astype(np.float32))
