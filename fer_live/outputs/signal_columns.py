"""The columns of the signals, after those of the probabilities."""

from fer_live.datatypes import ACTION_UNITS, BLENDSHAPES, FaceResult

Value = float | int | None
"""None where the face was not measured in this frame."""

_DERIVED = (
    *("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"),
    *("eye_left_open", "eye_right_open", "blink", "mouth_open"),
)
_UNITS = {"deg": "degrees", "open": "ratio", "blink": "number"}


def signal_columns() -> list[str]:
    """The names, in order: angles and openings, action units, blendshapes."""
    return [
        *_DERIVED,
        *(f"au_{number}" for number in ACTION_UNITS),
        *(f"bs_{name}" for name in BLENDSHAPES),
    ]


def signal_unit(column: str) -> str:
    """The unit of a column, as LSL's channels name it."""
    return _UNITS.get(column.rpartition("_")[2], "normalized")


def signal_values(face: FaceResult) -> dict[str, Value]:
    """Column -> value of a face; all None where it was not measured in its frame.

    Angles are rounded to hundredths of a degree, shares to ten-thousandths.
    """
    signals = face.signals
    if signals is None or signals.age_s > 0:
        return dict.fromkeys(signal_columns())
    derived: list[Value] = [
        *(round(float(angle), 2) for angle in (*signals.head_deg, *signals.mean_gaze_deg)),
        *(round(float(opening), 4) for opening in signals.eyes_open),
        int(signals.is_blink),
        round(signals.mouth_open, 4),
    ]
    shares = (*signals.action_units.tolist(), *signals.landmarks.blendshapes.tolist())
    values = [*derived, *(round(share, 4) for share in shares)]
    return dict(zip(signal_columns(), values, strict=True))
