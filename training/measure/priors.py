"""`fer-train priors`: two ways to weigh the expressions, each calibrated for its own shares.

A prior divides the log-probabilities by a temperature and adds a bias to each label. Everyday
changes nothing: it is the model as `fer-train calibrate` left it, so that what is answered stays
the mean of two readings. For expressive the bias is -k * log(share of the label among the images),
with k and the temperature of least negative log-likelihood where every class weighs alike; k = 1
would take the shares out altogether (Menon et al., "Long-Tail Learning via Logit Adjustment", ICLR
2021), and a network that was trained with an adjustment already needs less.

The figures are cross-fitted: each half of the images is read by the prior that fits the other.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.errors import InputError
from fer_live.model.manifest import EVERYDAY, LEAST_TEMPERATURE, MAX_BIAS, MOST_TEMPERATURE
from fer_live.vision.answers import DEFAULT_ANSWERS
from training.data.labeled_images import LabeledImages
from training.data.splits import draw_share
from training.measure.evaluate import load_crops, read_faces
from training.measure.metrics import expected_calibration_error
from training.models.checkpoint import load_model, save_model

EXPRESSIVE = "expressive"
_STEPS = 60
_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class FittedPrior:
    """`strength` is k. `accuracy` is that on the images, `balanced_accuracy` the mean of the
    recalls; `ece` is weighed as the prior is, `ece_if_perfect` what a perfectly calibrated model
    would show on so many images."""

    strength: float
    temperature: float
    bias: tuple[float, ...]
    accuracy: float
    balanced_accuracy: float
    ece: float
    ece_if_perfect: float


def add_priors(
    checkpoint: Path, data: str, out: Path, *, split: str | None, rule: str | None, seed: int = 0
) -> dict[str, Any]:
    """Write `checkpoint` to `out` with both priors in its manifest; returns the figures."""
    network, manifest = load_model(checkpoint)
    labeled = load_crops(data, split, rule, manifest.input_side, manifest.labels)
    manifest = manifest.model_copy(update={"priors": {}, "prior_temperatures": {}})
    faces = labeled.images
    probs = read_faces(network, manifest, faces, DEFAULT_ANSWERS)
    fitted = fit_priors(probs, labeled, seed)
    figures: dict[str, Any] = {name: asdict(prior) for name, prior in fitted.items()}
    figures |= {"n": len(labeled), "data": labeled.name, "seed": seed}
    update = {
        "priors": {name: prior.bias for name, prior in fitted.items()},
        "prior_temperatures": {name: prior.temperature for name, prior in fitted.items()},
        "metrics": manifest.metrics | {"priors": figures},
    }
    save_model(out, network, manifest.model_copy(update=update))
    return figures


def fit_priors(probs: FloatArray, labeled: LabeledImages, seed: int) -> dict[str, FittedPrior]:
    """Fit both priors to probabilities (N, C) of labeled images."""
    counts = np.bincount(labeled.labels, minlength=len(labeled.classes))
    if (counts < 2).any():
        name = labeled.classes[int(counts.argmin())]
        raise InputError(f"{labeled.name}: fewer than two faces of {name}; name another data set")
    alike = (1 / counts)[labeled.labels]
    weights = {EVERYDAY: np.ones(len(labeled)), EXPRESSIVE: alike}
    return {
        name: _fitted(probs, labeled, weights[name], seed, is_fixed=name == EVERYDAY)
        for name in weights
    }


def _fitted(
    probs: FloatArray,
    labeled: LabeledImages,
    weights: NDArray[np.float64],
    seed: int,
    *,
    is_fixed: bool,
) -> FittedPrior:
    labels = labeled.labels
    log_shares = np.log(np.bincount(labels, minlength=len(labeled.classes)) / len(labels))
    logs = np.log(np.maximum(probs.astype(np.float64), 1e-30))

    def answer(strength: float, temperature: float, rows: NDArray[np.bool_]) -> FloatArray:
        logits = logs[rows] / temperature - strength * log_shares
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)

    def fit(rows: NDArray[np.bool_]) -> tuple[float, float]:
        if is_fixed:
            return 0.0, 1.0
        return _least_loss(logs[rows], labels[rows], weights[rows], log_shares)

    first = draw_share(labeled, 0.5, seed)
    crossed = np.empty_like(probs)
    crossed[first], crossed[~first] = answer(*fit(~first), first), answer(*fit(first), ~first)
    everything = np.ones(len(labels), dtype=np.bool_)
    strength, temperature = fit(everything)
    right = crossed.argmax(axis=1) == labels
    recalls = [right[labels == label].mean() for label in np.unique(labels)]
    return FittedPrior(
        strength=strength,
        temperature=temperature,
        bias=tuple(float(f"{-strength * share:.6g}") for share in log_shares),
        accuracy=float(right.mean()),
        balanced_accuracy=float(np.mean(recalls)),
        ece=expected_calibration_error(crossed, labels, weights),
        ece_if_perfect=_ece_if_perfect(crossed, weights, seed),
    )


def _least_loss(
    logs: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    log_shares: NDArray[np.float64],
) -> tuple[float, float]:
    """The strength and the temperature of least weighted negative log-likelihood."""
    x, y, w = torch.from_numpy(logs), torch.from_numpy(labels), torch.from_numpy(weights)
    shares = torch.from_numpy(log_shares)
    free = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([free], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = x / free[1].exp() - free[0] * shares
        losses = torch.nn.functional.cross_entropy(logits, y, reduction="none")
        value = (losses * w).sum() / w.sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    strength, log_temperature = free.detach().tolist()
    temperature = np.clip(np.exp(log_temperature), LEAST_TEMPERATURE, MOST_TEMPERATURE)
    largest = MAX_BIAS / max(np.abs(log_shares).max(), 1e-9)  # of a model that knows nothing
    return float(np.clip(strength, -largest, largest)), float(temperature)


def _ece_if_perfect(probs: FloatArray, weights: NDArray[np.float64], seed: int) -> float:
    """The mean ECE of labels drawn from the probabilities themselves."""
    generator = np.random.default_rng(seed)
    reached = np.cumsum(probs, axis=1)
    last = probs.shape[1] - 1
    drawn = [
        np.minimum((reached < generator.random((len(probs), 1))).sum(axis=1), last)
        for _ in range(_RESAMPLES)
    ]
    return float(np.mean([expected_calibration_error(probs, labels, weights) for labels in drawn]))


def summary(figures: dict[str, Any]) -> str:
    """One line a prior, for a person."""
    lines = []
    for name in (EVERYDAY, EXPRESSIVE):
        prior = figures[name]
        lines.append(
            f"{name}: strength {prior['strength']:.3f}, temperature {prior['temperature']:.3f}; "
            f"accuracy {prior['accuracy']:.4f}, balanced {prior['balanced_accuracy']:.4f}, "
            f"ECE {prior['ece']:.4f} ({prior['ece_if_perfect']:.4f} if perfect)"
        )
    return "\n".join([f"{figures['n']} images, cross-fitted", *lines])
