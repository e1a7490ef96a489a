"""The columns of the signals, after those of the probabilities."""

from fer_live.base.circumplex import DERIVED_COLUMNS, derived_columns
from fer_live.datatypes import ACTION_UNITS, BLENDSHAPES, FaceResult

Value = float | int | None
"""None where the face was not measured in this frame."""

_MEASURED = (
    *("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"),
    *("eye_left_open", "eye_right_open", "blink", "mouth_open"),
)
_UNITS = {"deg": "degrees", "open": "ratio", "blink": "number"}


def signal_columns() -> list[str]:
    """The names, in order: angles and openings, what is derived from the probabilities, action
    units, blendshapes."""
    return [
        *_MEASURED,
        *DERIVED_COLUMNS,
        *(f"au_{number}" for number in ACTION_UNITS),
        *(f"bs_{name}" for name in BLENDSHAPES),
    ]


def signal_unit(column: str) -> str:
    """The unit of a column, as LSL's channels name it."""
    return _UNITS.get(column.rpartition("_")[2], "normalized")


def signal_values(face: FaceResult, labels: tuple[str, ...]) -> dict[str, Value]:
    """Column -> value of a face, whose probabilities are of `labels`; None for what was not
    measured in its frame.

    Angles are rounded to hundredths of a degree, shares to ten-thousandths.
    """
    values: dict[str, Value] = dict.fromkeys(signal_columns())
    values.update(derived_columns(face.probs, labels))
    signals = face.signals
    if signals is None or signals.age_s > 0:
        return values
    measured: list[Value] = [
        *(round(float(angle), 2) for angle in (*signals.head_deg, *signals.mean_gaze_deg)),
        *(round(float(opening), 4) for opening in signals.eyes_open),
        int(signals.is_blink),
        round(signals.mouth_open, 4),
    ]
    values.update(zip(_MEASURED, measured, strict=True))
    for number, share in zip(ACTION_UNITS, signals.action_units.tolist(), strict=True):
        values[f"au_{number}"] = round(share, 4)
    for name, share in zip(BLENDSHAPES, signals.landmarks.blendshapes.tolist(), strict=True):
        values[f"bs_{name}"] = round(share, 4)
    return values
