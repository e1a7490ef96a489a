"""A person's model as one file, to take to another computer; no picture of the person is in it.

A ZIP archive of the files of an installed model, and `profile.json` with its name.
"""

import io
import lzma
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

from pydantic import BaseModel, Field

from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.home import made
from fer_live.base.regular_file import open_regular
from fer_live.base.translation import tr
from fer_live.errors import InputError, ModelError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.personal.model_folder import UNFINISHED, write_model_folder
from fer_live.personal.models import (
    InstalledModel,
    check_name,
    check_variant,
    find_model,
    models_folder,
)

PROFILE_SUFFIX = ".ferprofile"
_ABOUT = "profile.json"
_NEEDED = (CPU_MODEL, GPU_MODEL)
_MAX_BYTES = 500_000_000
"""Of one file in the archive, unpacked. The shipped fp32 model is a fortieth of it."""
_FAULTS = (
    *(zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, ValueError),
    *(EOFError, zlib.error, lzma.LZMAError, struct.error, OverflowError, MemoryError),
)
"""What Python's reader of archives raises for a broken one: of its own, and of the decompressors;
`ValidationError` is a `ValueError`."""


class _About(BaseModel):
    format: int = Field(1, ge=1, le=1)
    name: str


def export_profile(model: InstalledModel, file: Path) -> None:
    """Write an installed model to `file`, whole or not at all. Raises `OutputError`, and
    `InputError` for the shipped model, which everybody has."""
    if model.folder is None:
        raise InputError(tr("The model that came with the app is everywhere; choose one of yours"))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_ABOUT, _About(format=1, name=model.name).model_dump_json())
        for name in (*_NEEDED, CHECKPOINT):
            if (model.folder / name).is_file():
                archive.write(model.folder / name, name)
    write_atomically(file, content.getvalue(), is_private=True)


def import_profile(file: Path, name: str = "", *, replace: bool = False) -> InstalledModel:
    """Install the model of an exported file, under its own name or another.

    The variants are loaded and run first. `InputError` where the file is no such profile, or where
    a model of that name is there and may not be replaced.
    """
    wanted, files = _read(file)
    name = name or wanted
    check_name(name)
    folder = models_folder() / name
    if folder.exists() and not replace:
        raise InputError(
            tr("{name}: a model of this name is installed; choose another name", name=name)
        )
    made(models_folder())
    place = tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=models_folder())
    with writing(folder), place as unfinished:
        _check(Path(unfinished), files, file)
    write_model_folder(folder, files)
    return find_model(name)


def _check(folder: Path, files: dict[str, bytes], came_from: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        for variant in _NEEDED:
            check_variant(folder / variant)
    except ModelError as error:
        raise InputError(tr("{file}: {why}", file=came_from, why=error)) from None


def _read(file: Path) -> tuple[str, dict[str, bytes]]:
    """The name and the files of a profile; nothing in the archive decides where they go."""
    try:
        with open_regular(file) as opened, zipfile.ZipFile(opened) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            names = [name for name in (*_NEEDED, CHECKPOINT) if name in sizes]
            if not set(_NEEDED) <= set(names) or max(sizes.values()) > _MAX_BYTES:
                raise InputError(tr("{file}: no profile of this app", file=file))
            about = _About.model_validate_json(archive.read(_ABOUT))
            return about.name, {name: archive.read(name) for name in names}
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from None
    except _FAULTS:
        raise InputError(tr("{file}: no profile of this app", file=file)) from None
