"""What a recording keeps of a face beside the columns of every output: for its review alone."""

from dataclasses import dataclass

import numpy as np

from fer_live.datatypes import FaceResult, FloatArray, HeatMap
from fer_live.outputs.face_rows import Row
from fer_live.recording.row_line import numbers_in

SMOOTHED = "smoothed"
"""The column of the smoothed probabilities, in the order of the labels."""
_HEAT_MAP = "heat_map"
_OF_HEAT_MAP = ("weights", "crop_to_frame")


@dataclass(frozen=True, slots=True, eq=False)
class KeptReadings:
    """The smoothed probabilities, (C,) float32, and the heat map; None for what was not kept."""

    smoothed_probs: FloatArray | None
    heat_map: HeatMap | None


def kept_values(face: FaceResult) -> Row:
    """The cells that a recording's row has beside the others: probabilities to a ten-thousandth,
    weights of the heat map to a hundredth. No cell for a heat map that was not asked for."""
    cells: Row = {SMOOTHED: [round(float(prob), 4) for prob in face.smoothed_probs]}
    if face.heat_map is not None:
        cells[_HEAT_MAP] = {
            "weights": np.round(face.heat_map.weights.astype(float), 2).tolist(),
            "crop_to_frame": np.round(face.heat_map.crop_to_frame.astype(float), 2).tolist(),
        }
    return cells


def kept_readings(row: Row, n_labels: int) -> KeptReadings:
    """What a row has kept; recordings of earlier versions have nothing."""
    probs = numbers_in(row.get(SMOOTHED), n_labels)
    smoothed = None if probs is None else np.array(probs, np.float32)
    return KeptReadings(smoothed, _heat_map_in(row.get(_HEAT_MAP)))


def _heat_map_in(told: object) -> HeatMap | None:
    if not isinstance(told, dict):
        return None
    try:
        weights, matrix = (np.array(told[name], np.float32) for name in _OF_HEAT_MAP)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    is_one = weights.ndim == 2 and weights.size > 0 and matrix.shape == (2, 3)
    is_finite = bool(np.isfinite(weights).all() and np.isfinite(matrix).all())
    return HeatMap(weights, matrix) if is_one and is_finite else None
