"""Stage 3 of a retraining: is the new model better for this person?

The proof is by labels that training never saw, or else by the person's own eyes.
"""

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.personal.proof import (
    MAX_COMPARED,
    Compared,
    Flicker,
    LabelGain,
    Proof,
    differing,
    save_compared,
)
from training.measure.evaluate import read_faces
from training.models.resnet import ExpressionNet
from training.personalize.collect import PersonFaces
from training.personalize.faces import PersonData
from training.personalize.learn import Learned
from training.personalize.progress import OnProgress
from training.personalize.task import Task

_RESAMPLES = 10_000
_SEED = 0


def prove(task: Task, person: PersonData, learned: Learned, on_progress: OnProgress) -> Proof:
    """Compare the new network with the one it started from, on all faces of the person.

    Also writes `compared.npz`, the faces that the person can choose by.
    """
    on_progress("prove", 0.0)
    gain = _gain(task, person, learned)
    images = person.unlabeled.images
    networks = (task.network, learned.network)
    before, after = (read_faces(network, task.manifest, images) for network in networks)
    rows = differing(before, after, MAX_COMPARED)
    compared = Compared(images[rows], before[rows], after[rows], task.manifest.labels)
    save_compared(task.out, compared)
    return Proof(
        gain=gain,
        n_differing=int((before.argmax(axis=1) != after.argmax(axis=1)).sum()),
        flicker=flicker(before, after, person.unlabeled),
        skipped=person.skipped,
    )


def _gain(task: Task, person: PersonData, learned: Learned) -> LabelGain | None:
    """Measure the gain on labeled faces, each read by a network that has never learned it."""
    if not learned.held_out:
        return None
    held_out = learned.held_out

    def read(network: ExpressionNet, rows: NDArray[np.int64]) -> FloatArray:
        return read_faces(network, task.manifest, person.labeled.images[rows])

    rows = np.concatenate([held.rows for held in held_out])
    before = np.concatenate([read(task.network, held.rows) for held in held_out])
    after = np.concatenate([read(held.network, held.rows) for held in held_out])
    truth = person.labeled.labels[rows]
    return label_gain(
        before.argmax(axis=1) == truth, after.argmax(axis=1) == truth, person.takes[rows]
    )


def label_gain(
    right_before: NDArray[np.bool_], right_after: NDArray[np.bool_], takes: NDArray[np.str_]
) -> LabelGain:
    """Compare the accuracy before and after on the same N faces, with bounds of the gain at 95 %.

    The bounds are those of a paired bootstrap over whole takes (N,): the faces of one take are
    nearly the same picture, so that to draw them one by one would make a handful of takes look like
    hundreds of faces. Each take counts by its faces.
    """
    names, which = np.unique(takes, return_inverse=True)
    gains = np.bincount(which, right_after.astype(float) - right_before, len(names))
    counts = np.bincount(which, minlength=len(names))
    drawn = np.random.default_rng(_SEED).integers(0, len(names), (_RESAMPLES, len(names)))
    resampled = gains[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    lower, upper = np.percentile(resampled, [2.5, 97.5])
    return LabelGain(
        n_faces=len(takes),
        n_takes=len(names),
        before=float(right_before.mean()),
        after=float(right_after.mean()),
        lower=float(lower),
        upper=float(upper),
    )


def flicker(before: FloatArray, after: FloatArray, faces: PersonFaces) -> Flicker | None:
    """Count the switches of the likeliest label per minute, over each face's own time in each clip.

    None where there is no clip.
    """
    seconds = 0.0
    switches = np.zeros(2)
    keys = list(zip(faces.files.tolist(), faces.tracks.tolist(), strict=True))
    for key in dict.fromkeys(keys):
        rows = np.flatnonzero([other == key for other in keys])
        if len(rows) < 2:
            continue
        seconds += float(faces.times_s[rows[-1]] - faces.times_s[rows[0]])
        for number, probs in enumerate((before, after)):
            switches[number] += (np.diff(probs[rows].argmax(axis=1)) != 0).sum()
    if seconds == 0:
        return None
    a_minute = switches / seconds * 60
    return Flicker(before=round(a_minute[0], 1), after=round(a_minute[1], 1))
