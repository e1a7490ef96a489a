"""Is the new model better for this person? By labels it never saw, or by the person's own eyes."""

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.personal.proof import Flicker, LabelGain
from training.personalize.faces import PersonFaces

_RESAMPLES = 10_000
_SEED = 0


def label_gain(
    right_before: NDArray[np.bool_], right_after: NDArray[np.bool_], takes: NDArray[np.str_]
) -> LabelGain:
    """Accuracy before and after on the same N faces, and the bounds of the gain at 95 %.

    A paired bootstrap over whole takes (N,): the faces of one take are nearly the same picture, so
    that to draw them one by one would make a handful of takes look like hundreds of faces. Each
    take counts by its faces.
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
    """Switches of the likeliest label a minute, over each face's own time in each clip; None where
    there is no clip."""
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


def differing(before: FloatArray, after: FloatArray, most: int) -> NDArray[np.int64]:
    """Rows that the two models read differently, at most `most`: those in which they are surest,
    both ways (the smaller of the two leads is largest), as a person can tell these best."""
    old, new = before.argmax(axis=1), after.argmax(axis=1)
    rows = np.flatnonzero(old != new)
    lead_before = before[rows, old[rows]] - before[rows, new[rows]]
    lead_after = after[rows, new[rows]] - after[rows, old[rows]]
    order = np.argsort(-np.minimum(lead_before, lead_after), kind="stable")
    return np.asarray(rows[order][:most], dtype=np.int64)
