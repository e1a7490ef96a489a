"""Measures a trained network, and makes the manifest that tells the figures with the model."""

import base64
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry, Manifest
from training.loop.run import Run
from training.measure.metrics import measure, reliability
from training.models import checkpoint
from training.models.resnet import predict_probs

_PER_IMAGE = ("reliability", "predicted", "truth")
"""What metrics.json has beside the figures, and no manifest."""

UNLABELED = "unlabeled images"
"""Name of the figures on the images whose labels training did not see."""


def validate(run: Run) -> dict[str, float]:
    """Measure the teacher's accuracy on the first evaluation.

    It is for the log only: nothing is chosen by it.
    """
    for evaluation in run.data.evaluations.values():
        probs = _probs(run, [evaluation.images])
        accuracy = measure(probs, evaluation.labels, evaluation.classes).accuracy
        return {"evaluation_acc": round(accuracy, 4)}
    return {}


def final_metrics(run: Run) -> dict[str, Any]:
    """Measure the teacher; returns its figures by the name of what it is measured on.

    Each has its predictions image by image, too. Beside the evaluations these are the unlabeled
    images whose true labels are known: ten times as many, and no semi-supervised run has seen one
    of these labels.
    """
    data, metrics = run.data, dict[str, Any]()
    for name, part in data.evaluations.items():
        metrics[name] = _figures(_probs(run, [part.images]), part.labels, part.classes)
    known = data.hidden_labels >= 0
    if data.evaluations and known.any():
        labels, classes = data.hidden_labels[known], data.labeled.classes
        probs = _probs(run, data.unlabeled.chunks(np.flatnonzero(known)))
        metrics[UNLABELED] = _figures(probs, labels, classes)
    return metrics


def _figures(
    probs: FloatArray, labels: NDArray[np.int64], classes: tuple[str, ...]
) -> dict[str, Any]:
    figures = measure(probs, labels, classes).as_dict()
    return {
        **figures,
        "reliability": reliability(probs, labels),
        "predicted": packed(probs.argmax(axis=1)),
        "truth": packed(labels),
    }


def packed(classes: NDArray[np.int64]) -> str:
    """Write classes (N,), each below 256, as a short text: bytes, compressed, in base64."""
    return base64.b64encode(zlib.compress(classes.astype(np.uint8).tobytes(), 9)).decode()


def unpacked(text: str) -> NDArray[np.int64]:
    """Read the classes (N,) that `packed` wrote."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).astype(np.int64)


def _probs(run: Run, parts: Iterable[UInt8Array]) -> FloatArray:
    """The teacher's probabilities (N, C) of all faces of some arrays (n, S, S) uint8."""
    probs = [
        predict_probs(run.teacher.module, torch.from_numpy(faces).unsqueeze(1).to(run.device))
        for faces in parts
    ]
    return np.asarray(torch.cat(probs).numpy(), dtype=np.float32)


def manifest_of(run: Run, metrics: dict[str, Any]) -> Manifest:
    """Make the manifest of the trained model: what it was trained on and how, with its figures."""
    config, labeled = run.config, run.data.labeled
    return Manifest(
        labels=labeled.classes,
        input_side=config.model.input_side,
        crop=CropGeometry(),
        architecture=checkpoint.architecture(config.model),
        training=_story(run),
        metrics={
            name: {key: value for key, value in figures.items() if key not in _PER_IMAGE}
            for name, figures in metrics.items()
        },
    )


def _story(run: Run) -> dict[str, Any]:
    """What the manifest says of the training."""
    config, data, batches = run.config, run.data, run.batches
    passes = batches.n_steps / batches.steps_per_pass
    story = {
        "method": config.run.method,
        "data": data.labeled.name,
        "n_images": len(data.labeled) + len(data.heldout),
        "n_heldout": len(data.heldout),
        "n_unlabeled": len(data.unlabeled) if batches.uses_unlabeled else 0,
        "unlabeled": list(config.data.unlabeled),
        "targets": config.data.targets,
        "logit_adjustment": config.schedule.logit_adjustment,
        "balance": config.schedule.balance,
        "class_shares": _rounded(batches.class_shares),
        "seed": config.run.seed,
        "precision": run.precision,
        "passes": round(passes, 2),
        "steps": batches.n_steps,
        "labeled_images_seen": batches.n_steps * batches.labeled_a_step,
        "checkpoint": "last EMA teacher",
    }
    if data.source_identity is not None:
        story["data_identity"] = data.source_identity.model_dump()
    if config.schedule.start_from:
        start = checkpoint.load_model(Path(config.schedule.start_from))[1]
        story["start"] = start.training
    for name in ("evaluation_only", "evaluation_without"):
        if path := getattr(config.data, name):
            story[name] = Path(path).name
    thresholds = run.method.thresholds(passes)
    if thresholds is not None:
        story["thresholds"] = _rounded(thresholds)
    return story


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(value, 5) for value in values.tolist()]
