"""The crop of one person and camera: the one in which the model is least unsure.

No statistic of features mends a face that is cut too large, turned or too low; cutting it again
does. The key points of a camera from below, or of a beard, are off in the same way all the time.
"""

from collections.abc import Callable

import numpy as np

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.personal.own_faces import CropChange, OwnFaces, cut_again

MIN_FACES_TO_SEARCH = 12
"""Half seconds; fewer do not tell one crop from another."""
MIN_GAIN = 0.07
"""Nats of mean entropy by which a crop has to be better than the present one. On PublicTest the
best of sixteen crops is better by 0.03 to 0.06 where the present one is right, and by 0.07 to 0.17
where faces lie too far or turned (seeds 0 and 1)."""
_MIN_STANDARD_ERRORS = 2.0
_MAX_FACES = 64
_SCALES = (0.87, 1.15, 1.3)
_ROLLS_DEGREES = (-12.0, -6.0, 6.0, 12.0)
_SHIFTS_Y = (-0.06, 0.06)


def search_crop(faces: OwnFaces, classify: Callable[[UInt8Array], FloatArray]) -> CropChange:
    """The crop of least mean entropy, one number after the other; no change where none is clearly
    better. `classify` turns crops (N, S, S) into probabilities (N, C)."""
    rows = np.unique(faces.segments, return_index=True)[1]
    if len(rows) < MIN_FACES_TO_SEARCH:
        return CropChange()
    few = faces.where(rows[np.linspace(0, len(rows) - 1, min(len(rows), _MAX_FACES)).astype(int)])
    present = _entropy(classify(few.crops))
    best, least = CropChange(), present
    for change in _one_step(best):
        entropy = _entropy(classify(cut_again(few, change)))
        if entropy.mean() < least.mean():
            best, least = change, entropy
    for change in _one_step(best):
        entropy = _entropy(classify(cut_again(few, change)))
        if entropy.mean() < least.mean():
            best, least = change, entropy
    gain = present - least
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
    is_clear = gain.mean() > MIN_GAIN and gain.mean() > _MIN_STANDARD_ERRORS * error
    return best if is_clear else CropChange()


def _one_step(start: CropChange) -> list[CropChange]:
    """The crops that differ from `start` in one number."""
    steps = [CropChange(scale, start.roll_degrees, start.shift_y) for scale in _SCALES]
    steps += [CropChange(start.scale, roll, start.shift_y) for roll in _ROLLS_DEGREES]
    steps += [CropChange(start.scale, start.roll_degrees, shift) for shift in _SHIFTS_Y]
    return [change for change in steps if change != start]


def _entropy(probs: FloatArray) -> FloatArray:
    """Of each row, nats."""
    return np.asarray(-(probs * np.log(np.maximum(probs, 1e-9))).sum(axis=1))
