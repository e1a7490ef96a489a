"""A data set with one folder per class: `DIR/<label>/` of images, known by their content."""

import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS, LABEL_RULE, is_label
from fer_live.plain_text import say
from fer_live.sources.folder import is_companion, promises_image
from training.data.image_files import read_crops, read_gray_face
from training.data.labeled_images import LabeledImages


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFiles:
    """Image files and their `labels` (N,) int64 into the labels they were listed by."""

    folder: Path
    files: tuple[Path, ...]
    labels: NDArray[np.int64]


def list_labeled_files(folder: Path, label_names: tuple[str, ...]) -> LabeledFiles:
    """List the images of each label's folder; `DataError` names a folder that is no label."""
    files: list[Path] = []
    labels: list[int] = []
    for subfolder in _class_folders(folder):
        label = _name(subfolder)
        if label not in label_names:
            raise DataError(
                f"{subfolder}: {subfolder.name!r} is not a label of this model; rename the folder "
                f"to one of {', '.join(label_names)}"
            )
        for file in _images(subfolder):
            files.append(file)
            labels.append(label_names.index(label))
    if not files:
        raise DataError(f"{folder}: no image in it; expected {folder}/<label>/*.png or .jpg")
    return LabeledFiles(folder, tuple(files), np.array(labels, dtype=np.int64))


def _class_folders(folder: Path) -> list[Path]:
    """List the folders that hold images; hidden ones (.ipynb_checkpoints) are no classes."""
    return [path for path in _subfolders(folder) if _images(path)]


def _name(path: Path) -> str:
    """What a folder or file is called, whether accents are stored as macOS or as others do."""
    return unicodedata.normalize("NFC", path.name)


def _subfolders(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")
    ]


def _images(folder: Path) -> list[Path]:
    """The files that begin like an image or are called like one, by name."""
    files = (path for path in folder.iterdir() if path.is_file() and not is_companion(path))
    return sorted(file for file in files if promises_image(file))


def load_labeled_folder(folder: Path, side: int) -> LabeledImages:
    """Read one folder per class, each image a face crop; the classes are the folders with images.

    The classes are in the order of EXPRESSIONS where all are expressions, else by name.
    """
    names = {_name(path) for path in _class_folders(folder)}
    known = names <= set(EXPRESSIONS)
    classes = tuple(n for n in EXPRESSIONS if n in names) if known else tuple(sorted(names))
    for label in classes:
        if not is_label(label):
            raise DataError(
                f"{folder / label}: its name can be no label of a model; rename it: {LABEL_RULE}"
            )
    listed = list_labeled_files(folder, classes)
    name = f"folder {folder.name}"
    if empty := [path.name for path in _subfolders(folder) if _name(path) not in names]:
        say(f"{name}: no image in {', '.join(empty)}, so it is no class", to=sys.stderr)
    images, readable = read_crops(
        name, len(listed.files), lambda i: read_gray_face(listed.files[i], side), side
    )
    ids = np.array([f"{_name(file.parent)}/{_name(file)}" for file in listed.files])
    return LabeledImages(name, classes, images, listed.labels[readable], ids[readable])
