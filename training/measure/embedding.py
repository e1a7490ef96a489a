"""`fer-train embedding`: what other people's faces look like to a network, in few numbers.

They go into the manifest, and from there into every exported file, so that the app can compare a
person's embeddings with other people's without any picture of them. Means and spread are of
embeddings that the labels put apart, so they are taken from labeled faces of the training set: the
app's own, and none that the model is measured on.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError
from fer_live.model.manifest import EmbeddingStatistics
from training.data.labeled_images import LabeledImages
from training.measure.evaluate import load_crops
from training.models.checkpoint import load_model, save_model
from training.models.resnet import ExpressionNet, scale_faces

N_DIRECTIONS = 64
"""Of the spread. With 16, a person's own labels cost twice as much on faces used nowhere; 64 of 384
numbers make the manifest 220 kB larger."""
_DIGITS = 5
_BATCH = 256


def add_embedding_statistics(
    checkpoint: Path, data: str, out: Path, *, split: str | None, rule: str | None
) -> EmbeddingStatistics:
    """Write `checkpoint` to `out` with the statistics of labeled faces in its manifest."""
    network, manifest = load_model(checkpoint)
    labeled = load_crops(data, split, rule, manifest.input_side, manifest.labels)
    found = embedding_statistics(embed(network, labeled.images), labeled)
    save_model(out, network, manifest.model_copy(update={"embedding": found}))
    return found


def embed(network: ExpressionNet, faces: UInt8Array) -> FloatArray:
    """Compute the embeddings (N, D) float32 of faces (N, S, S) uint8."""
    with torch.inference_mode():
        parts = [
            network.read(scale_faces(batch)).embedding
            for batch in torch.split(torch.from_numpy(faces[:, None]), _BATCH)
        ]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)


def embedding_statistics(embeddings: FloatArray, labeled: LabeledImages) -> EmbeddingStatistics:
    """Describe embeddings (N, D) of labeled faces, every class alike.

    The covariance around the class means is the mean of the classes' own, so that frequent
    expressions do not decide how faces spread. In each of its main directions a class has a scale
    of its own, because smiles vary otherwise than neutral faces do. `DataError` where a class has
    fewer than two faces.
    """
    counts = np.bincount(labeled.labels, minlength=len(labeled.classes))
    if (counts < 2).any():
        name = labeled.classes[int(counts.argmin())]
        raise DataError(f"{labeled.name}: fewer than two faces of {name}; name another data set")
    values = embeddings.astype(np.float64)
    means = np.stack([values[labeled.labels == c].mean(axis=0) for c in range(len(counts))])
    centered = (values - means[labeled.labels]) / np.sqrt(counts * len(counts))[
        labeled.labels, None
    ]
    covariance = centered.T @ centered
    eigenvalues, vectors = np.linalg.eigh(covariance)
    strongest = np.argsort(-eigenvalues)[: min(N_DIRECTIONS, values.shape[1] - 1)]
    directions = (vectors[:, strongest] * np.sqrt(eigenvalues[strongest].clip(0))).T
    along = np.stack(
        [
            ((values[labeled.labels == c] - means[c]) @ vectors[:, strongest]).std(axis=0)
            for c in range(len(counts))
        ]
    )
    scales = along / np.sqrt(eigenvalues[strongest].clip(1e-12))
    left = np.diag(covariance) - (directions**2).sum(axis=0)
    return EmbeddingStatistics(
        class_means=tuple(_rounded(row) for row in means),
        spread=_rounded(np.sqrt(left.clip(1e-12))),
        directions=tuple(_rounded(row) for row in directions),
        class_scales=tuple(_rounded(row) for row in scales),
        class_shares=_rounded(counts / counts.sum()),
        n=len(values),
        data=labeled.name,
    )


def summary(statistics: EmbeddingStatistics) -> str:
    """Tell in one line what they are made from."""
    return (
        f"{len(statistics.class_means)} class means of {len(statistics.spread)} numbers and "
        f"{len(statistics.directions)} directions of spread, from {statistics.n} faces of "
        f"{statistics.data}"
    )


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)
