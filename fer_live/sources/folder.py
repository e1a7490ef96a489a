"""What a folder holds: its images, and what is left out."""

import os
from dataclasses import dataclass
from pathlib import Path

from fer_live.base.translation import tr
from fer_live.errors import SourceError
from fer_live.sources.content import IMAGE_SUFFIXES, kind_of

_COMPANIONS = {".ds_store", "thumbs.db", "desktop.ini", "__macosx", "@eadir", ".nomedia"}
_COMPANION_PREFIXES = ("._", ".fuse_hidden", ".nfs")


@dataclass(frozen=True, slots=True)
class Folder:
    """The images of a folder, or its images and videos and those below it, by name, and how much of
    it is none. `n_companions` counts what file systems keep beside a person's files, for instance
    `._IMG_1.JPG` and `Thumbs.db`."""

    path: Path
    files: tuple[Path, ...]
    n_other_files: int = 0
    n_folders: int = 0
    n_companions: int = 0
    what: str = "images"

    @property
    def left_out(self) -> str:
        """One line on what is not read; empty where everything is."""
        counts = {
            "other files": self.n_other_files,
            "folders": self.n_folders,
            "the file system's own": self.n_companions,
        }
        told = ", ".join(f"{which} {n}" for which, n in counts.items() if n)
        return f"{self.path}: {self.what} {len(self.files)}; left out: {told}" if told else ""


def look_into(path: Path, *, recursive: bool = False) -> Folder:
    """Sort what lies in a folder; `SourceError` where it has no image, or cannot be read.

    An image is what begins like one, or is called like one: the second kind is broken, and said to
    be when it is read. With `recursive`, the videos count too, and all that lies in the folders
    below; links to folders are not followed.
    """
    if recursive:
        return _look_below(path)
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise SourceError(
            tr("{path}: cannot be read: {why}", path=path, why=error.strerror)
        ) from None
    companions = [entry for entry in entries if is_companion(entry)]
    rest = [entry for entry in entries if not is_companion(entry)]
    folders = [entry for entry in rest if entry.is_dir()]
    files = [entry for entry in rest if not entry.is_dir()]
    images = tuple(file for file in files if promises_image(file))
    if not images:
        raise SourceError(tr("{folder}: no image in this folder", folder=path))
    return Folder(path, images, len(files) - len(images), len(folders), len(companions))


def _look_below(path: Path) -> Folder:
    files: list[Path] = []
    n_others = n_companions = 0

    def refuse(error: OSError) -> None:
        raise SourceError(
            tr("{path}: cannot be read: {why}", path=error.filename, why=error.strerror)
        )

    for folder, below, names in os.walk(path, onerror=refuse):
        n_companions += len([name for name in below if is_companion(Path(name))])
        below[:] = sorted(name for name in below if not is_companion(Path(name)))
        for file in (Path(folder, name) for name in sorted(names)):
            if is_companion(file):
                n_companions += 1
            elif promises_image(file) or _is_video(file):
                files.append(file)
            else:
                n_others += 1
    if not files:
        raise SourceError(tr("{folder}: no image or video in this folder or below it", folder=path))
    return Folder(path, tuple(files), n_others, 0, n_companions, what="images and videos")


def images_in(path: Path) -> list[Path]:
    """The images of a folder, by name; `SourceError` where there is none."""
    return list(look_into(path).files)


def is_companion(path: Path) -> bool:
    """Whether a file system or its browser made this, and not a person."""
    name = path.name.lower()
    return name in _COMPANIONS or name.startswith(_COMPANION_PREFIXES)


def promises_image(file: Path) -> bool:
    """Whether this is to be read as an image: it begins like one, or is called like one and is no
    video."""
    try:
        kind = kind_of(file)
    except SourceError:
        return file.suffix.lower() in IMAGE_SUFFIXES
    return kind == "image" or (file.suffix.lower() in IMAGE_SUFFIXES and not _is_video(file))


def _is_video(file: Path) -> bool:
    from fer_live.sources.decoder import VideoDecoder

    try:
        VideoDecoder(file, n_threads=1).close()
    except SourceError:
        return False
    return True
