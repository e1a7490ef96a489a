"""Gives each face a number that it keeps from frame to frame."""

import math
from dataclasses import dataclass

from fer_live.datatypes import FaceDetection, FloatArray, TrackedFace

_LOST_FOR_S = 2.0
_SURE = 0.7
_TENTATIVE_FOR_S = 0.5
_TENTATIVE_LOST_FOR_S = 0.25
_MIN_IOU = 0.2
_REACH = 1.2
_REACH_PER_S = 1.0
_MAX_SIZE_RATIO = 2.0
_VELOCITY_TIME_CONSTANT_S = 0.1
_PREDICTED_FOR_S = 0.5


_Box = list[float]
"""x1, y1, x2, y2 in pixels."""


@dataclass(slots=True, eq=False)
class _Track:
    box_xyxy: _Box
    since_s: float
    seen_at_s: float
    track_id: int | None = None
    velocity_xy: tuple[float, float] = (0.0, 0.0)
    """Pixels a second, averaged over the last tenth of a second or so."""

    def predicted_box(self, time_s: float) -> _Box:
        """Where the face is now if it went on as it went, at most for half a second."""
        ahead_s = min(max(time_s - self.seen_at_s, 0.0), _PREDICTED_FOR_S)
        x, y = (speed * ahead_s for speed in self.velocity_xy)
        x1, y1, x2, y2 = self.box_xyxy
        return [x1 + x, y1 + y, x2 + x, y2 + y]

    def move_to(self, box_xyxy: _Box, time_s: float) -> None:
        """The face was seen there."""
        passed_s = time_s - self.seen_at_s
        if passed_s > 0:
            (x, y), (before_x, before_y) = _center(box_xyxy), _center(self.box_xyxy)
            speed_x, speed_y = self.velocity_xy
            weight = 1 - math.exp(-passed_s / _VELOCITY_TIME_CONSTANT_S)
            speed_x += weight * ((x - before_x) / passed_s - speed_x)
            speed_y += weight * ((y - before_y) / passed_s - speed_y)
            self.velocity_xy = speed_x, speed_y
        self.box_xyxy, self.seen_at_s = box_xyxy, time_s

    def has_ended(self, time_s: float) -> bool:
        lost_for_s = _TENTATIVE_LOST_FOR_S if self.track_id is None else _LOST_FOR_S
        return time_s - self.seen_at_s > lost_for_s


class FaceTracker:
    """Matches the faces of a frame to those before it, nearest first.

    A face continues a track where it overlaps the place at which the track's motion would have
    brought it by now (IoU >= 0.2), so that faces which cross keep their numbers; or, for sudden
    moves and after a gap, one of similar size whose centre lies within 1.2 box sides of that place,
    plus one side for each second since it was seen. Overlaps are matched before distances. A track
    that frames have missed for 2 s has ended; its number is never used again before `reset`.

    A new face is tentative, and not reported, until it was detected once with a confidence of 0.7,
    or for half a second: on clips, what the detector takes for a face for a few frames stays below
    0.68, and real faces are above 0.75. The first frame after `reset` has no past to go by (it may
    be a still): there every detection counts.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._is_first_frame = True

    def update(self, detections: list[FaceDetection], time_s: float) -> list[TrackedFace]:
        """Number the faces of the frame at `time_s`, in the order given, without tentative ones."""
        boxes = [detection.box_xyxy.tolist() for detection in detections]
        matched = self._match(boxes, time_s)
        tracked = []
        for index, detection in enumerate(detections):
            track = matched.get(index)
            if track is None:
                track = _Track(boxes[index], time_s, time_s)
                self._tracks.append(track)
            track.move_to(boxes[index], time_s)
            if track.track_id is None and self._is_sure(track, detection, time_s):
                track.track_id, self._next_id = self._next_id, self._next_id + 1
            if track.track_id is not None:
                tracked.append(TrackedFace(track.track_id, detection))
        self._is_first_frame = False
        # Only now, and never one seen in this frame: at a low frame rate the gap between two frames
        # is longer than a track may be lost.
        self._tracks = [track for track in self._tracks if not track.has_ended(time_s)]
        return tracked

    def end_all(self) -> None:
        """End all tracks: the next frame shows another scene. The numbers go on from the last."""
        self._tracks.clear()

    def reset(self) -> None:
        """Forget everything: the next frame is of another source. Numbers start at 1 again."""
        self._tracks.clear()
        self._next_id = 1
        self._is_first_frame = True

    def _is_sure(self, track: _Track, detection: FaceDetection, time_s: float) -> bool:
        lasted_s = time_s - track.since_s
        return self._is_first_frame or detection.confidence >= _SURE or lasted_s >= _TENTATIVE_FOR_S

    def _match(self, boxes: list[_Box], time_s: float) -> dict[int, _Track]:
        """Index of a box -> its track, greedily by score; each used once."""
        candidates = [
            (score, index, track)
            for index, box in enumerate(boxes)
            for track in self._tracks
            if (score := _score(box, track, time_s)) is not None
        ]
        matched: dict[int, _Track] = {}
        for _, index, track in sorted(candidates, key=lambda candidate: -candidate[0]):
            if index not in matched and all(track is not other for other in matched.values()):
                matched[index] = track
        return matched


def iou(a_xyxy: FloatArray, b_xyxy: FloatArray) -> float:
    """Intersection over union of two boxes, 0..1; 0 for boxes without area."""
    # Plain numbers: arrays of four cost ten times as much.
    return _iou(a_xyxy.tolist(), b_xyxy.tolist())


def _iou(a_xyxy: _Box, b_xyxy: _Box) -> float:
    overlap_w = min(a_xyxy[2], b_xyxy[2]) - max(a_xyxy[0], b_xyxy[0])
    overlap_h = min(a_xyxy[3], b_xyxy[3]) - max(a_xyxy[1], b_xyxy[1])
    if overlap_w <= 0 or overlap_h <= 0:
        return 0.0
    union = _area(a_xyxy) + _area(b_xyxy) - overlap_w * overlap_h
    return overlap_w * overlap_h / union if union > 0 else 0.0


def _score(box_xyxy: _Box, track: _Track, time_s: float) -> float | None:
    """1..2 for an overlap, 0..1 for a near box, None for neither."""
    expected = track.predicted_box(time_s)
    overlap = _iou(box_xyxy, expected)
    if overlap >= _MIN_IOU:
        # Of two that fit alike, it is the one seen lately, not the one hidden behind it.
        return 1 + overlap * math.exp(min(track.seen_at_s - time_s, 0.0))
    side, track_side = math.sqrt(_area(box_xyxy)), math.sqrt(_area(expected))
    if (
        min(side, track_side) <= 0
        or not 1 / _MAX_SIZE_RATIO <= side / track_side <= _MAX_SIZE_RATIO
    ):
        return None
    distance = math.dist(_center(box_xyxy), _center(expected))
    reach = max(side, track_side) * (_REACH + _REACH_PER_S * (time_s - track.seen_at_s))
    return 1 - distance / reach if distance < reach else None


def _center(box_xyxy: _Box) -> tuple[float, float]:
    return (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2


def _area(box_xyxy: _Box) -> float:
    return max(box_xyxy[2] - box_xyxy[0], 0.0) * max(box_xyxy[3] - box_xyxy[1], 0.0)
