"""A line of a recording's rows, checked before anything reads it."""

import math
from typing import Any

from fer_live.base.parse import parse_json
from fer_live.outputs.face_rows import Row
from fer_live.recording.persons import PERSON

_TEXTS = ("source", "label", "shown_label")
_NUMBERS = (
    *("x1", "y1", "x2", "y2", "detection_confidence", "confidence", "shown_confidence"),
    "quality",
)
_MAX_TRACK, _MAX_FRAME = 2**31, 2**63


def row_in(line: bytes, labels: tuple[str, ...]) -> Row | None:
    """The row that a line holds.

    Args:
        line: A line of the file, with or without its end.
        labels: Those of the recording.

    Returns:
        The row, whose time, frame, face and labels are there and whose other cells that are read
        are numbers that can be reckoned with, or empty; None for a line that a crash cut off, or
        that is no row.
    """
    try:
        row = parse_json(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in _TEXTS):
        return None
    time_s: Any = row.get("time_s")
    frame, track_id = row.get("frame"), row.get("track_id")
    is_timed = _is_number(time_s) and math.isfinite(time_s) and abs(time_s) < _MAX_FRAME
    if not (is_timed and _is_whole(frame, _MAX_FRAME) and _is_whole(track_id, _MAX_TRACK)):
        return None
    if row.get(PERSON) is not None and not _is_whole(row[PERSON], _MAX_TRACK):
        return None
    cells = [row.get(name) for name in _NUMBERS] + [row.get(f"p_{label}") for label in labels]
    is_read = all(cell is None or cell == "" or _is_number(cell) for cell in cells)
    return row if is_read else None


def numbers_in(value: Any, n: int) -> list[float] | None:
    """A list of `n` numbers as it stands in a row; None for anything else."""
    if not isinstance(value, list) or len(value) != n or not all(map(_is_number, value)):
        return None
    return value


def _is_number(value: Any) -> bool:
    # What is endless, or has thousands of digits, is no number for a computation; NaN is empty.
    return type(value) in (float, int) and not abs(value) >= _MAX_FRAME


def _is_whole(value: Any, limit: int) -> bool:
    return type(value) is int and 0 <= value < limit
