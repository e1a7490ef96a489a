"""RAF-DB, basic expressions (Li et al., CVPR 2017), in its official layout:

    EmoLabel/list_patition_label.txt     train_00001.jpg 5
    Image/aligned/train_00001_aligned.jpg

Labels 1..7; images 100x100, in colour, made gray here.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from fer_live.base.regular_file import read_text
from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from training.data.image_files import read_crops, read_gray_face
from training.data.labeled_images import LabeledImages, check_new

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
CLASSES = tuple(label for label in EXPRESSIONS if label != "contempt")

_LIST = "EmoLabel/list_patition_label.txt"
_LABELS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
"""By RAF-DB's numbers 1..7."""


def load_raf_db(folder: Path, split: Split, side: int) -> LabeledImages:
    """Read one split of RAF-DB; `DataError` names file and line of the first fault."""
    list_file = folder / _LIST
    try:
        lines = read_text(list_file).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{list_file}: cannot be read: {error}") from None
    names, labels = [], []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, _, digit = line.strip().rpartition(" ")
        if digit not in {"1", "2", "3", "4", "5", "6", "7"} or not name.endswith(".jpg"):
            raise DataError(f"{list_file}, line {number}: expected NAME.jpg and a label 1..7")
        check_new(seen, name, number, f"{list_file}, line {number}")
        if name.startswith(f"{split}_"):
            names.append(name)
            labels.append(CLASSES.index(_LABELS[int(digit) - 1]))
    if not names:
        raise DataError(f"{list_file}: names no image of {split}")
    aligned = folder / "Image" / "aligned"
    if not aligned.is_dir():
        raise DataError(f"{aligned}: no such folder; RAF-DB's aligned images belong there")
    files = [aligned / f"{name.removesuffix('.jpg')}_aligned.jpg" for name in names]
    name = f"raf-db {split}"
    images, readable = read_crops(name, len(files), lambda i: read_gray_face(files[i], side), side)
    return LabeledImages(
        name,
        CLASSES,
        images,
        np.array(labels, dtype=np.int64)[readable],
        np.array(names)[readable],
    )
