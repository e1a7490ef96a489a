"""For how long a face showed one label, and what came after what.

As `fer-live summarize` counts them (docs/summarize.md) where no face is away for a moment, but on
one face at a time and without pandas. Here a face may be away for a second, there for `--close`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray

Times = NDArray[np.float64]
"""Seconds, in float64: in float32 two hours are told to half a millisecond."""

AWAY_AFTER_S = 1.0
"""A face that was not read for longer was out of view."""
_CLOSE_S = 0.25
"""What interrupts an episode for no longer is left in."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One label, from its first frame to the end of its last; `confidence` is the mean of
    `shown_confidence` over its frames, NaN where the rows do not tell it."""

    label: str
    begin_s: float
    end_s: float
    confidence: float

    @property
    def length_s(self) -> float:
        """How long it lasted."""
        return self.end_s - self.begin_s


def durations(times_s: Times) -> Times:
    """(T,) seconds that each moment stands for: until the next one, where that follows soon."""
    if len(times_s) < 2:
        return np.zeros_like(times_s)
    gaps = np.diff(times_s)
    usual = float(np.median(gaps))
    gaps = np.where(gaps > AWAY_AFTER_S, usual if usual <= AWAY_AFTER_S else 0.0, gaps)
    return np.append(gaps, min(usual, AWAY_AFTER_S)).astype(times_s.dtype)


def episodes(times_s: Times, shown: Sequence[str], confidences: FloatArray) -> list[Episode]:
    """The episodes of one face in order of time, "unsure" left out.

    Args:
        times_s: (T,) seconds, rising.
        shown: T labels, empty for "unsure".
        confidences: (T,) `shown_confidence`, NaN where there is none.
    """
    ends_s = times_s + durations(times_s)
    found: list[tuple[str, float, float, list[float]]] = []
    last_of: dict[str, int] = {}
    for begin, end in _runs(times_s, shown):
        label = shown[begin]
        if not label:
            continue
        sure = confidences[begin:end][~np.isnan(confidences[begin:end])].tolist()
        before = last_of.get(label)
        if before is not None and times_s[begin] - found[before][2] <= _CLOSE_S + 1e-9:
            _, begin_s, _, values = found[before]
            found[before] = (label, begin_s, float(ends_s[end - 1]), values + sure)
            continue
        last_of[label] = len(found)
        found.append((label, float(times_s[begin]), float(ends_s[end - 1]), sure))
    return [
        Episode(label, begin_s, end_s, float(np.mean(values)) if values else float("nan"))
        for label, begin_s, end_s, values in found
    ]


def transitions(times_s: Times, shown: Sequence[str]) -> Counter[tuple[str, str]]:
    """How often a label followed another one while the face stayed in view; "unsure" between two
    is passed over."""
    counts: Counter[tuple[str, str]] = Counter()
    before, before_end_s = "", float("-inf")
    for begin, end in _runs(times_s, shown):
        if times_s[begin] - before_end_s > AWAY_AFTER_S:
            before = ""
        before_end_s = float(times_s[end - 1])
        label = shown[begin]
        if label and before and label != before:
            counts[before, label] += 1
        before = label or before
    return counts


def _runs(times_s: Times, shown: Sequence[str]) -> list[tuple[int, int]]:
    """Begin and end of frames in a row that show one label, without a gap among them."""
    if not len(times_s):
        return []
    names = np.asarray(shown)
    is_new = (names[1:] != names[:-1]) | (np.diff(times_s) > AWAY_AFTER_S)
    edges = [0, *(np.flatnonzero(is_new) + 1).tolist(), len(times_s)]
    return list(pairwise(edges))
