"""What a finished retraining says of itself: the gain on takes left out, and what the two models
read differently, for the person's own eyes."""

import numpy as np

from fer_live.datatypes import FloatArray
from fer_live.model.head import Head
from fer_live.personal.calibration import CalibrationStart, Material, read_cut
from fer_live.personal.evidence import Evidence
from fer_live.personal.own_faces import CropChange, OwnFaces, joined
from fer_live.personal.proof import (
    MAX_COMPARED,
    Compared,
    Flicker,
    LabelGain,
    Proof,
    differing,
    save_compared,
)
from training.personalize.task import Task


def prove(
    task: Task,
    material: Material,
    change: CropChange,
    reader: CalibrationStart,
    head: Head,
    evidence: Evidence,
) -> Proof:
    """Compare the new model, which is `reader` with another `head`, with the start on all faces.

    Also writes `compared.npz`, the faces that the person can choose by.
    """
    everything = joined([material.unlabeled, material.labeled], task.manifest.input_side)
    before = read_cut(task.reader, task.reader.head, everything, CropChange())
    after = read_cut(reader, head, everything, change)
    once = np.sort(np.unique(everything.segments, return_index=True)[1])
    rows = once[differing(before[once], after[once], MAX_COMPARED)]
    labels = task.manifest.labels
    save_compared(task.out, Compared(everything.patches[rows], before[rows], after[rows], labels))
    n = len(material.unlabeled)
    return Proof(
        gain=label_gain(evidence, material),
        n_differing=int((before[once].argmax(axis=1) != after[once].argmax(axis=1)).sum()),
        flicker=flicker(before[:n], after[:n], everything.where(np.arange(n))) if n else None,
        skipped=(*material.unlabeled.skipped, *material.labeled.skipped),
    )


def label_gain(evidence: Evidence, material: Material) -> LabelGain | None:
    """The evidence in the form that is kept beside a model; None where no take was left out."""
    if evidence.before is None or evidence.after is None or evidence.interval is None:
        return None
    return LabelGain(
        n_faces=len(material.labeled),
        n_takes=evidence.n_takes,
        before=evidence.before,
        after=evidence.after,
        lower=evidence.interval[0],
        upper=evidence.interval[1],
    )


def flicker(before: FloatArray, after: FloatArray, faces: OwnFaces) -> Flicker | None:
    """Count the switches of the likeliest label per minute, over the time of each clip.

    None where there is no clip.
    """
    seconds = 0.0
    switches = np.zeros(2)
    for take in np.unique(faces.takes):
        rows = np.flatnonzero(faces.takes == take)
        if len(rows) < 2:
            continue
        seconds += float(faces.times_s[rows[-1]] - faces.times_s[rows[0]])
        for number, probs in enumerate((before, after)):
            switches[number] += (np.diff(probs[rows].argmax(axis=1)) != 0).sum()
    if seconds == 0:
        return None
    a_minute = switches / seconds * 60
    return Flicker(before=round(a_minute[0], 1), after=round(a_minute[1], 1))
