"""`fer-train calibrate`: one temperature, and how far probabilities are from what they promise.

Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017). The figures
are cross-fitted: the images are halved, and each half is read at the temperature that fits the
other one, so that no image is measured at a temperature it took part in choosing. The temperature
that goes into the model fits both halves.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.errors import InputError
from fer_live.model.manifest import LEAST_TEMPERATURE, MOST_TEMPERATURE, Manifest
from training.data.labeled_images import LabeledImages
from training.data.splits import draw_share
from training.measure.evaluate import load_crops
from training.measure.metrics import expected_calibration_error
from training.models.checkpoint import load_model, save_model
from training.models.resnet import ExpressionNet, predict_logits

_RESAMPLES = 1000
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well calibrated a model is, before and after its temperature was fitted.

    `temperature` fits all images, `fold_temperatures` the two halves. `ece` is cross-fitted and
    `ece_at_1` what it is at temperature 1. `ece_interval` is the 95 % basic bootstrap interval of
    `ece`, because resampling by itself adds to an ECE. `ece_if_perfect` is the mean ECE of labels
    drawn from the probabilities themselves, and `ece_if_perfect_interval` its 95 % interval: on so
    many images no model shows less.
    """

    n: int
    temperature: float
    fold_temperatures: tuple[float, float]
    ece_at_1: float
    ece: float
    ece_interval: tuple[float, float]
    ece_if_perfect: float
    ece_if_perfect_interval: tuple[float, float]


def calibrate(
    checkpoint: Path,
    data: str,
    out: Path,
    *,
    split: str | None,
    rule: str | None,
    logit_adjustment: float = 0.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit the temperature of a checkpoint, write it to `out` with its figures in the manifest.

    `logit_adjustment` is added to that of training beforehand: rare classes are answered more
    often, below 0 less often (Menon et al., "Long-Tail Learning via Logit Adjustment", ICLR 2021,
    section 4.1: the log of the training shares, times it, is taken from the logits).
    """
    network, manifest = load_model(checkpoint)
    if logit_adjustment:
        manifest = _adjust(network, manifest, logit_adjustment, checkpoint)
    labeled = load_crops(data, split, rule, manifest.input_side, manifest.labels)
    logits = predict_logits(network, torch.from_numpy(labeled.images).unsqueeze(1)).numpy()
    figures = asdict(cross_fit(logits, labeled, seed)) | {"data": labeled.name, "seed": seed}
    # What was measured before was measured at another temperature, which changes only the ECE.
    metrics = {
        name: {key: value for key, value in measured.items() if key != "ece"}
        for name, measured in manifest.metrics.items()
    } | {"calibration": figures}
    update = {"temperature": figures["temperature"], "metrics": metrics}
    save_model(out, network, manifest.model_copy(update=update))
    return figures


def _adjust(
    network: ExpressionNet, manifest: Manifest, adjustment: float, checkpoint: Path
) -> Manifest:
    shares = manifest.training.get("class_shares")
    if not shares or min(shares) <= 0:
        raise InputError(
            f"{checkpoint}: its manifest tells no class shares of its training; train it again, or "
            "leave --logit-adjustment out"
        )
    with torch.no_grad():
        network.classifier.bias.sub_(adjustment * torch.tensor(shares).log())
    training = manifest.training | {
        "logit_adjustment_after": manifest.training.get("logit_adjustment_after", 0.0) + adjustment
    }
    # What was measured before was measured on other answers.
    return manifest.model_copy(update={"training": training, "metrics": {}})


def cross_fit(logits: FloatArray, labeled: LabeledImages, seed: int) -> Calibration:
    """Fit the temperature and compute the figures from `logits` (N, C) of `labeled` images.

    The halves are drawn by `seed`, stratified, equal images on one side.
    """
    first = draw_share(labeled, 0.5, seed)
    if first.all() or not first.any():
        raise InputError(f"{labeled.name}: {len(labeled)} images are too few to halve")
    labels = labeled.labels
    of_first, of_second = (fit_temperature(logits[half], labels[half]) for half in (first, ~first))
    temperatures = np.where(first, of_second, of_first).astype(np.float32)
    probs = _softmax(logits / temperatures[:, None])
    ece = expected_calibration_error(probs, labels)
    generator = np.random.default_rng(seed)
    resampled = [
        expected_calibration_error(probs[rows], labels[rows])
        for rows in generator.integers(0, len(labels), (_RESAMPLES, len(labels)))
    ]
    perfect = [
        expected_calibration_error(probs, _drawn(probs, generator)) for _ in range(_RESAMPLES)
    ]
    return Calibration(
        n=len(labels),
        temperature=fit_temperature(logits, labels),
        fold_temperatures=(of_first, of_second),
        ece_at_1=expected_calibration_error(_softmax(logits), labels),
        ece=ece,
        ece_interval=_reflected(_interval(resampled), about=ece),
        ece_if_perfect=float(np.mean(perfect)),
        ece_if_perfect_interval=_interval(perfect),
    )


def fit_temperature(logits: FloatArray, labels: NDArray[np.int64]) -> float:
    """Fit the temperature of minimal negative log-likelihood; `logits` (N, C), `labels` (N,).

    That of a model that knows nothing has no end; it is cut where a manifest's must be.
    """
    x, y = torch.from_numpy(logits).double(), torch.from_numpy(labels)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(x / log_temperature.exp(), y)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return float(log_temperature.detach().exp().clamp(LEAST_TEMPERATURE, MOST_TEMPERATURE))


def summary(figures: dict[str, Any]) -> str:
    """Tell the figures of a calibration in two lines for a person."""
    low, high = figures["ece_interval"]
    return (
        f"{figures['n']} images: temperature {figures['temperature']:.3f} "
        f"(halves {', '.join(f'{t:.3f}' for t in figures['fold_temperatures'])})\n"
        f"ECE {figures['ece']:.4f}, cross-fitted, 95 % {low:.4f} to {high:.4f}; at temperature 1 "
        f"{figures['ece_at_1']:.4f}; a perfectly calibrated model {figures['ece_if_perfect']:.4f}"
        + _at_bound(figures["temperature"])
    )


def _at_bound(temperature: float) -> str:
    """Say that no temperature fits, where the best one is the least or the most that there is."""
    if LEAST_TEMPERATURE * 1.001 < temperature < MOST_TEMPERATURE / 1.001:
        return ""
    why = (
        "these images are all read right, or nearly so; take images that it was not trained on"
        if temperature < 1
        else "the model hardly knows these images' classes"
    )
    return f"\nthe temperature is at the end of its range: {why}"


def _softmax(logits: FloatArray) -> FloatArray:
    probs = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    return np.asarray(probs, dtype=np.float32)


def _drawn(probs: FloatArray, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw labels (N,) from the probabilities (N, C)."""
    chance = generator.random((len(probs), 1))
    reached = np.cumsum(probs, axis=1) > chance
    drawn = np.where(reached.any(axis=1), reached.argmax(axis=1), probs.shape[1] - 1)
    return np.asarray(drawn, dtype=np.int64)


def _reflected(interval: tuple[float, float], about: float) -> tuple[float, float]:
    low, high = interval
    return max(2 * about - high, 0.0), max(2 * about - low, 0.0)


def _interval(values: list[float]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
