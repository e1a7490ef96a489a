"""Loads data sets by their name on the command line and in configs, `KIND:FOLDER`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError
from fer_live.plain_text import say
from training.config import DataConfig
from training.data import affectnet, fer2013, raf_db
from training.data.affectnet import load_affectnet
from training.data.face_pool import FacePool, LabeledFaces, fingerprints
from training.data.fer2013 import load_fer2013
from training.data.folder import load_labeled_folder
from training.data.identity import DataIdentity, identity_of, identity_of_choice
from training.data.image_files import load_clips, load_image_folder, load_photos
from training.data.labeled_images import FaceImages, LabeledImages, resize_faces
from training.data.mapped import load_mapped, load_mapped_faces, packed_side
from training.data.raf_db import load_raf_db
from training.data.splits import (
    SplitList,
    draw_heldout,
    draw_per_class,
    draw_share,
    load_list,
    to_list,
)

WITHHELD = "withheld training images"
"""Name of the figures on the images of data.withheld_list."""

MIN_SIDE = 48
"""Side of images that only a list is drawn from, which does not depend on it."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of labeled data set, which `load(folder, split, rule, side)` reads.

    Its first split is for training, its second for evaluation; () where it has no splits. `rules`
    are the label rules that it knows.
    """

    load: Callable[[Path, str | None, str | None, int], LabeledImages]
    splits: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


def _fer2013(folder: Path, split: Any, rule: Any, side: int) -> LabeledImages:
    return load_fer2013(folder).select(split, rule).resized(side)


LABELED_KINDS = {
    "fer2013": _Kind(_fer2013, fer2013.SPLITS, ("ferplus-argmax", "ferplus-majority", "fer2013")),
    "raf-db": _Kind(lambda folder, split, _, side: load_raf_db(folder, split, side), raf_db.SPLITS),  # type: ignore[arg-type]
    "affectnet": _Kind(
        lambda folder, split, _, side: load_affectnet(folder, split, side),  # type: ignore[arg-type]
        affectnet.SPLITS,
    ),
    "folder": _Kind(lambda folder, _, __, side: load_labeled_folder(folder, side)),
    "mapped": _Kind(lambda folder, _, __, side: load_mapped(folder, side)),
}
UNLABELED_KINDS = {
    "mapped": load_mapped_faces,
    "images": load_image_folder,
    "photos": load_photos,
    "clips": load_clips,
}


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """What a run trains on and is measured on, all images of the network's side.

    The labels of `heldout` carry no gradient, at first or ever; its images are among the unlabeled
    ones. `unlabeled` are U faces; `hidden_labels` (U,) int64 are their true classes where
    known, else -1: never trained on, they say in the log how many pseudo-labels are right. Those of
    the held-out images are -1, because a run may learn them in the end. `split`
    is the list of the images that kept their labels. `evaluations` are by name; the first is
    logged. `source_identity` is that of data.source before any image is drawn, `identity` that of
    everything that is trained on; None where nobody asks.
    """

    labeled: LabeledFaces
    heldout: LabeledFaces
    unlabeled: FacePool
    hidden_labels: NDArray[np.int64]
    split: SplitList
    evaluations: dict[str, LabeledImages]
    source_identity: DataIdentity | None = None
    identity: DataIdentity | None = None


def split_source(source: str, kinds: tuple[str, ...]) -> tuple[str, Path]:
    """Split `KIND:FOLDER` into kind and folder; `DataError` for other kinds or a missing folder."""
    kind, separator, folder = source.partition(":")
    if not separator or kind not in kinds or not folder:
        allowed = " or ".join(f"{name}:DIR" for name in dict.fromkeys(kinds))
        raise DataError(f"{source or 'an empty name'}: not a data set; write {allowed}")
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder")
    return kind, path


def load_training_data(config: DataConfig, side: int, seed: int) -> TrainingData:
    """Read, split and resize everything that a config names."""
    everything = _training_part(config, side)
    source_identity = identity_of(everything)
    _check_classes(everything)
    whole = _evaluations(config, everything.classes, side)
    withheld = np.zeros(len(everything), dtype=np.bool_)
    if config.withheld_list:
        withheld = load_list(Path(config.withheld_list), everything, partly=True)
    others = [_evaluation_part(source, everything.classes, side) for source in config.also_evaluate]
    for part in others:
        if part.name in whole:
            raise DataError(
                f"data.also_evaluate: a second set called {part.name!r}, and figures are told by "
                "name; rename a folder, or name the set once"
            )
        whole[part.name] = part
    # All of them, because a list may leave the others to be measured on later.
    measured = {print_ for part in whole.values() for print_ in fingerprints(part.images)}
    lists_apply = whole.keys() - {part.name for part in others}
    evaluations = {
        name: _restricted(part, config) if name in lists_apply else part
        for name, part in whole.items()
    }
    if withheld.any():
        withheld_part, everything = everything.where(withheld), everything.where(~withheld)
        measured |= set(fingerprints(withheld_part.images))
        if config.measure_withheld:
            evaluations[WITHHELD] = withheld_part
    unseen = _without(everything.images, measured, everything.name)
    drawn = _draw(everything, config, seed) & unseen
    if not drawn.any():
        raise DataError(f"{everything.name}: no image keeps its label; raise data.labeled_share")
    labeled, heldout = _held_out(everything, drawn, config, seed)
    _check_labeled_classes(everything, labeled)
    rest = np.flatnonzero(~drawn & unseen)
    unlabeled = [(everything.images, np.concatenate([rest, heldout]))]
    hidden = [everything.labels[rest], np.full(len(heldout), -1, dtype=np.int64)]
    identities = [source_identity]
    for source in config.unlabeled:
        faces = load_unlabeled(source, side)
        rows = np.flatnonzero(_without(faces.images, measured, faces.name))
        unlabeled.append((faces.images, rows))
        identities.append(identity_of(faces))
        hidden.append(np.full(len(rows), -1, dtype=np.int64))
    return TrainingData(
        LabeledFaces.rows_of(everything, labeled),
        LabeledFaces.rows_of(everything, heldout),
        FacePool(unlabeled),
        np.concatenate(hidden),
        to_list(everything, drawn, seed),
        evaluations,
        source_identity,
        identity_of_choice(identities, [labeled, *(rows for _, rows in unlabeled)]),
    )


def load_source_identity(config: DataConfig, side: int) -> DataIdentity:
    """Read the labeled data of a config, and tell its `TrainingData.source_identity`."""
    return identity_of(_training_part(config, side))


def _training_part(config: DataConfig, side: int) -> LabeledImages:
    """Read what data.source names, before any image of it is drawn or left out."""
    kind_name, folder = split_source(config.source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    return kind.load(folder, kind.splits[0] if kind.splits else None, config.labels, side)


def _check_classes(data: LabeledImages) -> None:
    n_classes = len(np.unique(data.labels))
    if n_classes < 2:
        raise DataError(f"{data.name}: {n_classes} class in it; there is nothing to tell apart")


def _held_out(
    data: LabeledImages, drawn: NDArray[np.bool_], config: DataConfig, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part the rows of the images with labels: those whose labels carry a gradient, and others."""
    rows = np.flatnonzero(drawn)
    if config.heldout_list:
        named = load_list(Path(config.heldout_list), data, partly=True)
        return np.flatnonzero(drawn & ~named), np.flatnonzero(drawn & named)
    if not config.heldout_share:
        return rows, rows[:0]
    held_out = draw_heldout(data.where(drawn), config.heldout_share, config.heldout_most, seed)
    return rows[~held_out], rows[held_out]


def _check_labeled_classes(data: LabeledImages, labeled: NDArray[np.int64]) -> None:
    """Tell which classes have no labeled image to learn from; `DataError` where one or none has."""
    learnt = np.unique(data.labels[labeled])
    lost = [label for index, label in enumerate(data.classes) if index not in learnt]
    if len(labeled) and len(learnt) < 2:
        raise DataError(
            f"{data.name}: of one class alone an image keeps its label to learn from, so there is "
            "nothing to tell apart; raise data.labeled_share or data.labeled_per_class"
        )
    if len(labeled) and lost:
        say(f"{data.name}: no image to learn from keeps the label {', '.join(lost)}", to=sys.stderr)


def _without(images: UInt8Array, measured: set[bytes], what: str) -> NDArray[np.bool_]:
    """Mark the images (N,) that the model is not measured on, and tell how many are dropped."""
    if not measured:
        return np.ones(len(images), dtype=np.bool_)
    unseen = np.array([print_ not in measured for print_ in fingerprints(images)], dtype=np.bool_)
    n_dropped = len(images) - int(unseen.sum())
    if n_dropped:
        say(
            f"{what}: {n_dropped} images dropped, because the model is measured on them",
            to=sys.stderr,
        )
    return unseen


def load_unlabeled(source: str, side: int) -> FaceImages:
    """Read the faces of any data set, without their labels."""
    kind_name, folder = split_source(source, (*LABELED_KINDS, *UNLABELED_KINDS))
    if kind_name in UNLABELED_KINDS:
        return UNLABELED_KINDS[kind_name](folder, side)
    kind = LABELED_KINDS[kind_name]
    split = kind.splits[0] if kind.splits else None
    data = kind.load(folder, split, kind.rules[-1] if kind.rules else None, side)
    return FaceImages(data.name, data.images, data.ids)


def load_to_pack(source: str, split: str | None, rule: str | None, side: int) -> LabeledImages:
    """Read a labeled data set, the part and by the rule that are named or come first."""
    kind_name, folder = split_source(source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    for what, known, given in (("--split", kind.splits, split), ("--labels", kind.rules, rule)):
        if given is not None and given not in known:
            raise DataError(f"{kind_name}: {what} {given!r} is not one of {', '.join(known)}")
    split = split or (kind.splits[0] if kind.splits else None)
    rule = rule or (kind.rules[0] if kind.rules else None)
    return kind.load(folder, split, rule, side)


def draw_list(source: str, split: str | None, rule: str, share: float, seed: int) -> SplitList:
    """Draw `share` of each class of a data set's part (default: the training part)."""
    kind_name, folder = split_source(source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    split = split or (kind.splits[0] if kind.splits else None)
    if split is not None and split not in kind.splits:
        parts = f"one of {', '.join(kind.splits)}" if kind.splits else "no parts"
        raise DataError(f"{kind_name} has {parts}, not {split!r}")
    side = packed_side(folder) if kind_name == "mapped" else MIN_SIDE
    data = kind.load(folder, split, rule, side)
    return to_list(data, draw_share(data, share, seed), seed)


def load_calibration_faces(source: str, side: int, n: int) -> UInt8Array:
    """Read `n` training images, spread evenly, or all if there are fewer: (n, side, side) uint8.

    `folder:DIR` takes every image below DIR as a face crop, whatever its folder is called.
    """
    kind, folder = split_source(source, ("fer2013", "folder"))
    if kind == "fer2013":
        images = load_fer2013(folder).select("Training", "fer2013").images
        chosen = np.asarray(images[_spread(len(images), n)], dtype=np.uint8)
        faces: UInt8Array = resize_faces(chosen, side)
        return faces
    faces = load_image_folder(folder, side).images
    return np.asarray(faces[_spread(len(faces), n)], dtype=np.uint8)


def _draw(data: LabeledImages, config: DataConfig, seed: int) -> NDArray[np.bool_]:
    if config.labeled_list:
        return load_list(Path(config.labeled_list), data)
    if config.labeled_per_class:
        return draw_per_class(data, config.labeled_per_class, seed)
    if config.labeled_share == 1:
        return np.ones(len(data), dtype=np.bool_)
    return draw_share(data, config.labeled_share, seed)


def _evaluations(
    config: DataConfig, classes: tuple[str, ...], side: int
) -> dict[str, LabeledImages]:
    """Load the evaluation data, once for each label rule that it has, config.labels first."""
    own = not config.evaluation
    kind_name, folder = split_source(config.evaluation or config.source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    if own and not kind.splits:
        return {}
    split = kind.splits[1] if kind.splits else None
    rules: tuple[str | None, ...] = (None,)
    if kind_name == "fer2013":
        if own and split not in load_fer2013(folder).usages:
            return {}
        if config.labels == "fer2013":
            rules = ("fer2013",)
        else:
            other = {"ferplus-argmax": "ferplus-majority", "ferplus-majority": "ferplus-argmax"}
            rules = (config.labels, other[config.labels])
    evaluations = {}
    for rule in rules:
        data = _in_classes(kind.load(folder, split, rule, side), classes)
        name = " ".join(part for part in (split or data.name, rule) if part)
        evaluations[name] = data
    return evaluations


def _evaluation_part(source: str, classes: tuple[str, ...], side: int) -> LabeledImages:
    """Load a data set that is measured alone: its evaluation part, where it has parts."""
    kind_name, folder = split_source(source, tuple(LABELED_KINDS))
    kind = LABELED_KINDS[kind_name]
    split = kind.splits[1] if kind.splits else None
    rule = kind.rules[0] if kind.rules else None
    return _in_classes(kind.load(folder, split, rule, side), classes)


def _restricted(data: LabeledImages, config: DataConfig) -> LabeledImages:
    """Leave out the evaluation images that the config's lists exclude."""
    for path, keep in ((config.evaluation_only, True), (config.evaluation_without, False)):
        if path:
            data = data.where(load_list(Path(path), data, partly=True) == keep)
    if len(data) == 0:
        raise DataError(f"{data.name}: its evaluation lists leave no image")
    return data


def _in_classes(data: LabeledImages, classes: tuple[str, ...]) -> LabeledImages:
    """Number the labels by the classes trained on; `DataError` where these lack one that occurs."""
    occurring = [data.classes[index] for index in np.unique(data.labels)]
    unknown = [label for label in occurring if label not in classes]
    if unknown:
        raise DataError(
            f"{data.name}: has {', '.join(unknown)}, which the training data has not; its classes "
            f"are {', '.join(classes)}"
        )
    return data.in_classes(classes)


def _spread(total: int, n: int) -> list[int]:
    return [int(i) for i in np.linspace(0, total - 1, min(n, total)).round()]
