"""AffectNet (Mollahosseini et al., 2017), in either of its two releases.

    csv release:  Manually_Annotated_file_lists/training.csv, validation.csv (or beside the images)
                  Manually_Annotated_Images/<subDirectory_filePath>
    npy release:  train_set|val_set/annotations/<n>_exp.npy
                  train_set|val_set/images/<n>.jpg

Expressions 0..7; 8 (none), 9 (uncertain) and 10 (no face) are left out. The csv release holds whole
photos: faces are cut by its 68 landmarks as the app cuts by the detector's. The npy release holds
faces already cut.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from fer_live.base.array_file import ArrayFault, load_array
from fer_live.base.regular_file import open_text
from fer_live.datatypes import FaceDetection, UInt8Array
from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS, CropGeometry
from fer_live.plain_text import say
from fer_live.sources.images import read_image
from fer_live.vision.alignment import LEFT_EYE, MOUTH, RIGHT_EYE, align_face
from training.data.image_files import read_crops, read_gray_face
from training.data.labeled_images import LabeledImages

Split = Literal["training", "validation"]
SPLITS: tuple[Split, ...] = ("training", "validation")

_LABELS = (
    "neutral",
    "happiness",
    "sadness",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)
"""By AffectNet's numbers 0..7."""

_N_NUMBERS = 11
_IMAGES = "Manually_Annotated_Images"
_LISTS = "Manually_Annotated_file_lists"
_COLUMNS = ("subDirectory_filePath", "facial_landmarks", "expression")
_FOLDERS: dict[Split, str] = {"training": "train_set", "validation": "val_set"}


@dataclass(frozen=True, slots=True)
class _Item:
    """One face of the data set: its name, its label, and how to cut it."""

    name: str
    label: int
    read: Callable[[int], UInt8Array]


def load_affectnet(folder: Path, split: Split, side: int) -> LabeledImages:
    """Read one split of whichever release is in `folder`; `DataError` names the first fault."""
    list_file = next(
        (
            place / f"{split}.csv"
            for place in (folder / _LISTS, folder)
            if (place / f"{split}.csv").is_file()
        ),
        None,
    )
    annotations = folder / _FOLDERS[split] / "annotations"
    if list_file is not None:
        items = list(_csv_items(folder, list_file))
    elif annotations.is_dir():
        items = list(_npy_items(annotations))
    else:
        raise DataError(
            f"{folder}: neither {split}.csv (csv release) nor {_FOLDERS[split]}/annotations "
            "(npy release) is there"
        )
    name = f"affectnet {split}"
    if not items:
        raise DataError(f"{folder}: {name} has no image with one of the eight expressions")
    images, readable = read_crops(name, len(items), lambda i: items[i].read(side), side)
    return LabeledImages(
        name,
        EXPRESSIONS,
        images,
        np.array([item.label for item in items], dtype=np.int64)[readable],
        np.array([item.name for item in items])[readable],
    )


def _csv_items(folder: Path, list_file: Path) -> Iterator[_Item]:
    try:
        with open_text(list_file) as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{list_file}, line 1: no column {', '.join(missing)}")
            seen: set[str] = set()
            n_again = 0
            for row in reader:
                where = f"{list_file}, line {reader.line_num}"
                label = _label(row["expression"], where)
                if label is None:
                    continue
                name = row["subDirectory_filePath"]
                n_again += name in seen
                if name in seen:
                    continue
                seen.add(name)
                landmarks = _landmarks(row["facial_landmarks"], where)
                yield _Item(name, label, _photo_reader(folder / _IMAGES / name, landmarks))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{list_file}: cannot be read: {error}") from None
    if n_again:
        say(f"{list_file}: left out {n_again} rows of images that earlier rows name", to=sys.stderr)


def _npy_items(annotations: Path) -> Iterator[_Item]:
    images = annotations.parent / "images"
    n_without = sum(
        not (annotations / f"{image.stem}_exp.npy").is_file() for image in images.glob("*.jpg")
    )
    if n_without:
        say(f"{images}: {n_without} images left out, without an annotation", to=sys.stderr)
    for file in sorted(annotations.glob("*_exp.npy")):
        try:
            number = str(load_array(file, "Uiu", 0))
        except ArrayFault as error:
            raise DataError(f"{file}: not an annotation: {error}") from None
        label = _label(number, str(file))
        if label is None:
            continue
        image = images / f"{file.name.removesuffix('_exp.npy')}.jpg"
        yield _Item(image.name, label, _crop_reader(image))


def _label(number: str | None, where: str) -> int | None:
    """Turn AffectNet's number into an index into EXPRESSIONS; None for none, unsure and no face."""
    if number is None or number.strip() not in map(str, range(_N_NUMBERS)):
        raise DataError(f"{where}: expression {number!r} is not one of 0..{_N_NUMBERS - 1}")
    value = int(number)
    return EXPRESSIONS.index(_LABELS[value]) if value < len(_LABELS) else None


def _landmarks(text: str | None, where: str) -> FaceDetection:
    """Turn the 68 points "x;y;..." of the csv into the keypoints that the crop needs."""
    try:
        points = np.array((text or "").split(";"), dtype=np.float32).reshape(68, 2)
    except ValueError:
        points = np.full((68, 2), np.nan, dtype=np.float32)
    if not np.isfinite(points).all():
        raise DataError(f"{where}: facial_landmarks is not 68 pairs x;y")
    keypoints = np.zeros((6, 2), dtype=np.float32)
    keypoints[LEFT_EYE] = points[36:42].mean(axis=0)
    keypoints[RIGHT_EYE] = points[42:48].mean(axis=0)
    keypoints[MOUTH] = points[48:68].mean(axis=0)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return FaceDetection(box_xyxy=box, keypoints_xy=keypoints, confidence=1.0)


def _photo_reader(file: Path, face: FaceDetection) -> Callable[[int], UInt8Array]:
    return lambda side: align_face(read_image(file), face, side, CropGeometry())


def _crop_reader(file: Path) -> Callable[[int], UInt8Array]:
    return lambda side: read_gray_face(file, side)
