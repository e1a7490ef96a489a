"""The one schema of CSV, JSONL and Parquet: one row per face."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fer_live.datatypes import FrameResult
from fer_live.outputs.signal_columns import signal_columns, signal_values

TEXT_COLUMNS = (
    *("source", "utc", "label", "shown_label", "quality_reason"),
    *("participant", "condition", "marker"),
)
WHOLE_COLUMNS = ("frame", "track_id", "blink", "person")
"""All others are real numbers. Not every file has all of them."""

Row = dict[str, Any]
"""Column -> text, number, or None: an empty cell, and null in JSON."""
Box = tuple[float, float, float, float]

_MAX_PLACE = 2**24
"""Pixels; no picture is as wide or as high."""


def column_names(labels: tuple[str, ...], *, signals: bool = False) -> list[str]:
    """The columns in order; `p_<label>` are the raw probabilities in the model's label order."""
    return [
        *("source", "frame", "time_s", "utc", "track_id", "x1", "y1", "x2", "y2"),
        *("detection_confidence", "label", "shown_label", "shown_confidence"),
        *("quality", "quality_reason", "confidence"),
        *(f"p_{label}" for label in labels),
        *(signal_columns() if signals else ()),
    ]


def number_in(row: Row, name: str) -> float:
    """A number of a row; NaN where its cell is empty or the row has no such column."""
    value = row.get(name)
    return math.nan if value is None or value == "" else float(value)


def box_in(row: Row) -> Box | None:
    """Left, top, right and bottom of a row's face, pixels; None where the row tells no box, or one
    that is empty or can be in no picture, as damaged rows have it."""
    x1, y1, x2, y2 = (number_in(row, side) for side in ("x1", "y1", "x2", "y2"))
    is_one = -_MAX_PLACE < x1 < x2 < _MAX_PLACE and -_MAX_PLACE < y1 < y2 < _MAX_PLACE
    return (x1, y1, x2, y2) if is_one else None


def utc_text(moment: datetime | None) -> str:
    """A moment as ISO 8601 in UTC, for example "2026-11-25T14:03:22.517Z"; None is empty."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def face_rows(
    source: str, result: FrameResult, labels: tuple[str, ...], *, signals: bool = False
) -> Iterator[Row]:
    """One row for each face of a frame; none where no face was found.

    Boxes are pixels of the unmirrored frame, rounded to hundredths; time to microseconds; `utc` to
    milliseconds, empty where the wall clock of the capture is not known. Probabilities keep seven
    digits, so that a row still sums to 1 within 1e-6. `shown_confidence` is None for "unsure". With
    `signals` their columns follow, None where a face was not measured in this frame.
    """
    for face in result.faces:
        shown_confidence = face.shown_confidence
        x1, y1, x2, y2 = (round(float(value), 2) for value in face.box_xyxy)
        yield {
            "source": source,
            "frame": result.frame.index,
            "time_s": round(result.frame.captured_at_s, 6),
            "utc": utc_text(result.frame.captured_at_utc),
            "track_id": face.track_id,
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "detection_confidence": round(face.detection_confidence, 4),
            "label": face.label,
            "shown_label": face.shown_label,
            "shown_confidence": None if shown_confidence is None else round(shown_confidence, 7),
            "quality": round(face.quality, 3),
            "quality_reason": face.quality_reason,
            "confidence": round(face.confidence, 7),
            **{
                f"p_{label}": round(float(value), 7)
                for label, value in zip(labels, face.probs, strict=True)
            },
            **(signal_values(face, labels) if signals else {}),
        }
