"""What was read in a recording, found again by the time of a picture."""

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from fer_live.base.regular_file import LINE_BYTES, open_regular
from fer_live.datatypes import FaceResult, FloatArray, Frame, FrameResult
from fer_live.outputs.face_rows import Row, box_in, number_in
from fer_live.recording.face_curve import FaceCurve
from fer_live.recording.face_points import recorded_signals
from fer_live.recording.history import Moment
from fer_live.recording.kept_readings import kept_readings
from fer_live.recording.persons import PERSON, load_persons
from fer_live.recording.recorder import FACES_FILE, Recording
from fer_live.recording.row_index import RowIndex, build_index, load_index
from fer_live.recording.row_line import row_in

_SAME_FRAME_S = 2e-3
"""Rows and video tell the time of a frame to the millisecond, each rounded by itself."""


class RecordedMoments(Sequence[Moment]):
    """Some rows of an index, each made a `Moment` only when it is asked for."""

    def __init__(self, index: RowIndex, places: NDArray[np.intp], labels: tuple[str, ...]) -> None:
        self._index, self._places, self._labels = index, places, labels
        self.times_s: NDArray[np.float64] = index.times_s[places]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Moment: ...
    @overload
    def __getitem__(self, at: slice) -> "RecordedMoments": ...
    def __getitem__(self, at: int | slice) -> "Moment | RecordedMoments":
        if isinstance(at, slice):
            return RecordedMoments(self._index, self._places[at], self._labels)
        place = self._places[at]
        shown = int(self._index.shown[place])
        probs = self._index.probs[place].astype(np.float32)
        return Moment(
            float(self._index.times_s[place]), probs, self._labels[shown] if shown >= 0 else ""
        )

    def between(self, from_s: float, to_s: float) -> "RecordedMoments":
        """Those from one time to another, both included."""
        first = int(np.searchsorted(self.times_s, from_s, "left"))
        return self[first : int(np.searchsorted(self.times_s, to_s, "right"))]


class RecordedFaces:
    """The rows of a recording, read where they are wanted; `curves` has each face, by its number.
    Where faces were grouped, each has its person's number."""

    def __init__(self, recording: Recording, index: RowIndex | None = None) -> None:
        """`index` is the recording's, as `row_index` gives it; without one it is loaded or made,
        which takes seconds for a recording of hours."""
        self.labels = recording.about.labels
        self.has_overlay = recording.about.with_overlay
        self._file = recording.folder / FACES_FILE
        self._persons = load_persons(recording.folder)
        index = index or row_index(recording)
        assert index is not None, "it is only None where somebody stops it"
        self._index = index
        self._numbers = self._numbers_of(index.track_ids)
        begins = np.flatnonzero(np.diff(index.frames, prepend=-1))
        self._first, self._last = begins, np.append(begins[1:], len(index.frames))
        self._times_s = index.times_s[begins]
        places = {
            int(number): np.flatnonzero(self._numbers == number)
            for number in np.unique(self._numbers)
        }
        self._of = {
            number: RecordedMoments(index, some, self.labels) for number, some in places.items()
        }
        self.curves = [self._curve(number, some) for number, some in places.items()]

    @property
    def numbers(self) -> list[int]:
        """Of all faces, or of their persons, rising."""
        return list(self._of)

    @property
    def seen_longest(self) -> int | None:
        """The number of the face that was seen in most moments; None without faces."""
        return max(self._of, key=lambda number: len(self._of[number]), default=None)

    def of(self, number: int) -> RecordedMoments:
        """The moments of a face, none for a number that no face has."""
        nothing = RecordedMoments(self._index, np.array([], np.intp), self.labels)
        return self._of.get(number, nothing)

    def result(self, frame: Frame) -> FrameResult:
        """What was read in this frame; no faces where its picture shows them already."""
        return FrameResult(frame, () if self.has_overlay else self.faces_at(frame), {}, "", "")

    def faces_at(self, frame: Frame) -> tuple[FaceResult, ...]:
        """What was read in this frame, also where its picture shows it already. A row that tells no
        place is left out, for nothing could be painted there."""
        rows = self._rows_at(frame.captured_at_s)
        return tuple(_face(row, self.labels) for row in rows if box_in(row) is not None)

    def _rows_at(self, time_s: float) -> list[Row]:
        at = int(np.searchsorted(self._times_s, time_s + _SAME_FRAME_S)) - 1
        if at < 0 or abs(self._times_s[at] - time_s) > _SAME_FRAME_S:
            return []
        rows: list[Row] = []
        # A recording that was deleted meanwhile has no rows left.
        with contextlib.suppress(OSError, ValueError), open_regular(self._file) as file:
            for place in range(self._first[at], self._last[at]):
                file.seek(int(self._index.offsets[place]))
                row = row_in(file.readline(LINE_BYTES), self.labels)
                if row is not None:
                    rows.append(row | {PERSON: int(self._numbers[place])})
        return rows

    def _curve(self, number: int, places: NDArray[np.intp]) -> FaceCurve:
        index = self._index
        # The label shown -1, "unsure", has its name after those of all others.
        shown = np.where(index.shown[places] < 0, len(self.labels), index.shown[places])
        probs = index.probs[places].astype(np.float32)
        names = [*self.labels, ""]
        return FaceCurve(number, index.times_s[places], probs, shown.astype(np.uint16), names)

    def _numbers_of(self, track_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._persons is None:
            return track_ids
        known, places = np.unique(track_ids, return_inverse=True)
        persons = [self._persons.person_of(int(number)) for number in known]
        return np.array(persons, np.int32)[places]


def row_index(recording: Recording, stopped: Callable[[], bool] = lambda: False) -> RowIndex | None:
    """The index of a recording's rows, made where there is none; None where it was stopped."""
    rows, labels = recording.folder / FACES_FILE, recording.about.labels
    return load_index(rows, labels) or build_index(rows, labels, stopped)


def _probs(row: Row, labels: tuple[str, ...]) -> FloatArray:
    return np.array([number_in(row, f"p_{label}") for label in labels], np.float32)


def _face(row: Row, labels: tuple[str, ...]) -> FaceResult:
    probs, shown_confidence = _probs(row, labels), number_in(row, "shown_confidence")
    box = np.array([number_in(row, side) for side in ("x1", "y1", "x2", "y2")], np.float32)
    kept = kept_readings(row, len(labels))
    return FaceResult(
        track_id=int(row[PERSON]),
        box_xyxy=box,
        keypoints_xy=np.zeros((6, 2), np.float32),
        detection_confidence=number_in(row, "detection_confidence"),
        probs=probs,
        label=str(row["label"]),
        confidence=number_in(row, "confidence"),
        # Recordings of earlier versions have none of these.
        smoothed_probs=probs if kept.smoothed_probs is None else kept.smoothed_probs,
        shown_label=str(row["shown_label"]),
        shown_confidence=None if math.isnan(shown_confidence) else shown_confidence,
        quality=number_in(row, "quality") if "quality" in row else 1.0,
        quality_reason=str(row.get("quality_reason", "")),
        heat_map=kept.heat_map,
        signals=recorded_signals(row),
    )
