"""Data sets larger than memory: one file of faces on disk, from which each batch is read.

DIR/images.npy (N, S, S) uint8, labels.npy (N,) int64 where there are labels, ids.npy (N,) str, and
data.json with the name and the classes. `fer-train pack` makes such a folder. Several processes on
one machine share what the system keeps of the file.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from tqdm import tqdm

from fer_live.base.array_file import ArrayFault, load_array, map_array
from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import read_whole
from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError, InputError, SourceError
from training.data.image_files import files_below, read_gray_face
from training.data.labeled_images import FaceImages, LabeledImages
from training.section import first_fault

IMAGES, LABELS, IDS, ABOUT = "images.npy", "labels.npy", "ids.npy", "data.json"


class MappedAbout(BaseModel):
    """The content of data.json; `classes` are empty without labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...] = ()


def packed_side(folder: Path) -> int:
    """Read the side of a pack's faces, in pixels; `DataError` where it is none."""
    try:
        shape = map_array(folder / IMAGES).shape
    except (OSError, ArrayFault) as error:
        raise DataError(f"{folder}: not made by fer-train pack: {error}") from None
    return int(shape[1]) if len(shape) == 3 else 0


def load_mapped(folder: Path, side: int) -> LabeledImages:
    """Map a folder with labels; `DataError` where it has none, or faces of another side."""
    faces, about = _map(folder, side)
    if not about.classes:
        raise DataError(f"{folder}: has no labels; name it in data.unlabeled")
    try:
        labels = load_array(folder / LABELS, "iu", 1)
    except ArrayFault as error:
        raise DataError(f"{folder}: not made by fer-train pack: {error}") from None
    if len(labels) != len(faces) or not ((labels >= 0) & (labels < len(about.classes))).all():
        raise DataError(
            f"{folder / LABELS}: not a number below {len(about.classes)} for each of {len(faces)} "
            "images; pack it again"
        )
    whole = labels.astype(np.int64)
    return LabeledImages(faces.name, about.classes, faces.images, whole, faces.ids)


def load_mapped_faces(folder: Path, side: int) -> FaceImages:
    """Map a folder without its labels."""
    return _map(folder, side)[0]


def _map(folder: Path, side: int) -> tuple[FaceImages, MappedAbout]:
    try:
        about = MappedAbout.model_validate_json(read_whole(folder / ABOUT))
        images = map_array(folder / IMAGES)
        ids = load_array(folder / IDS, "U", 1)
    except ValidationError as error:
        raise DataError(f"{folder / ABOUT}: {first_fault(error)}; pack it again") from None
    except (OSError, ArrayFault) as error:
        raise DataError(f"{folder}: not made by fer-train pack: {error}") from None
    if images.dtype != np.uint8 or images.shape != (len(ids), side, side):
        raise DataError(
            f"{folder / IMAGES}: expected {(len(ids), side, side)} uint8 for model.input_side "
            f"{side}, got {images.shape} {images.dtype}; pack it again with --side {side}"
        )
    return FaceImages(about.name, images, ids), about


def pack_images(source: Path, side: int, out: Path) -> int:
    """Write the images below a folder, each a face crop, one after another; returns how many.

    They need no memory, however many they are. One that cannot be read is left out.
    """
    _check_free(out)
    files = files_below(source, "image")
    ids: list[str] = []

    def faces() -> Iterator[UInt8Array]:
        for file in tqdm(files, desc="packing", unit="img", disable=None):
            try:
                yield read_gray_face(file, side)
            except SourceError:
                continue
            ids.append(file.relative_to(source).as_posix())

    n = _write(out, faces(), side)
    if n == 0:
        raise DataError(f"{source}: none of its {len(files)} images can be read")
    (out / LABELS).unlink(missing_ok=True)  # of a pack that was replaced
    _describe(out, np.array(ids), MappedAbout(name=f"images {source.name}"))
    return n


def pack_labeled(data: LabeledImages, out: Path) -> int:
    """Write a labeled data set that is in memory; returns how many images it has."""
    _check_free(out)
    n = _write(out, data.images, data.images.shape[1])
    np.save(out / LABELS, data.labels)
    _describe(out, data.ids, MappedAbout(name=data.name, classes=data.classes))
    return n


def _check_free(out: Path) -> None:
    """Refuse a folder with files of a pack's names that are none; a pack is replaced."""
    foreign = [name for name in (IMAGES, LABELS, IDS, ABOUT) if (out / name).exists()]
    if not foreign:
        return
    try:
        MappedAbout.model_validate_json(read_whole(out / ABOUT))
    except (OSError, ValueError):
        raise InputError(
            f"{out}: holds {foreign[0]}, which fer-train pack did not make; choose another --out"
        ) from None


def _write(out: Path, faces: Iterable[UInt8Array], side: int) -> int:
    """Write faces (side, side) to images.npy, one by one; returns how many there were."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial, n = out / f"{IMAGES}.partial", 0
        with partial.open("wb") as file:
            _write_header(file, 0, side)
            for face in faces:
                file.write(face.tobytes())
                n += 1
            file.seek(0)
            _write_header(file, n, side)  # as long as before: numpy leaves room for the number
        partial.replace(out / IMAGES)
    except OSError as error:
        raise InputError(f"{out}: cannot write there: {error.strerror}") from None
    return n


def _write_header(file: BinaryIO, n: int, side: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (n, side, side)}
    np.lib.format.write_array_header_1_0(file, header)


def _describe(out: Path, ids: NDArray[np.str_], about: MappedAbout) -> None:
    """Write what stands beside the images; data.json last, for without it there is no data set."""
    np.save(out / IDS, ids)
    write_atomically(out / ABOUT, about.model_dump_json().encode() + b"\n")
