"""Groups the faces of a video that look like one person's. Descriptors stay in memory."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from fer_live.datatypes import FaceDetection, FloatArray, Frame, UInt8Array
from fer_live.outputs.face_rows import Row, box_in, number_in
from fer_live.recording.persons import Persons
from fer_live.recording.player import ClipPlayer
from fer_live.vision.alignment import align_face
from fer_live.vision.descriptor import (
    DESCRIPTOR_CROP,
    DESCRIPTOR_SIDE,
    SAME_PERSON_LIMIT,
    FaceDescriptor,
)
from fer_live.vision.detector import FaceDetector
from fer_live.vision.squares import Square, moved
from fer_live.vision.tracker import iou

_LOOKS = 12
"""Pictures of a face that are described, spread over its time."""
_MIN_QUALITY = 0.5
_AROUND = 2.0
"""Side of the square in which a face is found again, in those of its box."""
_MIN_IOU = 0.3

Stopped = Callable[[], bool]


def group_faces(
    video: Path, rows: Sequence[Row], stopped: Stopped = lambda: False
) -> Persons | None:
    """Say which faces of a video look like one person's.

    Args:
        video: The file that the rows were read from, on their clock and without anything painted
            into it.
        rows: Its rows, those of all faces.
        stopped: Asked between two pictures; True ends it.

    Returns:
        The groups; two faces that are in one frame are never in one group, and a face that is in no
        good picture is in none. None where it was stopped.

    Raises:
        SourceError: The video cannot be read.
    """
    looks = _looks(rows)
    sums: dict[int, FloatArray] = {}
    n_described: Counter[int] = Counter()
    descriptor = FaceDescriptor()
    with closing(ClipPlayer(video)) as player, FaceDetector("short") as detector:
        for time_s in sorted(looks):
            if stopped():
                return None
            frame = player.at(time_s)
            for row in looks[time_s]:
                crop = None if frame is None else _crop(frame, row, detector)
                if crop is not None:
                    track_id = int(row["track_id"])
                    described = descriptor.describe(crop[None])[0]
                    sums[track_id] = sums[track_id] + described if track_id in sums else described
                    n_described[track_id] += 1
    means = {
        track_id: np.asarray(total / n_described[track_id], np.float32)
        for track_id, total in sums.items()
    }
    return group_descriptors(means, _seen_together(rows))


def group_descriptors(
    descriptors: dict[int, FloatArray],
    apart: Iterable[tuple[int, int]] = (),
    limit: float = SAME_PERSON_LIMIT,
) -> Persons:
    """Group by average linkage: the two nearest groups become one while the mean distance between
    their faces is below `limit`.

    Args:
        descriptors: `track_id` -> (128,) float32.
        apart: Pairs of `track_id` that are two persons.
        limit: In the descriptors' own unit.
    """
    track_ids = sorted(descriptors)
    if len(track_ids) < 2:
        return Persons()
    all_of_them = np.stack([descriptors[track_id] for track_id in track_ids])
    distances = np.linalg.norm(all_of_them[:, None] - all_of_them[None], axis=2)
    index = {track_id: number for number, track_id in enumerate(track_ids)}
    for one, other in apart:
        if one in index and other in index:
            a, b = index[one], index[other]
            distances[a, b] = distances[b, a] = np.inf
    sizes = np.ones(len(track_ids))
    groups: dict[int, list[int]] = {number: [number] for number in range(len(track_ids))}
    np.fill_diagonal(distances, np.inf)
    while True:
        a, b = divmod(int(distances.argmin()), len(track_ids))
        if not distances[a, b] < limit:
            break
        joined = (sizes[a] * distances[a] + sizes[b] * distances[b]) / (sizes[a] + sizes[b])
        distances[a], distances[:, a] = joined, joined
        distances[a, a] = np.inf
        distances[b], distances[:, b] = np.inf, np.inf
        sizes[a] += sizes[b]
        groups[a] += groups.pop(b)
    persons = Persons()
    for group in groups.values():
        if len(group) > 1:
            persons = persons.merged([track_ids[number] for number in group])
    return persons


def best_looks(rows: Iterable[Row], n: int) -> dict[int, list[Row]]:
    """Of each face `n` of its rows at most that tell its place: those of good quality if it has
    any, spread evenly over its time."""
    by_face: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if box_in(row) is not None:
            by_face[int(row["track_id"])].append(row)
    chosen = {}
    for track_id, group in by_face.items():
        good = [row for row in group if not number_in(row, "quality") < _MIN_QUALITY] or group
        at = np.linspace(0, len(good) - 1, min(n, len(good))).round().astype(int)
        chosen[track_id] = [good[number] for number in at]
    return chosen


def _looks(rows: Sequence[Row]) -> dict[float, list[Row]]:
    """Time -> the rows whose faces are described there."""
    looks: dict[float, list[Row]] = defaultdict(list)
    for group in best_looks(rows, _LOOKS).values():
        for row in group:
            looks[number_in(row, "time_s")].append(row)
    return looks


def _seen_together(rows: Iterable[Row]) -> set[tuple[int, int]]:
    """Pairs of faces that are in one frame."""
    frames: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        frames[int(row["frame"])].add(int(row["track_id"]))
    several = {tuple(sorted(faces)) for faces in frames.values() if len(faces) > 1}
    return {(a, b) for faces in several for a in faces for b in faces if a < b}


def _crop(frame: Frame, row: Row, detector: FaceDetector) -> UInt8Array | None:
    """The face of a row, upright; None where it is not found again in its place."""
    box = np.array([number_in(row, side) for side in ("x1", "y1", "x2", "y2")], np.float32)
    height, width = frame.image_bgr.shape[:2]
    side = min(int(_AROUND * max(box[2] - box[0], box[3] - box[1])) + 1, width, height)
    left = int(np.clip((box[0] + box[2] - side) / 2, 0, width - side))
    top = int(np.clip((box[1] + box[3] - side) / 2, 0, height - side))
    part = frame.image_bgr[top : top + side, left : left + side]
    found = [moved(face, Square(left, top, side)) for face in detector.detect(part, 0.0)]
    best: FaceDetection | None = max(found, key=lambda f: iou(f.box_xyxy, box), default=None)
    if best is None or iou(best.box_xyxy, box) < _MIN_IOU:
        return None
    return align_face(frame.image_bgr, best, DESCRIPTOR_SIDE, DESCRIPTOR_CROP)
