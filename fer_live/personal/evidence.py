"""Does a calibration read this person better? Whole takes that it never saw tell.

The rule, written before anything was measured: the j-th take of each expression is left out in
turn (of expressions with two takes or more), everything but the crop is fitted to the rest, and the
faces left out are read before and after. Each take is right by the share of its faces, each
expression counts alike (balanced recall). The gain has a 95 % interval by a paired bootstrap over
takes.

- fewer than `MIN_TAKES` takes: nothing is proven, whatever was measured;
- the interval lies above 0: proven;
- the gain is 0 or below: the evidence speaks against it;
- else: not proven.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_live.personal.calibration import (
    CalibrationStart,
    Embedded,
    calibrate_embedded,
    choose_hold,
    read_probs,
)
from fer_live.personal.own_head import Float64Array
from fer_live.personal.proof import MIN_TAKES

Verdict = Literal["proven", "against", "unproven", "too few takes"]
MAX_FOLDS = 3
_RESAMPLES = 10_000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Balanced recall on takes that were left out, before and after, in shares, and the interval of
    their difference at 95 %; None where no take could be left out.

    `n_right_before` and `n_right_after` count the takes most of whose faces were read right.
    """

    n_takes: int = 0
    before: float | None = None
    after: float | None = None
    interval: tuple[float, float] | None = None
    n_right_before: int = 0
    n_right_after: int = 0

    @property
    def verdict(self) -> Verdict:
        if self.before is None or self.after is None or self.interval is None:
            return "too few takes"
        if self.n_takes < MIN_TAKES:
            return "too few takes"
        if self.interval[0] > 0:
            return "proven"
        return "against" if self.after <= self.before else "unproven"


def take_folds(
    labels: NDArray[np.int64], takes: NDArray[np.str_], among: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    """Masks (L,) of faces to leave out in turn: one take of each expression that has several."""
    folds = [np.zeros(len(labels), dtype=np.bool_) for _ in range(MAX_FOLDS)]
    for label in np.unique(labels[among]):
        names = np.unique(takes[among & (labels == label)])
        if len(names) < 2:
            continue
        for number, name in enumerate(names.tolist()):
            folds[number % min(len(names), MAX_FOLDS)] |= (
                among & (labels == label) & (takes == name)
            )
    return [fold for fold in folds if fold.any()]


def gather_evidence(start: CalibrationStart, person: Embedded) -> Evidence:
    """Leave takes out in turn, and read them before and after, among the common labels."""
    folds = take_folds(person.labels, person.takes, person.is_common)
    if not folds:
        return Evidence()
    after = np.zeros(len(person.labels), dtype=np.bool_)
    for fold in folds:
        rest = person.is_common & ~fold
        hold = choose_hold(start, person, take_folds(person.labels, person.takes, rest))
        fitted = calibrate_embedded(start, person, ~fold, hold)
        probs = read_probs(start, fitted.head, person.labeled[fold])
        after[fold] = probs.argmax(axis=1) == person.labels[fold]
    tested = np.logical_or.reduce(folds)
    before = read_probs(start, start.head, person.labeled).argmax(axis=1) == person.labels
    return weigh(before[tested], after[tested], person.labels[tested], person.takes[tested])


def weigh(
    right_before: NDArray[np.bool_],
    right_after: NDArray[np.bool_],
    labels: NDArray[np.int64],
    takes: NDArray[np.str_],
) -> Evidence:
    """Compare faces (N,) read right before and after, take by take."""
    names, first, which = np.unique(takes, return_index=True, return_inverse=True)
    sizes = np.bincount(which, minlength=len(names))
    before = np.bincount(which, right_before, len(names)) / sizes
    after = np.bincount(which, right_after, len(names)) / sizes
    of_label = labels[first]
    counts = 1.0 / np.bincount(of_label)[of_label]
    return Evidence(
        n_takes=len(names),
        before=float(before @ counts / counts.sum()),
        after=float(after @ counts / counts.sum()),
        interval=_interval(after - before, counts),
        n_right_before=int((before > 0.5).sum()),
        n_right_after=int((after > 0.5).sum()),
    )


def _interval(gains: Float64Array, counts: Float64Array) -> tuple[float, float]:
    """Of the weighted mean gain, by a bootstrap over takes."""
    drawn = np.random.default_rng(_SEED).integers(0, len(gains), (_RESAMPLES, len(gains)))
    resampled = (gains * counts)[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    lower, upper = np.percentile(resampled, [2.5, 97.5])
    return float(lower), float(upper)
