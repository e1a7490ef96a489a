"""What a report draws: every frame of a face, or means over short times where they are many."""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.recording.faces_in_time import FaceInTime

MAX_POINTS = 150_000
"""In one report, all faces together: 2.8 MB."""
_NO_CONFIDENCE = 255
_STEPS = 250
"""A probability is written as a whole number of 0 to 250, which is finer than a plot's pixel."""


@dataclass(frozen=True, slots=True)
class Plotted:
    """A face's curve for the page: base64 of little-endian arrays, and how it was made.

    `step_s` is the time that a point is the mean of, 0 where every frame is a point.
    """

    times_s: str
    probs: str
    shown: str
    confidences: str
    n_points: int
    step_s: float


def plotted(face: FaceInTime, keys: list[str], max_points: int) -> Plotted:
    """Thin a face's curve to at most `max_points`.

    A point is the mean of all frames in a time of equal length, so that nothing is drawn that was
    not there and short peaks come out lower, not missing; its label is the one shown in most of
    them. `keys` are the labels of the page, "unsure" among them.
    """
    times_s = face.times_s
    number = {key: index for index, key in enumerate(keys)}
    shown = np.array([number.get(label, number[""]) for label in face.shown.tolist()], np.int64)
    confidences = face.confidences.astype(np.float64)
    if len(times_s) <= max_points:
        return _packed(times_s, face.probs, shown, confidences, 0.0)
    step_s = float(times_s[-1] - times_s[0]) / max_points
    bins = np.minimum(((times_s - times_s[0]) / step_s).astype(np.int64), max_points - 1)
    _, group, sizes = np.unique(bins, return_inverse=True, return_counts=True)
    n = len(sizes)
    probs = np.stack([np.bincount(group, p, n) / sizes for p in face.probs.T.astype(np.float64)], 1)
    known = ~np.isnan(confidences)
    n_known = np.bincount(group[known], minlength=n)
    total = np.bincount(group[known], confidences[known], n)
    means = np.divide(total, n_known, out=np.full(n, np.nan), where=n_known > 0)
    votes = np.zeros((n, len(keys)), np.int64)
    np.add.at(votes, (group, shown), 1)
    mean_times_s = np.bincount(group, times_s, n) / sizes
    return _packed(mean_times_s, probs, votes.argmax(axis=1), means, step_s)


def _packed(
    times_s: NDArray[np.float64],
    probs: NDArray[np.floating],
    shown: NDArray[np.int64],
    confidences: NDArray[np.float64],
    step_s: float,
) -> Plotted:
    told = np.where(np.isnan(confidences), _NO_CONFIDENCE, np.round(_STEPS * confidences))
    return Plotted(
        _base64(times_s.astype("<f4")),
        _base64(np.round(_STEPS * probs).astype(np.uint8)),
        _base64(shown.astype(np.uint8)),
        _base64(told.astype(np.uint8)),
        len(times_s),
        step_s,
    )


def _base64(values: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
