"""Stage 1 of a retraining: find the person's faces, and keep them in `faces.npz`."""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import DataError
from fer_live.model.manifest import Manifest
from fer_live.personal.proof import FACES_FILE
from fer_live.personal.takes import label_folders, take_number
from training.data.labeled_images import LabeledImages
from training.personalize.collect import PersonFaces, collect_faces
from training.personalize.progress import OnProgress
from training.personalize.task import Task

MIN_FACES = 20
MAX_FACES = 4000
"""More faces than these cannot be learned from in the time that a person waits."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonData:
    """All faces that a retraining has of a person.

    `unlabeled` faces, `labeled` faces whose ids name the take of each, and in `skipped` one line
    for each file that could not be used.
    """

    unlabeled: PersonFaces
    labeled: LabeledImages
    skipped: tuple[str, ...]

    @property
    def takes(self) -> NDArray[np.str_]:
        """The take (L,) that each labeled face was captured in."""
        return self.labeled.ids

    @property
    def is_first_take(self) -> NDArray[np.bool_] | None:
        """Which labeled faces (L,) are of first takes; None where no take is a second one."""
        numbers = np.array([_number_of_take(take) for take in self.takes.tolist()], dtype=np.int64)
        return numbers != 2 if (numbers == 2).any() else None

    @property
    def training(self) -> LabeledImages:
        """The labeled faces that the new model learns: second takes are kept for the proof."""
        first = self.is_first_take
        return self.labeled if first is None else self.labeled.where(first)


def find_faces(task: Task, on_progress: OnProgress) -> PersonData:
    """Find all faces of the person, or load those that an interrupted retraining found.

    `DataError` where there are too few faces or a folder is not named after a label.
    """
    file = task.out / FACES_FILE
    on_progress("faces", 0.0)
    if file.is_file():
        return load_faces(file, task.manifest)
    side, crop = task.manifest.input_side, task.manifest.crop
    parts = [collect_faces(folder, side, crop, task.choice) for folder in task.clips]
    on_progress("faces", 0.7)
    unlabeled = _joined([_without_second_takes(part) for part in parts])
    found, trouble = _find_labeled(task)
    if task.labeled and not found:
        raise DataError(f"{task.labeled}: no labeled face; the first: {trouble[0]}")
    if len(unlabeled) < MIN_FACES:
        raise DataError(
            f"{', '.join(map(str, task.clips))}: {len(unlabeled)} faces in all, and at least "
            f"{MIN_FACES} are needed; capture some minutes"
        )
    for line in trouble:
        print(line, file=sys.stderr)
    skipped = (*unlabeled.skipped, *trouble, *(line for f in found.values() for line in f.skipped))
    save_faces(file, PersonData(unlabeled, _as_labeled(found, task.manifest), skipped))
    return load_faces(file, task.manifest)


def save_faces(file: Path, person: PersonData) -> None:
    """Write `faces.npz`, which `load_faces` reads."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=person.unlabeled.images,
        files=person.unlabeled.files,
        times_s=person.unlabeled.times_s,
        tracks=person.unlabeled.tracks,
        skipped=np.array(person.skipped, dtype=np.str_),
        labeled=person.labeled.images,
        classes=person.labeled.labels,
        takes=person.takes,
    )
    write_atomically(file, content.getvalue())


def load_faces(file: Path, manifest: Manifest) -> PersonData:
    """Read what `save_faces` wrote; the labels are those of the `manifest`."""
    with np.load(file) as stored:
        unlabeled = PersonFaces(
            *(stored[name] for name in ("images", "files", "times_s", "tracks"))
        )
        takes, classes, images = stored["takes"], stored["classes"], stored["labeled"]
        skipped = tuple(stored["skipped"].tolist())
    name = "the person's takes" if len(takes) else "no labels"
    return PersonData(
        unlabeled, LabeledImages(name, manifest.labels, images, classes, takes), skipped
    )


def _without_second_takes(faces: PersonFaces) -> PersonFaces:
    """Second takes are the proof, in whatever folder they lie."""
    return faces.where(np.array([_number_of_take(name) != 2 for name in faces.files.tolist()]))


def _number_of_take(name: str) -> int:
    """The number in a take's own name or in that of its folder; 0 where there is none."""
    path = Path(name)
    return next((n for part in (Path(path.stem), path.parent) if (n := take_number(part))), 0)


def _joined(parts: Sequence[PersonFaces]) -> PersonFaces:
    """The faces of all folders, or `MAX_FACES` of them, spread evenly."""
    joined = PersonFaces(
        np.concatenate([part.images for part in parts]),
        np.concatenate([np.char.add(f"{n}/", part.files) for n, part in enumerate(parts)]),
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.tracks for part in parts]),
        tuple(line for part in parts for line in part.skipped),
    )
    chosen = np.zeros(len(joined), dtype=np.bool_)
    chosen[np.linspace(0, len(joined) - 1, min(len(joined), MAX_FACES)).astype(int)] = True
    return joined.where(chosen)


def _find_labeled(task: Task) -> tuple[dict[str, PersonFaces], list[str]]:
    """The faces of each label's folder, and one line for each folder in which there is none."""
    if task.labeled is None:
        return {}, []
    found: dict[str, PersonFaces] = {}
    trouble: list[str] = []
    for folder in label_folders(task.labeled, task.manifest.labels):
        try:
            found[folder.name] = collect_faces(
                folder, task.manifest.input_side, task.manifest.crop, task.choice
            )
        except DataError as error:
            trouble.append(str(error))
    return found, trouble


def _as_labeled(found: dict[str, PersonFaces], manifest: Manifest) -> LabeledImages:
    """The faces of all label folders in one, with the take of each face as its id."""
    side = manifest.input_side
    return LabeledImages(
        "the person's takes",
        manifest.labels,
        np.concatenate([np.empty((0, side, side), np.uint8), *(f.images for f in found.values())]),
        np.repeat(
            np.array([manifest.labels.index(label) for label in found], dtype=np.int64),
            np.array([len(faces) for faces in found.values()], dtype=np.int64),
        ),
        np.concatenate(
            [
                np.empty(0, np.str_),
                *(np.char.add(f"{label}/", faces.files) for label, faces in found.items()),
            ]
        ),
    )
