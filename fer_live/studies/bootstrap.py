"""Intervals by bootstrap, for anything that is computed from sums over units."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatTable = NDArray[np.float64]
Statistic = Callable[[FloatTable], FloatTable]
"""(B, K) sums -> (B, M) figures."""
Draw = Callable[[FloatTable, Statistic], tuple[FloatTable, FloatTable, FloatTable]]
"""`bootstrap` with what draws and how often already given."""

N_RESAMPLES = 2000
_LEVEL = 0.95
_CHUNK = 100_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Args:
        value: The figure of all units; NaN where it is not defined.
        low: The interval's lower end; NaN where there is none, as for a single unit.
        high: Its upper end.
        n: Of how many units it was drawn.
        over: What a unit is, for instance "episodes" or "participants".
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    over: str = ""


def bootstrap(
    sums: FloatTable,
    statistic: Statistic,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> tuple[FloatTable, FloatTable, FloatTable]:
    """A statistic of sums, and its 95 % intervals.

    Units are drawn with replacement, as many as there are, and the statistic is taken of their
    sums. The interval is the expanded percentile interval (Hesterberg 2015, What Teachers Should
    Know About the Bootstrap, section 3.3): the quantiles lie further out the fewer units there are,
    as those of Student's t do, for plain percentiles are too narrow for few units.

    Args:
        sums: (N, K), what each unit adds to each of K sums.
        statistic: (B, K) sums -> (B, M) figures, NaN where one is not defined.
        rng: What draws.
        n_resamples: How often.

    Returns:
        The figures of all units, and both ends, (M,) each; the ends are NaN for fewer than two
        units, where the figure is not defined in more than half of the draws, and where every draw
        is the same: of what never varied, draws cannot tell how much it may.
    """
    n = len(sums)
    values = statistic(sums.sum(axis=0, keepdims=True))[0]
    if n < 2:
        nothing = np.full_like(values, np.nan)
        return values, nothing, nothing
    at_once = max(int(_CHUNK / (8 * n)), 1)
    drawn = []
    for begin in range(0, n_resamples, at_once):
        size = min(at_once, n_resamples - begin)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=size)
        drawn.append(statistic(counts @ sums))
    figures = np.concatenate(drawn)
    ends = np.full((2, len(values)), np.nan)
    told = np.isfinite(figures).mean(axis=0) > 0.5
    spread = np.nanmax(figures[:, told], axis=0) - np.nanmin(figures[:, told], axis=0)
    told[told] = spread > 1e-12
    tail = _expanded_tail(n)
    ends[:, told] = np.nanquantile(figures[:, told], [tail, 1 - tail], axis=0)
    return values, ends[0], ends[1]


def _expanded_tail(n: int) -> float:
    """The share of draws beyond each end, for n units."""
    normal = NormalDist()
    t = _student_quantile(normal.inv_cdf((1 + _LEVEL) / 2), n - 1)
    return normal.cdf(-t * math.sqrt(n / (n - 1)))


def _student_quantile(z: float, degrees: int) -> float:
    """Student's t at the quantile that is `z` for the normal distribution (Abramowitz and Stegun
    26.7.5; from 3 degrees of freedom on within 1 %, below that too small)."""
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / degrees**power for power, term in enumerate(terms)))
