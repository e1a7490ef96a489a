"""Stage 1 of a retraining: find the person's faces, and keep them in `faces.npz`."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import open_regular
from fer_live.errors import DataError
from fer_live.personal.calibration import Material
from fer_live.personal.own_faces import OwnFaces
from fer_live.personal.personalize import gather_material
from fer_live.personal.proof import FACES_FILE
from training.personalize.progress import OnProgress
from training.personalize.task import Task

_FIELDS = ("crops", "patches", "takes", "times_s", "skipped")


def find_faces(task: Task, tell: Callable[[str], None], on_progress: OnProgress) -> Material:
    """Find all faces of the person, or load those that an interrupted retraining found.

    `DataError` where there is no face at all or a folder is not named after a label.
    """
    file = task.out / FACES_FILE
    on_progress("faces", 0.0)
    if not file.is_file():
        found = gather_material(
            task.wishes, task.manifest, tell, lambda share: on_progress("faces", share)
        )
        if found.own_labels:
            tell(f"left out: {', '.join(found.own_labels)}; fer-live personalize learns these")
            is_common = found.labels < len(task.manifest.common_labels)
            labeled = found.labeled.where(is_common)
            found = Material(found.unlabeled, labeled, found.labels[is_common])
        save_faces(file, found)
    return load_faces(file)


def save_faces(file: Path, person: Material) -> None:
    """Write `faces.npz`, which `load_faces` reads. It is deleted soon, so it is not compressed."""
    content = io.BytesIO()
    parts = {"unlabeled": person.unlabeled, "labeled": person.labeled}
    arrays = {
        f"{name}_{field}": np.asarray(getattr(faces, field))
        for name, faces in parts.items()
        for field in _FIELDS
    }
    arrays["labels"] = person.labels
    np.savez(content, **arrays)  # type: ignore[arg-type]  # a name of ours is no option of its
    write_atomically(file, content.getvalue())


def load_faces(file: Path) -> Material:
    """Read what `save_faces` wrote; `DataError` where it is damaged."""
    try:
        with open_regular(file) as opened, np.load(opened, allow_pickle=False) as stored:

            def part(name: str) -> OwnFaces:
                crops, patches, takes, times_s, skipped = (stored[f"{name}_{f}"] for f in _FIELDS)
                return OwnFaces(crops, patches, takes, times_s, tuple(skipped.tolist()))

            return Material(part("unlabeled"), part("labeled"), stored["labels"])
    except Exception:  # noqa: BLE001  # numpy and zipfile raise a dozen kinds for a broken file
        raise DataError(f"{file}: is damaged; delete it, and the faces are found again") from None
