"""What a recording keeps of a face beside the columns of every output: for its review alone."""

from dataclasses import dataclass

import numpy as np

from fer_live.datatypes import FaceResult, FloatArray, HeatMap
from fer_live.outputs.face_rows import Row

SMOOTHED = "smoothed"
"""The column of the smoothed probabilities, in the order of the labels."""
_HEAT_MAP = "heat_map"


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
    probs = row.get(SMOOTHED)
    told = row.get(_HEAT_MAP)
    heat_map = None
    if isinstance(told, dict):
        weights = np.array(told["weights"], np.float32)
        heat_map = HeatMap(weights, np.array(told["crop_to_frame"], np.float32))
    if not isinstance(probs, list) or len(probs) != n_labels:
        return KeptReadings(None, heat_map)
    return KeptReadings(np.array(probs, np.float32), heat_map)
