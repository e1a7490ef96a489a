"""Figures of a classifier, all from its probabilities and the true labels."""

from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of a classifier; macro figures are means over the labels that occur.

    `n` counts all images, `n_undetected` those without a face found, which count as wrong and stand
    in no column of `confusion` (rows: true label, columns: predicted, in label order). `recall` has
    None for a label that does not occur, and so has `recall_interval`, the 95 % interval (Wilson)
    that so many images leave for it. `ece` is the expected calibration error over the images with a
    prediction: 15 equal bins of confidence, |accuracy - mean confidence| weighted by count (Guo et
    al., "On Calibration of Modern Neural Networks", 2017).
    """

    n: int
    n_undetected: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    ece: float
    recall: dict[str, float | None]
    recall_interval: dict[str, tuple[float, float] | None]
    confusion: list[list[int]]
    labels: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain values for JSON."""
        return asdict(self)


def measure(
    probs: FloatArray,
    true_labels: NDArray[np.int64],
    labels: tuple[str, ...],
    undetected_labels: NDArray[np.int64] | None = None,
) -> Metrics:
    """Compare `probs` (N, C) with `true_labels` (N,); `undetected_labels` are of missed faces."""
    if probs.shape != (len(true_labels), len(labels)):
        raise ValueError(f"probs: expected {(len(true_labels), len(labels))}, got {probs.shape}")
    missed = np.zeros(0, dtype=np.int64) if undetected_labels is None else undetected_labels
    n = len(true_labels) + len(missed)
    if n == 0:
        raise ValueError("no image to measure on")
    n_classes = len(labels)
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (true_labels, probs.argmax(axis=1)), 1)
    true_counts = confusion.sum(axis=1) + np.bincount(missed, minlength=n_classes)
    hits = confusion.diagonal()
    present = true_counts > 0
    recall = hits[present] / true_counts[present]
    f1 = 2 * hits[present] / (true_counts + confusion.sum(axis=0))[present]
    recall_by_label: dict[str, float | None] = dict.fromkeys(labels)
    recall_by_label.update(zip(np.array(labels)[present].tolist(), recall.tolist(), strict=True))
    intervals: dict[str, tuple[float, float] | None] = {
        label: wilson_interval(int(hits[i]), int(true_counts[i])) if present[i] else None
        for i, label in enumerate(labels)
    }
    return Metrics(
        n=n,
        n_undetected=len(missed),
        accuracy=float(hits.sum() / n),
        balanced_accuracy=float(recall.mean()),
        macro_f1=float(f1.mean()),
        ece=expected_calibration_error(probs, true_labels),
        recall=recall_by_label,
        recall_interval=intervals,
        confusion=confusion.tolist(),
        labels=list(labels),
    )


def wilson_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the interval of a share of which `hits` of `n` were seen.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927). It holds
    for few images and for shares near 0 too.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = hits / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def expected_calibration_error(
    probs: FloatArray,
    true_labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Compute the ECE of probabilities (N, C); 0 without any image.

    `weights` (N,) say how much each image counts, for shares that are not those of the images.
    """
    counts, confidences, hits = _confidence_bins(probs, true_labels, weights)
    total = float(counts.sum())
    return float(np.abs(hits - confidences).sum() / total) if total else 0.0


def reliability(probs: FloatArray, true_labels: NDArray[np.int64]) -> list[dict[str, float]]:
    """Describe each bin of the ECE that is not empty: `n` images, mean `confidence`, `accuracy`."""
    bins = zip(*_confidence_bins(probs, true_labels), strict=True)
    return [
        {"n": int(n), "confidence": float(confidence / n), "accuracy": float(hits / n)}
        for n, confidence, hits in bins
        if n
    ]


def _confidence_bins(
    probs: FloatArray,
    true_labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sum images, confidences and right answers in each bin of the ECE, by their weights."""
    each = np.ones(len(probs)) if weights is None else weights
    confidence = probs.max(axis=1).astype(np.float64)
    right = probs.argmax(axis=1) == true_labels
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    counts, confidences, hits = (
        np.bincount(bins, weights=each * values, minlength=ECE_BINS)
        for values in (np.ones(len(bins)), confidence, right.astype(np.float64))
    )
    return counts.astype(np.float64), confidences.astype(np.float64), hits.astype(np.float64)
