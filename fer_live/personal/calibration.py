"""Calibrates a model to one person in closed form: no gradient through the network, seconds on any
processor, numpy alone.

Four steps, each of which uses what is there and leaves out what is not: the crop of this person and
camera; where their embeddings lie, from faces without and with labels, the rest face among them;
and a classifier of their own, from labeled faces. What comes of it is a crop in the manifest and a
classifier in the model file, which is as fast as before.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import ModelError
from fer_live.model.assets import GPU_MODEL
from fer_live.model.head import Head, among_common, read_head
from fer_live.model.manifest import EmbeddingStatistics, Manifest
from fer_live.personal.crop_search import search_crop
from fer_live.personal.embedding_alignment import (
    UNKNOWN,
    Alignment,
    align_embeddings,
    no_alignment,
)
from fer_live.personal.own_faces import CropChange, OwnFaces, cut_again, is_within_reach, joined
from fer_live.personal.own_head import (
    HOLDS,
    Float64Array,
    clip_rows,
    fit_head,
    labeled_rows,
    other_people,
    target_shares,
    typical_deviation,
)
from fer_live.vision.classifier import ExpressionClassifier

_N_VIEWS = 4
_MAX_FACES_WITH_VIEWS = 150


class FaceReader(Protocol):
    """What reads faces (N, S, S) uint8: an exported model, or a network of the toolkit's."""

    @property
    def manifest(self) -> Manifest: ...

    def classify(self, faces: UInt8Array) -> FloatArray: ...

    def embed(self, faces: UInt8Array) -> FloatArray: ...


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationStart:
    """The model that a calibration begins with, opened in fp32.

    `head` has the rows of the common labels, and `own` those of the person's own expressions. What
    is fitted here is `head` alone, from faces that show a common label; see own_expression.py.
    """

    folder: Path
    classifier: FaceReader
    head: Head
    own: Head
    statistics: EmbeddingStatistics

    @property
    def manifest(self) -> Manifest:
        return self.classifier.manifest

    @classmethod
    def open(cls, folder: Path) -> "CalibrationStart":
        """`folder` holds the variants of a model, or is an fp32 file itself.

        `ModelError` where it cannot be calibrated.
        """
        file = folder if folder.is_file() else folder / GPU_MODEL
        classifier = ExpressionClassifier(file, "cpu")
        if classifier.manifest.embedding is None:
            raise ModelError(
                f"{file}: its manifest has no statistics of other people's embeddings; add them "
                "with fer-train embedding and export it again"
            )
        head, n_common = read_head(file), len(classifier.manifest.common_labels)
        return cls(
            folder,
            classifier,
            head.rows(slice(n_common)),
            head.rows(slice(n_common, None)),
            classifier.manifest.embedding,
        )

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, S, S) uint8 -> (N, C) probabilities of the common labels alone."""
        return among_common(self.classifier.classify(crops), len(self.head.bias))


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What there is of a person: faces without labels, and faces with the labels (L,) of theirs.

    The labels count through the model's common ones, then through `own_labels`, the person's own
    expressions that the new model is to know.
    """

    unlabeled: OwnFaces
    labeled: OwnFaces
    labels: NDArray[np.int64]
    own_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A person's faces as embeddings, float64: of unlabeled ones one row per half second (U, D); of
    labeled ones (L, D), and (L, V, D) of their views, the first of which is the face as it is.

    The mirror image is among the views, and in the mean, of faces with a common label alone: an
    expression of one's own may be one of a side, as "wink left" is.
    """

    crop_change: CropChange
    unlabeled: Float64Array
    labeled: Float64Array
    views: Float64Array
    labels: NDArray[np.int64]
    takes: NDArray[np.str_]
    segments: NDArray[np.int64]
    is_common: NDArray[np.bool_]
    """(L,) whether a face shows a common label, and not an expression of the person's own."""
    own_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A classifier of the common labels for raw embeddings, and how it came about. `hold` is None
    where no label was there to fit it to; `labels_left_out`: labels were, and takes spoke against
    them."""

    head: Head
    alignment: Alignment
    hold: float | None
    labels_left_out: bool = False


def embed_person(
    start: CalibrationStart,
    material: Material,
    *,
    may_cut_again: bool = True,
    crop_change: CropChange | None = None,
) -> Embedded:
    """Choose the crop where none was chosen before, and read all faces of a person by it.

    Expressions of their own have no say in the crop: nothing tells how sure the model should be of
    them.
    """
    is_common = material.labels < len(start.head.bias)
    change = crop_change or CropChange()
    if may_cut_again and crop_change is None:
        parts = [material.unlabeled, material.labeled.where(is_common)]
        change = search_crop(joined(parts, start.manifest.input_side), start.classify)
        if not is_within_reach(change.applied_to(start.manifest.crop)):
            change = CropChange()
    unlabeled = _embed_both_ways(start, cut_again(material.unlabeled, change))
    crops = cut_again(material.labeled, change)
    plain, mirrored = embed_crops(start, crops), embed_crops(start, crops[:, :, ::-1])
    n_with_views = int(is_common.sum()) or len(is_common)
    views = [plain, np.where(is_common[:, None], mirrored, plain)]
    if 0 < n_with_views <= _MAX_FACES_WITH_VIEWS:
        for other in _views(change):
            crops = cut_again(material.labeled, other)
            views.append(_views_of_one_cut(start, crops, is_common))
    return Embedded(
        change,
        _mean_of_segments(unlabeled, material.unlabeled.segments),
        (views[0] + views[1]) / 2,
        np.stack(views, axis=1),
        material.labels,
        material.labeled.takes,
        material.labeled.segments,
        is_common,
        material.own_labels,
    )


def calibrate_embedded(
    start: CalibrationStart,
    person: Embedded,
    learned: NDArray[np.bool_],
    hold: float,
    *,
    with_alignment: bool = True,
    with_head: bool = True,
) -> Calibrated:
    """Fit alignment and classifier; of faces with a common label to those that `learned` (L,) marks
    alone. Faces of the person's own expressions change nothing here.

    Where there are labels of several expressions and nothing else, the classifier does what an
    alignment would: to align as well gained 1 point of balanced recall on simulated persons, and
    cost 5 on faces used nowhere.
    """
    learned = learned & person.is_common
    temperature = start.manifest.temperature
    alignment = no_alignment(start.head.weights.shape[1])
    several = len(np.unique(person.labels[learned])) > 1
    if with_alignment and (len(person.unlabeled) or not (several and with_head)):
        rows, first = np.unique(person.segments[learned], return_index=True)
        known = _mean_of_segments(person.labeled[learned], person.segments[learned])
        labels = person.labels[learned][first] if len(rows) else np.empty(0, np.int64)
        alignment = align_embeddings(
            np.concatenate([person.unlabeled, known]),
            np.concatenate([np.full(len(person.unlabeled), UNKNOWN), labels]),
            start.head,
            temperature,
            start.statistics,
        )
    head, used = start.head, None
    if with_head and several:
        head, used = _own_head(start, person, learned, alignment, hold), hold
    elif alignment.strength > 0:
        head = _kept_head(start, alignment)
    return Calibrated(head.after_affine(alignment.scale, alignment.shift), alignment, used)


def choose_hold(start: CalibrationStart, person: Embedded, folds: list[NDArray[np.bool_]]) -> float:
    """The hold of least loss on takes that were left out; the default where none can be."""
    if not folds:
        return HOLDS[0]
    losses = [
        np.mean(
            [
                _loss(start, person, calibrate_embedded(start, person, ~fold, hold), fold)
                for fold in folds
            ]
        )
        for hold in HOLDS
    ]
    return HOLDS[int(np.argmin(losses))]


def read_probs(start: CalibrationStart, head: Head, embeddings: Float64Array) -> Float64Array:
    """Probabilities (N, C) by a classifier for raw embeddings."""
    logits = embeddings @ head.weights.astype(np.float64).T + head.bias
    logits = logits / start.manifest.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def read_cut(
    start: CalibrationStart, head: Head, faces: OwnFaces, change: CropChange
) -> FloatArray:
    """Probabilities (N, C) of faces by a crop and a classifier, read once each."""
    embeddings = embed_crops(start, cut_again(faces, change))
    return read_probs(start, head, embeddings).astype(np.float32)


def _own_head(
    start: CalibrationStart,
    person: Embedded,
    learned: NDArray[np.bool_],
    alignment: Alignment,
    hold: float,
) -> Head:
    temperature, statistics = start.manifest.temperature, start.statistics
    n_views = person.views.shape[1]
    others = other_people(statistics, start.head, temperature)
    aligned_clip = alignment(person.unlabeled)
    rows = labeled_rows(
        alignment(person.views[learned].reshape(-1, person.views.shape[2])),
        np.repeat(person.labels[learned], n_views),
        np.repeat(person.takes[learned], n_views),
        target_shares(np.array(statistics.class_shares)),
    ).and_also(clip_rows(aligned_clip, start.head, temperature))
    rows = rows.and_also(others if alignment.strength == 0 else others.moved(alignment))
    return fit_head(start.head, rows, temperature, hold, typical_deviation(statistics))


def _kept_head(start: CalibrationStart, alignment: Alignment) -> Head:
    """The start's classifier, changed so that an alignment to one person keeps what it answers for
    other people, who are moved by it as well."""
    temperature, statistics = start.manifest.temperature, start.statistics
    others = other_people(statistics, start.head, temperature).moved(alignment)
    return fit_head(start.head, others, temperature, HOLDS[0], typical_deviation(statistics))


def _loss(
    start: CalibrationStart, person: Embedded, fitted: Calibrated, fold: NDArray[np.bool_]
) -> float:
    """Mean negative log-likelihood of the faces of a fold."""
    probs = read_probs(start, fitted.head, person.labeled[fold])
    right = probs[np.arange(len(probs)), person.labels[fold]]
    return float(-np.log(np.maximum(right, 1e-9)).mean())


def _views(change: CropChange) -> list[CropChange]:
    """A labeled face cut a little otherwise, as key points wander from frame to frame."""
    generator = np.random.default_rng(0)
    return [
        CropChange(
            change.scale * float(np.exp(generator.normal(0, 0.05))),
            change.roll_degrees + float(generator.normal(0, 4)),
            change.shift_y + float(generator.normal(0, 0.02)),
        )
        for _ in range(_N_VIEWS)
    ]


def embed_crops(start: CalibrationStart, crops: UInt8Array) -> Float64Array:
    """The embeddings (N, D) of crops (N, S, S)."""
    if len(crops) == 0:
        return np.empty((0, start.head.weights.shape[1]))
    return start.classifier.embed(np.ascontiguousarray(crops)).astype(np.float64)


def _views_of_one_cut(
    start: CalibrationStart, crops: UInt8Array, is_common: NDArray[np.bool_]
) -> Float64Array:
    views = embed_crops(start, crops)
    views[is_common] += embed_crops(start, crops[is_common][:, :, ::-1])
    views[is_common] /= 2
    return views


def _embed_both_ways(start: CalibrationStart, crops: UInt8Array) -> Float64Array:
    """The mean of a face and its mirror image."""
    return (embed_crops(start, crops) + embed_crops(start, crops[:, :, ::-1])) / 2


def _mean_of_segments(embeddings: Float64Array, segments: NDArray[np.int64]) -> Float64Array:
    """One row per segment: near copies in time count once."""
    _, which = np.unique(segments, return_inverse=True)
    n = int(which.max(initial=-1)) + 1
    sums = np.zeros((n, embeddings.shape[1]))
    np.add.at(sums, which.reshape(-1), embeddings)
    return sums / np.maximum(np.bincount(which.reshape(-1), minlength=n), 1)[:, None]
