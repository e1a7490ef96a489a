"""Where a person's embeddings lie, compared with other people's: a scale and a shift that fold into
the classifier.

A face, a light or a camera moves all of a person's embeddings alike. Which way is told by the
difference between each expression's mean here and in the manifest. A face with a label counts for
its expression, the rest face so for neutral; one without counts for each expression by its
probability, and those are computed again after the first move. So a clip in which somebody smiles
all the time is compared with smiles, never with everybody's mean. Every expression counts nearly
alike, however often it is shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.model.head import Head
from fer_live.model.manifest import EmbeddingStatistics
from fer_live.personal.own_head import Float64Array, probabilities

UNKNOWN = -1
"""The label of a face that has none."""

_ROUNDS = 2
_FACES_FOR_A_CLASS = 3.0
"""Faces from which on a class counts for half of what a class with many does."""
_FACES_FOR_A_SHIFT = 4.0
"""Independent faces that move halfway. Seven unlabeled images, one of each look, moved all the way
gained 20 points on ten real persons (measured from outside), so that few faces are trusted."""
_FACES_FOR_A_SCALE = 100.0
"""Independent faces that scale halfway: a deviation takes more faces than a mean."""
_MAX_SCALE = 2.0
_MIN_VARIETY, _FULL_VARIETY = 1.0, 4.0
"""Expressions shown, by the exponential of their entropy. With one, nothing unlabeled is moved:
the model's own answer alone says which it is. With three to six, moving to everybody's mean lost 6
points (measured from outside)."""
_TRUST_IN_LABELS = 0.5
"""Of the rest face alone: where it lies is known, but not that other expressions lie so too."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """embedding -> scale * embedding + shift, both (D,); `strength` 0 to 1, how far it was moved;
    `variety`, how many expressions are shown, 1 to C."""

    scale: Float64Array
    shift: Float64Array
    strength: float = 0.0
    variety: float = 0.0

    def __call__(self, embeddings: Float64Array) -> Float64Array:
        return embeddings * self.scale + self.shift

    def statistics_before(self, statistics: EmbeddingStatistics) -> EmbeddingStatistics:
        """Other people's embeddings as this person's, not aligned: what calibrating again starts
        from."""
        means = (np.array(statistics.class_means) - self.shift) / self.scale
        directions = np.array(statistics.directions).reshape(-1, len(self.scale)) / self.scale
        return statistics.model_copy(
            update={
                "class_means": tuple(_rounded(row) for row in means),
                "spread": _rounded(np.array(statistics.spread) / self.scale),
                "directions": tuple(_rounded(row) for row in directions),
            }
        )


def no_alignment(n_values: int) -> Alignment:
    """What changes nothing."""
    return Alignment(np.ones(n_values), np.zeros(n_values))


def align_embeddings(
    embeddings: Float64Array,
    labels: NDArray[np.int64],
    head: Head,
    temperature: float,
    statistics: EmbeddingStatistics,
) -> Alignment:
    """Align a person's embeddings (N, D), one row per half second; `labels` (N,) are `UNKNOWN`
    where there is none. With no row, nothing is changed."""
    found = no_alignment(embeddings.shape[1])
    if len(embeddings) == 0:
        return found
    n_classes = len(statistics.class_means)
    known = np.eye(n_classes)[np.maximum(labels, 0)]
    for _ in range(_ROUNDS):
        guessed = probabilities(head, found(embeddings), temperature)
        of_class = np.where((labels != UNKNOWN)[:, None], known, guessed)
        found = _moved(embeddings, of_class, statistics, labels)
    return found


def _moved(
    embeddings: Float64Array,
    of_class: Float64Array,
    statistics: EmbeddingStatistics,
    labels: NDArray[np.int64],
) -> Alignment:
    """Move to other people's mean and deviation of the expressions that are shown."""
    n_of_class = of_class.sum(axis=0)
    counts = np.maximum(n_of_class, 1e-9)
    share = n_of_class / (n_of_class + _FACES_FOR_A_CLASS)
    share /= share.sum()
    n_independent = 1 / float((share**2 / counts).sum())
    often = n_of_class / n_of_class.sum()
    variety = float(np.exp(-(often * np.log(np.maximum(often, 1e-12))).sum()))
    trust = (variety - _MIN_VARIETY) / (_FULL_VARIETY - _MIN_VARIETY)
    trust = min(max(trust, _TRUST_IN_LABELS if (labels != UNKNOWN).all() else 0.0), 1.0)
    strength = trust * n_independent / (n_independent + _FACES_FOR_A_SHIFT)
    means = np.array(statistics.class_means)
    directions = np.array(statistics.directions).reshape(-1, means.shape[1])
    within = np.array(statistics.spread) ** 2 + (directions**2).sum(axis=0)
    of_face = of_class @ (share / counts)
    here, there = of_face @ embeddings, share @ means
    spread_here = np.sqrt(of_face @ (embeddings - here) ** 2)
    spread_there = np.sqrt(within + share @ (means - there) ** 2)
    least = 0.01 * float(spread_there.mean())  # values that are always 0 have no deviation
    ratio = np.clip((spread_there + least) / (spread_here + least), 1 / _MAX_SCALE, _MAX_SCALE)
    scale = ratio ** (trust * n_independent / (n_independent + _FACES_FOR_A_SCALE))
    shift = here + strength * (there - here) - scale * here
    return Alignment(scale, shift, strength, variety)


def _rounded(values: Float64Array) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in values)
