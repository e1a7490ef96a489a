"""What is being written now, so that the next start can name what a crash or a kill cut off.

FER_LIVE_HOME/unfinished/ holds a note for each file or recording that grows, with the process that
writes it. A note whose process is gone was left by one that did not end by itself.
"""

import contextlib
import os
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from fer_live.base.atomic_file import write_atomically
from fer_live.base.deletion import delete_file, refuse_link
from fer_live.base.home import home
from fer_live.base.regular_file import read_whole
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError

_SAME_PROCESS_S = 2.0
"""Systems tell a process's beginning more or less exactly."""


class _Writer(BaseModel):
    path: Path
    pid: int
    process_began_s: float

    @property
    def is_alive(self) -> bool:
        try:
            began_s = float(psutil.Process(self.pid).create_time())
        except psutil.Error:
            return False
        return abs(began_s - self.process_began_s) < _SAME_PROCESS_S


class Unfinished:
    """A note that `path` is being written, from now until `done`.

    It never stands in the way of what is written: where it cannot be made there is none.
    """

    def __init__(self, path: Path) -> None:
        self._note: Path | None = None
        with contextlib.suppress(OSError, FerLiveError):
            folder = notes_folder()
            folder.mkdir(mode=0o700, exist_ok=True)
            note = folder / f"{uuid.uuid4().hex}.json"
            writer = _Writer(path=path.absolute(), pid=os.getpid(), process_began_s=_began_s())
            write_atomically(note, writer.model_dump_json().encode())
            self._note = note

    def done(self) -> None:
        """It is finished, or the person was told why not."""
        note, self._note = self._note, None
        if note is not None:
            with contextlib.suppress(OSError):
                note.unlink()


def notes_folder() -> Path:
    """Where the notes are, FER_LIVE_HOME/unfinished."""
    return home() / "unfinished"


def take_cut_off() -> list[Path]:
    """What processes were writing that are gone, and is there; each is named once."""
    found = []
    with contextlib.suppress(OSError, FerLiveError):
        for note in sorted(notes_folder().glob("*.json")):
            writer = _read(note)
            if writer is None or writer.is_alive:
                continue
            note.unlink(missing_ok=True)
            if writer.path.exists():
                found.append(writer.path)
    return sorted(found)


def forget_notes(folders: Sequence[Path]) -> None:
    """Delete the notes of what lies in these folders, of what nobody writes any more, and what is
    no note: names may stand in them. What another process is writing elsewhere keeps its own.
    Raises `OutputError`."""
    refuse_link(notes_folder())
    gone = [os.path.realpath(folder) for folder in folders]
    for note in notes_folder().glob("*.json"):
        writer = _read(note)
        if writer is not None and writer.is_alive:
            path = Path(os.path.realpath(writer.path))
            if not any(path.is_relative_to(folder) for folder in gone):
                continue
        delete_file(note)


def cut_off_line() -> str:
    """A line for the person that names what was cut off; empty where nothing was."""
    paths = take_cut_off()
    if not paths:
        return ""
    return tr(
        "FER Live did not end by itself; all but the last moment is kept in {paths}",
        paths=", ".join(map(str, paths)),
    )


def _read(note: Path) -> _Writer | None:
    """None where it was not a note yet when its process was killed."""
    try:
        return _Writer.model_validate_json(read_whole(note))
    except (OSError, ValidationError):
        return None


@cache
def _began_s() -> float:
    return float(psutil.Process().create_time())
