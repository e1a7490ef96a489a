"""Gives each face a number that it keeps from frame to frame."""

from dataclasses import dataclass

import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, TrackedFace

_LOST_FOR_S = 2.0
_MIN_IOU = 0.2
_REACH = 0.8
_REACH_PER_S = 1.0
_MAX_SIZE_RATIO = 2.0


@dataclass(slots=True, eq=False)
class _Track:
    track_id: int
    box_xyxy: FloatArray
    seen_at_s: float


class FaceTracker:
    """Matches the faces of a frame to those before it, nearest first.

    A face continues a track whose last box it overlaps (IoU >= 0.2), or, for fast moves and after
    a gap, one of similar size whose centre lies within 0.8 box sides, plus one side for each second
    since it was seen. Overlaps are matched before distances. A track unseen for 2 s has ended; its
    number is never used again before `reset`.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(self, detections: list[FaceDetection], time_s: float) -> list[TrackedFace]:
        """Number the faces of the frame at `time_s`, in the order given."""
        self._tracks = [t for t in self._tracks if time_s - t.seen_at_s <= _LOST_FOR_S]
        matched = self._match(detections, time_s)
        tracked = []
        for index, detection in enumerate(detections):
            track = matched.get(index)
            if track is None:
                track = _Track(self._next_id, detection.box_xyxy, time_s)
                self._next_id += 1
                self._tracks.append(track)
            track.box_xyxy, track.seen_at_s = detection.box_xyxy, time_s
            tracked.append(TrackedFace(track.track_id, detection))
        return tracked

    def reset(self) -> None:
        """Forget everything: the next frame is of another source. Numbers start at 1 again."""
        self._tracks.clear()
        self._next_id = 1

    def _match(self, detections: list[FaceDetection], time_s: float) -> dict[int, _Track]:
        """Detection index -> its track, greedily by score; each used once."""
        candidates = [
            (score, index, track)
            for index, detection in enumerate(detections)
            for track in self._tracks
            if (score := _score(detection.box_xyxy, track, time_s)) is not None
        ]
        matched: dict[int, _Track] = {}
        taken: set[int] = set()
        for _, index, track in sorted(candidates, key=lambda candidate: -candidate[0]):
            if index not in matched and track.track_id not in taken:
                matched[index] = track
                taken.add(track.track_id)
        return matched


def iou(a_xyxy: FloatArray, b_xyxy: FloatArray) -> float:
    """Intersection over union of two boxes, 0..1; 0 for boxes without area."""
    overlap_wh = np.minimum(a_xyxy[2:], b_xyxy[2:]) - np.maximum(a_xyxy[:2], b_xyxy[:2])
    if np.any(overlap_wh <= 0):
        return 0.0
    intersection = float(np.prod(overlap_wh))
    union = _area(a_xyxy) + _area(b_xyxy) - intersection
    return intersection / union if union > 0 else 0.0


def _score(box_xyxy: FloatArray, track: _Track, time_s: float) -> float | None:
    """1..2 for an overlap, 0..1 for a near box, None for neither."""
    overlap = iou(box_xyxy, track.box_xyxy)
    if overlap >= _MIN_IOU:
        return 1 + overlap
    side, track_side = _area(box_xyxy) ** 0.5, _area(track.box_xyxy) ** 0.5
    if (
        min(side, track_side) <= 0
        or not 1 / _MAX_SIZE_RATIO <= side / track_side <= _MAX_SIZE_RATIO
    ):
        return None
    centers = (box_xyxy[:2] + box_xyxy[2:]) / 2, (track.box_xyxy[:2] + track.box_xyxy[2:]) / 2
    distance = float(np.hypot(*(centers[0] - centers[1])))
    reach = max(side, track_side) * (_REACH + _REACH_PER_S * (time_s - track.seen_at_s))
    return 1 - distance / reach if distance < reach else None


def _area(box_xyxy: FloatArray) -> float:
    return float(np.prod(np.maximum(box_xyxy[2:] - box_xyxy[:2], 0)))
