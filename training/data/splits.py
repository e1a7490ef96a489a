"""Draws which images keep their labels, and saves the draw as a list that can be used again."""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from fer_live.base.atomic_file import write_atomically
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.errors import DataError
from fer_live.plain_text import say
from training.data.face_pool import fingerprints
from training.data.labeled_images import LabeledImages
from training.section import first_fault

_ONE_OF_A_KIND = ("fer2013", "raf-db", "affectnet")
"""Data sets of which there is one alone, whatever its folder is called."""
_LIST_BYTES = 1 << 30
"""A list names every image of a data set, of millions perhaps."""


class SplitList(BaseModel):
    """The content of a split.json: the ids of the images of `data` that were drawn, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    n_images: int
    seed: int
    per_class: dict[str, int]
    ids: tuple[str, ...]


def draw_share(data: LabeledImages, share: float, seed: int) -> NDArray[np.bool_]:
    """Mark `share` of each class, at least one image of each that occurs: (N,) bool."""
    counts = np.bincount(data.labels, minlength=len(data.classes))
    wanted = np.where(counts > 0, np.maximum(np.round(counts * share), 1), 0)
    return _draw(data, wanted.astype(np.int64), seed)


def draw_per_class(data: LabeledImages, per_class: dict[str, int], seed: int) -> NDArray[np.bool_]:
    """Mark as many images of each class as `per_class` says: (N,) bool.

    `DataError` where a class has fewer.
    """
    wanted = np.zeros(len(data.classes), dtype=np.int64)
    counts = np.bincount(data.labels, minlength=len(data.classes))
    for label, n in per_class.items():
        if label not in data.classes:
            raise DataError(
                f"{data.name}: labeled_per_class names {label!r}; the classes are "
                f"{', '.join(data.classes)}"
            )
        index = data.classes.index(label)
        if not 0 <= n <= counts[index]:
            raise DataError(
                f"{data.name}: labeled_per_class asks for {n} images of {label}, there are "
                f"{counts[index]}"
            )
        wanted[index] = n
    return _draw(data, wanted, seed)


def draw_heldout(data: LabeledImages, share: float, most: int, seed: int) -> NDArray[np.bool_]:
    """Mark `share` of each class to be held out, never all of a class: (N,) bool.

    Where that were more than `most` images (0: no limit), the share is lower.
    """
    if most:
        share = min(share, most / len(data))
    counts = np.bincount(data.labels, minlength=len(data.classes))
    # Another seed, because the same order drew these images among all.
    wanted = np.floor(counts * share + 0.5).astype(np.int64)
    return _draw(data, np.minimum(wanted, np.maximum(counts - 1, 0)), seed + 1)


def _draw(data: LabeledImages, wanted: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Draw whole groups of equal images, in random order, until every class has what is wanted."""
    groups: dict[bytes, list[int]] = {}
    for index, fingerprint in enumerate(fingerprints(data.images)):
        groups.setdefault(fingerprint, []).append(index)
    members = list(groups.values())
    drawn = np.zeros(len(data), dtype=np.bool_)
    missing = wanted.copy()
    for position in np.random.default_rng(seed).permutation(len(members)):
        group = members[position]
        labels = data.labels[group]
        if missing[labels[0]] > 0:  # a group of several labels counts for each of its own
            drawn[group] = True
            np.subtract.at(missing, labels, 1)
    return drawn


def to_list(data: LabeledImages, drawn: NDArray[np.bool_], seed: int) -> SplitList:
    """Make the list of the images that `drawn` (N,) marks."""
    counts = np.bincount(data.labels[drawn], minlength=len(data.classes)).tolist()
    return SplitList(
        data=data.name,
        n_images=len(data),
        seed=seed,
        per_class=dict(zip(data.classes, counts, strict=True)),
        ids=tuple(data.ids[drawn].tolist()),
    )


def save_list(path: Path, split: SplitList) -> None:
    """Write a split.json, which `load_list` reads."""
    write_atomically(path, json.dumps(split.model_dump()).encode() + b"\n")


def load_list(path: Path, data: LabeledImages, *, partly: bool = False) -> NDArray[np.bool_]:
    """Mark the images of `data` that a split.json names: (N,) bool.

    `DataError` where the file is no list, is of another kind of data set, or names images that
    `data` does not have. With `partly`, only where it names none that `data` has, because another
    label rule leaves out other images. Names that occur in both may still be of other images, which
    is said on standard error.
    """
    try:
        split = SplitList.model_validate(parse_json(read_whole(path, _LIST_BYTES)))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # pydantic's is one too
        why = first_fault(error) if isinstance(error, ValidationError) else error
        raise DataError(f"{path}: not a split list: {why}") from None
    kind, own_kind = split.data.partition(" ")[0], data.name.partition(" ")[0]
    if kind != own_kind:
        raise DataError(
            f"{path}: of {split.data}, not of {data.name}; draw a list of this data set"
        )
    named = np.isin(data.ids, np.array(split.ids, dtype=np.str_))
    wanted = min(len(split.ids), 1) if partly else len(split.ids)
    if named.sum() < wanted:
        raise DataError(
            f"{path}: names {len(split.ids)} images of {split.data}, of which {named.sum()} are in "
            f"{data.name}; it belongs to another data set"
        )
    if split.data != data.name and kind not in _ONE_OF_A_KIND:
        say(f"{path}: drawn from {split.data}, taken for {data.name} by the names", to=sys.stderr)
    elif split.n_images != len(data) and not partly:
        say(
            f"{path}: drawn from {split.n_images} images, and {data.name} has {len(data)} now; "
            "taken by the names",
            to=sys.stderr,
        )
    return named
