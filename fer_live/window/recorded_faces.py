"""What was read in a recording, found again by the time of a picture."""

import math

import numpy as np

from fer_live.datatypes import FaceResult, FloatArray, Frame, FrameResult
from fer_live.outputs.face_rows import Row, number_in
from fer_live.recording.face_curve import FaceCurve
from fer_live.recording.face_points import recorded_signals
from fer_live.recording.persons import PERSON
from fer_live.recording.recorder import Recording

_SAME_FRAME_S = 2e-3
"""Rows and video tell the time of a frame to the millisecond, each rounded by itself."""


class RecordedFaces:
    """The rows of a recording, read once; `curves` has each face, by its number. Where faces
    were grouped, each has its person's number."""

    def __init__(self, recording: Recording) -> None:
        self.labels = recording.about.labels
        self._has_overlay = recording.about.with_overlay
        self._rows: dict[int, list[Row]] = {}
        for row in recording.rows():
            self._rows.setdefault(int(number_in(row, "frame")), []).append(row)
        self._frames = sorted(self._rows)
        self._times_s = np.array([number_in(self._rows[one][0], "time_s") for one in self._frames])
        faces: dict[int, list[Row]] = {}
        for frame in self._frames:
            for row in self._rows[frame]:
                faces.setdefault(_number(row), []).append(row)
        self.curves = [_curve(number, faces[number], self.labels) for number in sorted(faces)]

    def result(self, frame: Frame) -> FrameResult:
        """What was read in this frame; no faces where its picture shows them already."""
        rows = [] if self._has_overlay else self._rows_at(frame.captured_at_s)
        faces = tuple(_face(row, self.labels) for row in rows)
        return FrameResult(frame, faces, {}, "", "")

    def _rows_at(self, time_s: float) -> list[Row]:
        at = int(np.searchsorted(self._times_s, time_s + _SAME_FRAME_S)) - 1
        if at < 0 or abs(self._times_s[at] - time_s) > _SAME_FRAME_S:
            return []
        return self._rows[self._frames[at]]


def _number(row: Row) -> int:
    return int(row.get(PERSON) or number_in(row, "track_id"))


def _curve(number: int, rows: list[Row], labels: tuple[str, ...]) -> FaceCurve:
    values = [[number_in(row, f"p_{label}") for label in labels] for row in rows]
    times_s = np.array([number_in(row, "time_s") for row in rows], np.float64)
    shown = [str(row["shown_label"]) for row in rows]
    return FaceCurve.of(number, times_s, np.array(values, np.float32), shown)


def _probs(row: Row, labels: tuple[str, ...]) -> FloatArray:
    return np.array([number_in(row, f"p_{label}") for label in labels], np.float32)


def _face(row: Row, labels: tuple[str, ...]) -> FaceResult:
    probs, shown_confidence = _probs(row, labels), number_in(row, "shown_confidence")
    box = np.array([number_in(row, side) for side in ("x1", "y1", "x2", "y2")], np.float32)
    return FaceResult(
        track_id=_number(row),
        box_xyxy=box,
        keypoints_xy=np.zeros((6, 2), np.float32),
        detection_confidence=number_in(row, "detection_confidence"),
        probs=probs,
        label=str(row["label"]),
        confidence=number_in(row, "confidence"),
        smoothed_probs=probs,
        shown_label=str(row["shown_label"]),
        # Recordings of earlier versions have none of these.
        shown_confidence=None if math.isnan(shown_confidence) else shown_confidence,
        quality=number_in(row, "quality") if "quality" in row else 1.0,
        quality_reason=str(row.get("quality_reason", "")),
        signals=recorded_signals(row),
    )
