"""`fer-train evaluate`: one model, one data set, all figures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError, InputError, ModelError, SourceError
from fer_live.model.head import among_common
from fer_live.model.manifest import Manifest
from fer_live.sources.images import read_image
from fer_live.vision.alignment import align_face
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.detector import FaceDetector
from training.data.folder import list_labeled_files
from training.data.image_files import read_gray_face
from training.data.labeled_images import LabeledImages
from training.data.sources import LABELED_KINDS, split_source
from training.data.splits import load_list
from training.measure.metrics import Metrics, measure
from training.models.checkpoint import load_model
from training.models.resnet import ExpressionNet, predict_probs

_BATCH = 256
ONE_READING = AnswerConfig(readings=1)
"""For figures that are compared with one another while a network learns: half the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What evaluation needs of a model: `predict` turns faces (N, S, S) uint8 into probs (N, C)."""

    manifest: Manifest
    predict: Callable[[UInt8Array], FloatArray]


def evaluate(
    model_path: Path,
    data: str,
    *,
    split: str | None = None,
    rule: str | None = None,
    detect: bool = False,
    classes: str | None = None,
    without: Path | None = None,
    answers: AnswerConfig = DEFAULT_ANSWERS,
) -> dict[str, Any]:
    """Measure a model (.onnx, .safetensors or run folder) as `fer-train evaluate` does.

    `fer2013:DIR` needs `split` and `rule`, `raf-db:DIR` and `affectnet:DIR` need `split`.
    `folder:DIR` takes `detect` (the app's own detector and crop first; a face not found counts as
    wrong) and `classes` ("present": the model chooses only among the labels that the folder has).
    The others take `without`, a split.json whose images are left out: those that chose settings.
    """
    kind, folder = split_source(data, tuple(LABELED_KINDS))
    _check_parts(kind, split, rule, crops_only=detect or classes is not None)
    if kind == "folder" and without is not None:
        raise InputError("--without goes with data sets of crops; name the files of folder:DIR")
    model = open_model(model_path, answers)
    unreadable: list[str] = []
    if kind != "folder":
        labeled = LABELED_KINDS[kind].load(folder, split, rule, model.manifest.input_side)
        if without is not None:
            labeled = labeled.where(~load_list(without, labeled, partly=True))
        metrics = evaluate_crops(model, labeled)
    else:
        metrics, unreadable = _evaluate_folder(
            model, folder, detect=detect, only_present=classes == "present"
        )
    return {
        **metrics.as_dict(),
        "model": str(model_path),
        "data": data,
        "split": split,
        "rule": rule,
        "readings": answers.readings,
        "prior": answers.prior,
        **({} if without is None else {"without": str(without)}),
        **({"unreadable": unreadable} if unreadable else {}),
    }


def load_crops(
    data: str, split: str | None, rule: str | None, side: int, labels: tuple[str, ...]
) -> LabeledImages:
    """Load the part of a data set that `split` and `rule` name; its images are taken as crops.

    Its labels are numbered by `labels`, those of a model. `InputError` or `DataError` says what is
    wrong with the names, `ModelError` which labels the model lacks.
    """
    kind, folder = split_source(data, tuple(LABELED_KINDS))
    _check_parts(kind, split, rule, crops_only=False)
    return _in_labels(LABELED_KINDS[kind].load(folder, split, rule, side), labels)


def _in_labels(labeled: LabeledImages, labels: tuple[str, ...]) -> LabeledImages:
    """Number the labels by a model's; `ModelError` for those that it lacks."""
    occurring = [labeled.classes[index] for index in np.unique(labeled.labels)]
    if unknown := [label for label in occurring if label not in labels]:
        raise ModelError(
            f"{labeled.name}: has {', '.join(unknown)}; the model's labels are {', '.join(labels)}"
        )
    return labeled.in_classes(labels)


def summary(figures: dict[str, Any]) -> str:
    """Tell the figures of an evaluation in two lines for a person."""
    recalls = "  ".join(
        f"{label} {value:.3f}" for label, value in figures["recall"].items() if value is not None
    )
    undetected = (
        f", {figures['n_undetected']} without a face found" if figures["n_undetected"] else ""
    )
    return (
        f"{figures['n']} images{undetected}: accuracy {figures['accuracy']:.4f}, "
        f"balanced {figures['balanced_accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f}, "
        f"ECE {figures['ece']:.4f}\nrecall: {recalls}"
    )


def require_distinct(models: Sequence[Path]) -> None:
    """Refuse a model that is named twice, because figures are told by the models' paths."""
    if len({str(path) for path in models}) < len(models):
        raise InputError("a model is named twice; name each once")


def open_model(path: Path, answers: AnswerConfig = DEFAULT_ANSWERS) -> Model:
    """Open an .onnx, a .safetensors or a run folder; `ModelError` for anything else, and for a
    prior that the model has not.

    Of a model with a person's own expressions, what is measured is the model without them: it
    answers among the common labels, renormalized.
    """
    if path.suffix.lower() == ".onnx":
        # On the CPU: the same figures on every machine.
        classifier = ExpressionClassifier(path, "cpu", answers)
        manifest = classifier.manifest.without_own_labels()
        n_common = len(manifest.labels)
        return Model(
            manifest,
            lambda faces: among_common(_batched(classifier.classify, faces), n_common),
        )
    if path.is_dir() or path.suffix == ".safetensors":
        network, manifest = load_model(path)
        if answers.prior not in manifest.prior_names:
            raise ModelError(
                f"{path}: has no prior {answers.prior}; it has: {', '.join(manifest.prior_names)}"
            )
        return Model(manifest, lambda faces: read_faces(network, manifest, faces, answers))
    raise ModelError(f"{path}: not a model; name an .onnx, a .safetensors or a run folder")


def read_faces(
    network: ExpressionNet,
    manifest: Manifest,
    faces: UInt8Array,
    answers: AnswerConfig = ONE_READING,
) -> FloatArray:
    """Compute the probabilities (N, C) of faces (N, S, S) uint8 by a checkpoint's network.

    They are calibrated as its manifest says.
    """
    if len(faces) == 0:  # convolutions refuse an empty batch
        return np.empty((0, len(manifest.labels)), dtype=np.float32)

    def read(images: UInt8Array) -> FloatArray:
        tensor = torch.from_numpy(np.ascontiguousarray(images)[:, None])
        probs = predict_probs(network, tensor, temperature=manifest.temperature)
        return np.asarray(probs.numpy(), dtype=np.float32)

    probs = read(faces)
    if answers.readings == 2:
        probs = np.asarray((probs + read(faces[:, :, ::-1])) / 2, dtype=np.float32)
    return manifest.with_prior(probs, answers.prior)


def _batched(classify: Callable[[UInt8Array], FloatArray], faces: UInt8Array) -> FloatArray:
    batches = [classify(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)]
    return np.concatenate(batches) if batches else classify(faces)


def _check_parts(kind: str, split: str | None, rule: str | None, *, crops_only: bool) -> None:
    """Refuse a split or a label rule that the kind of data set does not have."""
    splits, rules = LABELED_KINDS[kind].splits, LABELED_KINDS[kind].rules
    wanted = [
        f"{option} {'|'.join(known)}"
        for option, known, given in (("--split", splits, split), ("--labels", rules, rule))
        if known and given not in known
    ]
    if wanted:
        raise InputError(f"{kind} needs {' and '.join(wanted)}")
    if (split is not None and not splits) or (rule is not None and not rules):
        raise InputError(
            f"{kind} has no {'parts' if not splits else 'label rules'}; leave them out"
        )
    if crops_only and kind != "folder":
        raise InputError(f"--detect and --classes go with folder:DIR; {kind} images are crops")


def evaluate_crops(model: Model, labeled: LabeledImages) -> Metrics:
    """Measure on images that are crops already; `ModelError` for labels that the model lacks."""
    labels = model.manifest.labels
    truth = _in_labels(labeled, labels).labels
    return measure(model.predict(labeled.images), truth, labels)


def _evaluate_folder(
    model: Model, folder: Path, *, detect: bool, only_present: bool
) -> tuple[Metrics, list[str]]:
    """The figures of the images that can be read, and a line for each one that cannot."""
    names, side = model.manifest.labels, model.manifest.input_side
    listed = list_labeled_files(folder, names)
    faces: list[UInt8Array] = []
    shown: list[int] = []
    missed: list[int] = []
    unreadable: list[str] = []
    with FaceDetector("auto") if detect else nullcontext() as detector:
        for file, label in zip(_shown(listed.files), listed.labels.tolist(), strict=True):
            try:
                face = (
                    read_gray_face(file, side)
                    if detector is None
                    else _largest_face(file, detector, model.manifest)
                )
            except SourceError as error:
                unreadable.append(str(error))
                continue
            if face is None:
                missed.append(label)
            else:
                shown.append(label)
                faces.append(face)
    if not shown and not missed:
        raise DataError(f"{folder}: none of its images can be read; the first: {unreadable[0]}")
    probs = model.predict(np.array(faces, dtype=np.uint8).reshape(-1, side, side))
    if only_present:
        absent = np.setdiff1d(np.arange(len(names)), [*shown, *missed])
        probs[:, absent] = 0
        probs /= np.maximum(probs.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    truth, undetected = (np.array(labels, dtype=np.int64) for labels in (shown, missed))
    return measure(probs, truth, names, undetected), unreadable


def _largest_face(file: Path, detector: FaceDetector, manifest: Manifest) -> UInt8Array | None:
    """The largest face of an image, cut as the app does; None where no face is found."""
    image_bgr = read_image(file)
    detector.reset()
    detections = detector.detect(image_bgr, 0.0)
    if not detections:
        return None
    largest = max(detections, key=lambda d: float(np.prod(d.box_xyxy[2:] - d.box_xyxy[:2])))
    return align_face(image_bgr, largest, manifest.input_side, manifest.crop)


def _shown(files: tuple[Path, ...]) -> Iterator[Path]:
    return iter(tqdm(files, desc="reading", unit="img", disable=None))
