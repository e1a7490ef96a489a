"""Writes the folder of a model: it is there whole or not at all, whenever the app is killed."""

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.deletion import delete_folder, open_up, refuse_link
from fer_live.base.home import made
from fer_live.errors import OutputError
from fer_live.vision.classifier import forget_engines

UNFINISHED = ".unfinished-"
"""What a folder is called while it is filled, or emptied; nobody takes it for a model."""
_REPLACED = ".replaced-"
"""What the model that another takes the place of is called for a moment."""


def write_model_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` of these files, name -> content, or put it in the place of what is there.

    The last step is a rename. Where a model is replaced there are two; `restore_replaced` puts the
    old one back if the app was killed between them. Raises `OutputError`.
    """
    refuse_link(folder)
    made(folder.parent)
    with writing(folder):
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
        replaced = folder.with_name(_REPLACED + folder.name)
        try:
            for name, content in files.items():
                write_atomically(unfinished / name, content, is_private=True)
            delete_folder(replaced)
            if folder.is_dir():
                folder.rename(replaced)
            unfinished.rename(folder)
        except (OSError, OutputError):
            shutil.rmtree(unfinished, ignore_errors=True)
            restore_replaced(folder.parent)
            raise
        shutil.rmtree(replaced, ignore_errors=True)


def delete_learnt(folder: Path) -> None:
    """Delete a folder with models in it, or with folders of models, and what a GPU's compiler kept
    of them. Raises `OutputError`."""
    refuse_link(folder)
    open_up(folder)
    for file in folder.rglob("*.onnx"):
        if file.is_file():
            forget_engines(file)
    delete_folder(folder)


def half_deleted(parent: Path) -> list[Path]:
    """What is not filled yet or not emptied, of whatever model; of what another was to replace,
    only where that is there."""
    replaced = [path for path in parent.glob(f"{_REPLACED}*") if _replaced_by(path).is_dir()]
    return [*parent.glob(f"{UNFINISHED}*"), *replaced]


def restore_replaced(parent: Path) -> None:
    """Put back what a killed app had moved aside, and delete what was replaced by another."""
    for replaced in parent.glob(f"{_REPLACED}*/"):
        folder = _replaced_by(replaced)
        if folder.is_dir():
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                replaced.rename(folder)


def _replaced_by(replaced: Path) -> Path:
    return replaced.with_name(replaced.name.removeprefix(_REPLACED))
