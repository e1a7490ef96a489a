"""What lies in the folder of recordings: those that can be read, and those that cannot."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.base.deletion import delete_folder
from fer_live.datatypes import UInt8Array
from fer_live.errors import FerLiveError, InputError
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import ABOUT_FILE, Recording

PICTURE_WH = (96, 54)


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """A folder among the recordings; `trouble` says why it cannot be read, empty where it can."""

    folder: Path
    recording: Recording | None
    trouble: str = ""

    @property
    def began_at_s(self) -> float:
        """When it began, in seconds since 1970; of what cannot be read, when it was changed."""
        if self.recording is not None:
            return self.recording.about.began_at.timestamp()
        try:
            return self.folder.stat().st_mtime
        except OSError:
            return 0.0

    def delete(self) -> None:
        """Remove it from the disk; raises `OutputError`."""
        delete_folder(self.folder)


def shelf(folder: Path) -> list[ShelfEntry]:
    """Every folder below this one, the newest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else []:
        if not path.is_dir():
            continue
        try:
            found.append(ShelfEntry(path, Recording.open(path)))
        except InputError as error:
            found.append(ShelfEntry(path, None, str(error)))
    return sorted(found, key=lambda entry: (entry.began_at_s, entry.folder.name), reverse=True)


def renamed(recording: Recording, name: str) -> Recording:
    """The recording with another name, which is kept in its folder; an empty one takes the name
    away. The folder's own stays. Raises `OutputError`."""
    about = recording.about.model_copy(update={"name": " ".join(name.split())[:200]})
    content = about.model_dump_json(indent=2).encode()
    write_atomically(recording.folder / ABOUT_FILE, content, is_private=True)
    return replace(recording, about=about)


@dataclass(frozen=True, slots=True, eq=False)
class RecordingLook:
    """How long a recording is, and a picture of it, (54, 96, 3) uint8, blue first; with `trouble`
    its video cannot be played."""

    length_s: float = 0.0
    picture_bgr: UInt8Array | None = None
    trouble: str = ""


def look_at(recording: Recording) -> RecordingLook:
    """Measure a recording, and take a picture from a third of it."""
    try:
        with closing(ClipPlayer(recording.video)) as player:
            frame = player.at(player.length_s / 3)
            picture = None if frame is None else _small(frame.image_bgr)
            return RecordingLook(player.length_s, picture)
    except FerLiveError as error:
        return RecordingLook(trouble=str(error))


def _small(image_bgr: UInt8Array) -> UInt8Array:
    width, height = PICTURE_WH
    scale = min(width / image_bgr.shape[1], height / image_bgr.shape[0])
    inner_wh = (
        max(round(image_bgr.shape[1] * scale), 1),
        max(round(image_bgr.shape[0] * scale), 1),
    )
    small = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner_wh[0]) // 2, (height - inner_wh[1]) // 2
    inner = cv2.resize(image_bgr, inner_wh, interpolation=cv2.INTER_AREA)
    small[top : top + inner_wh[1], left : left + inner_wh[0]] = inner
    return small
