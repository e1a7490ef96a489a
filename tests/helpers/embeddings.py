"""A population of embeddings that is made up: four expressions, and persons who are moved."""

import numpy as np

from fer_live.model.head import Head
from fer_live.model.manifest import EmbeddingStatistics

N_CLASSES, N_VALUES = 4, 24
MEANS = 0.5 * np.random.default_rng(0).normal(size=(N_CLASSES, N_VALUES))
STATISTICS = EmbeddingStatistics(
    class_means=tuple(map(tuple, MEANS.tolist())),
    spread=(0.8,) * N_VALUES,
    class_shares=(0.4, 0.3, 0.2, 0.1),
    n=1000,
)
HEAD = Head((MEANS / 0.64).astype(np.float32), (-(MEANS**2).sum(axis=1) / 1.28).astype(np.float32))
"""The head that answers best for these means and this spread."""


def faces(n_a_class: tuple[int, ...], moved: float = 0.0, seed: int = 1):
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(N_CLASSES), n_a_class)
    # A person's own way of looking: as far from others as expressions are from each other.
    offset = 0.5 * moved * np.random.default_rng(9).normal(size=N_VALUES)
    noise = 0.8 * generator.normal(size=(len(labels), N_VALUES))
    return MEANS[labels] + noise + offset, labels
