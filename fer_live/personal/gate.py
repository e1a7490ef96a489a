"""Chooses what a person's calibration is fitted to, by what their takes say.

The rule, for the labels that everyone has: labels and clips together, unless the takes speak
against it (`evidence`). Then the person's faces without a label are tried alone: no take is
learned, so that all of them are left out. Where the takes speak against that as well, against is
what the evidence says.
"""

from dataclasses import replace

import numpy as np

from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Embedded,
    calibrate_embedded,
    choose_hold,
    read_probs,
)
from fer_live.personal.evidence import Evidence, gather_evidence, take_folds, weigh


def choose_calibration(start: CalibrationStart, person: Embedded) -> tuple[Calibrated, Evidence]:
    """The calibration of a person, and what takes say that it was not fitted to."""
    evidence = gather_evidence(start, person)
    if evidence.verdict == "against" and len(person.unlabeled) and person.is_common.any():
        alone = calibrate_embedded(
            start, person, np.zeros(len(person.labels), dtype=np.bool_), 1.0, with_head=False
        )
        of_clips = _weighed(start, person, alone)
        if of_clips.verdict != "against":
            return replace(alone, labels_left_out=True), of_clips
    common = person.is_common
    hold = choose_hold(start, person, take_folds(person.labels, person.takes, common))
    return calibrate_embedded(start, person, common, hold), evidence


def _weighed(start: CalibrationStart, person: Embedded, fitted: Calibrated) -> Evidence:
    """Read every face that has a common label before and after."""
    common = person.is_common
    labels = person.labels[common]
    before, after = (
        read_probs(start, head, person.labeled[common]).argmax(axis=1) == labels
        for head in (start.head, fitted.head)
    )
    return weigh(before, after, labels, person.takes[common])
