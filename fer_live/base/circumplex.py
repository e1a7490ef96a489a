"""Valence and arousal, derived from the probabilities of the eight expressions.

Nothing about them is measured in a face: they are the mean place of the eight expressions on the
plane of Russell's circumplex ("A circumplex model of affect", 1980), weighed by their
probabilities. The places are the pleasure and arousal that people gave to the words in Russell &
Mehrabian, "Evidence for a three-factor theory of emotions", Journal of Research in Personality 11
(1977), 273-294, a table of 151 terms: happy, surprised, sad, angry, disgusted and fearful. Neutral
is the middle of both scales. Contempt is no term of that table; it lies midway between anger and
disgust, of which it is the blend in Plutchik, "Emotion: a psychoevolutionary synthesis" (1980).
"""

import numpy as np

from fer_live.datatypes import FloatArray

VALENCE_AROUSAL: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "surprise": (0.40, 0.67),
    "sadness": (-0.63, -0.27),
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "contempt": (-0.555, 0.47),
}
"""Expression -> valence and arousal, each -1 to 1."""

DERIVED_COLUMNS = ("valence", "arousal")
"""The columns of `derived_columns`, in order."""


def derived_valence_arousal(probs: FloatArray, labels: tuple[str, ...]) -> FloatArray:
    """Derive valence and arousal from probabilities.

    Args:
        probs: Probabilities, (..., C), raw or smoothed, in the order of `labels`.
        labels: The C expressions of the model. Those of a person's own have no place on the plane
            and do not count: the others are taken as if they were alone.

    Returns:
        (..., 2) float32: valence (unpleasant -1 to pleasant 1) and arousal (calm -1 to excited 1);
        NaN where none of the labels is one of the eight expressions, or none has a probability.

    Raises:
        ValueError: `probs` has not one value for each label.
    """
    if probs.shape[-1:] != (len(labels),):
        raise ValueError(f"probs: expected (..., {len(labels)}), got {probs.shape}")
    known = [index for index, label in enumerate(labels) if label in VALENCE_AROUSAL]
    if not known:
        return np.full((*probs.shape[:-1], 2), np.nan, np.float32)
    places = np.array([VALENCE_AROUSAL[labels[index]] for index in known])
    among = np.asarray(probs, np.float64)[..., known]
    total = among.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(among @ places / np.where(total > 0, total, np.nan), np.float32)


def derived_columns(probs: FloatArray, labels: tuple[str, ...]) -> dict[str, float | None]:
    """The derived values of one face as cells of its row, by the names in `DERIVED_COLUMNS`.

    `probs` (C,) are the raw ones, as everywhere in rows; None is an empty cell.
    """
    values = derived_valence_arousal(probs, labels).tolist()
    return {
        name: None if np.isnan(value) else round(value, 4)
        for name, value in zip(DERIVED_COLUMNS, values, strict=True)
    }
