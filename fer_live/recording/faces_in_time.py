"""The rows of many frames, taken in one by one and kept as one small table per face."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isnan

import numpy as np
from numpy.typing import NDArray

from fer_live.base.translation import tr
from fer_live.datatypes import FloatArray
from fer_live.outputs.face_rows import Box, Row, box_in, number_in
from fer_live.recording.episodes import durations
from fer_live.recording.persons import PERSON


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a face was when it showed something most clearly, for its picture."""

    score: float
    time_s: float
    box_xyxy: Box


@dataclass(frozen=True, slots=True, eq=False)
class FaceInTime:
    """A face of a source, or all faces that were grouped as one person's.

    Args:
        number: Of the face, `track_id`, or of the person.
        is_person: Which of the two.
        times_s: (T,) float64 seconds.
        probs: (T, C) float32, the model's own.
        shown: (T,) the labels shown, empty for "unsure".
        confidences: (T,) float32 `shown_confidence`, NaN where there is none.
        sights: Label shown -> where it was clearest.
    """

    source: str
    number: int
    is_person: bool
    times_s: NDArray[np.float64]
    probs: FloatArray
    shown: NDArray[np.str_]
    confidences: FloatArray
    sights: dict[str, Sight]

    @property
    def name(self) -> str:
        """What it is called, in the language spoken."""
        if self.is_person:
            return tr("person {number}", number=self.number)
        return tr("face {number}", number=self.number)

    @property
    def seconds(self) -> float:
        """How long it was in view, gaps left out."""
        return float(durations(self.times_s).sum())


@dataclass(slots=True)
class _Growing:
    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    probs: "array[float]" = field(default_factory=lambda: array("f"))
    shown: "array[int]" = field(default_factory=lambda: array("H"))
    confidences: "array[float]" = field(default_factory=lambda: array("f"))
    sights: dict[str, Sight] = field(default_factory=dict)


class FacesInTime:
    """Takes in rows of CSV or JSONL. Two hours of three faces, 648,000 rows, are 35 MB."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._columns = [f"p_{label}" for label in labels]
        self._numbers: dict[str, int] = {}
        self._faces: dict[tuple[str, int, bool], _Growing] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Take in rows of rising time for each face."""
        for row in rows:
            is_person = row.get(PERSON) is not None
            number = int(number_in(row, PERSON if is_person else "track_id"))
            key = (str(row["source"]), number, is_person)
            face = self._faces.setdefault(key, _Growing())
            shown = str(row["shown_label"])
            confidence = number_in(row, "shown_confidence")
            face.times_s.append(number_in(row, "time_s"))
            face.probs.extend(number_in(row, column) for column in self._columns)
            face.shown.append(self._numbers.setdefault(shown, len(self._numbers)))
            face.confidences.append(confidence)
            _note_sight(face.sights, row, shown, confidence)

    def faces(self) -> list[FaceInTime]:
        """The faces, those that were in view longest first."""
        names = np.array(list(self._numbers) or [""])
        made = [
            FaceInTime(
                source,
                number,
                is_person,
                np.array(face.times_s, np.float64),
                np.array(face.probs, np.float32).reshape(-1, len(self._columns)),
                names[np.array(face.shown)],
                np.array(face.confidences, np.float32),
                face.sights,
            )
            for (source, number, is_person), face in self._faces.items()
        ]
        return sorted(made, key=lambda face: -face.seconds)


def _note_sight(sights: dict[str, Sight], row: Row, shown: str, confidence: float) -> None:
    quality = number_in(row, "quality")
    # Recordings of earlier versions have neither; "unsure" has no confidence.
    score = (0.0 if isnan(confidence) else confidence) * (1.0 if isnan(quality) else quality)
    before = sights.get(shown)
    if before is not None and score <= before.score:
        return
    if (box := box_in(row)) is not None:
        sights[shown] = Sight(score, number_in(row, "time_s"), box)
