"""A face's curve at several resolutions, so that any stretch of it is quickly at hand."""

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.recording.episodes import Times
from fer_live.recording.face_curve import FaceCurve

MAX_GAP_S = 0.5
"""Between two moments that lie no further apart, the earlier one is taken to last."""
_FINEST_S, _COARSER = 0.25, 4
_FEW = 20_000
_PER_COLUMN = 4


class CurveLevels:
    """A curve, and means of it over times of 0.25 s, 1 s, 4 s and so on where it is long.

    A short curve, for instance ten minutes of a live one, has no such means: nothing is computed
    for it here, so that one can be made for every frame.
    """

    def __init__(self, curve: FaceCurve) -> None:
        self.curve = curve
        self._levels = [(0.0, curve.times_s, curve.probs)]
        step_s = _FINEST_S
        while len(self._levels[-1][1]) > _FEW:
            _, times_s, probs = self._levels[-1]
            self._levels.append((step_s, *_means(times_s, probs, step_s)))
            step_s *= _COARSER

    def columns(self, edges_s: Times) -> FloatArray:
        """The mean probabilities between each two edges.

        Args:
            edges_s: (N + 1,) seconds, evenly rising.

        Returns:
            (N, C) float32, NaN where the face was not seen.
        """
        column_s = float(edges_s[1] - edges_s[0])
        _, times_s, probs = next(
            level for level in reversed(self._levels) if level[0] * _PER_COLUMN <= column_s
        )
        return _column_means(times_s, probs, edges_s)


def _means(times_s: Times, probs: FloatArray, step_s: float) -> tuple[Times, FloatArray]:
    slots = np.floor(times_s / step_s)
    begins = np.concatenate(([0], np.flatnonzero(np.diff(slots)) + 1))
    sizes = np.diff(np.append(begins, len(times_s)))
    mean_probs = np.add.reduceat(probs, begins, axis=0) / sizes[:, None].astype(np.float32)
    mean_times_s = np.add.reduceat(times_s, begins) / sizes
    return mean_times_s, mean_probs.astype(np.float32)


def _column_means(times_s: Times, probs: FloatArray, edges_s: Times) -> FloatArray:
    bounds: NDArray[np.intp] = np.searchsorted(times_s, edges_s)
    begins, ends = bounds[:-1], bounds[1:]
    means = np.full((len(begins), probs.shape[1]), np.nan, np.float32)
    is_seen = ends > begins
    if is_seen.any():
        inside = probs[bounds[0] : bounds[-1]]
        sums = np.add.reduceat(inside, begins[is_seen] - bounds[0], axis=0)
        means[is_seen] = sums / (ends - begins)[is_seen, None].astype(np.float32)
    between = np.flatnonzero(~is_seen & (begins > 0) & (begins < len(times_s)))
    after = begins[between]
    is_near = times_s[after] - times_s[after - 1] <= MAX_GAP_S + 1e-9
    means[between[is_near]] = probs[after[is_near] - 1]
    return means
