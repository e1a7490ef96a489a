"""The clips that are kept: what is there, and deleting it for good.

FER_LIVE_HOME/clips/ holds a recording (recording.py) a clip; FER_LIVE_HOME/takes/LABEL/ the takes
of an expression that were kept, a recording each. Those are of the person called "me"; of anyone
else they lie in FER_LIVE_HOME/persons/NAME/, so that nobody's model learns somebody else's face.
"""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from fer_live.base.deletion import open_up, refuse_links
from fer_live.base.home import home
from fer_live.errors import InputError
from fer_live.outputs.face_rows import number_in
from fer_live.personal.model_folder import delete_learnt
from fer_live.plain_text import plain_line
from fer_live.recording.history import clock
from fer_live.recording.recorder import Recording, list_recordings

ME = "me"
"""The person whose clips and takes lie directly in FER_LIVE_HOME."""
CALIBRATION = "calibration"
"""The source of clips and takes that were recorded while the window calibrated to a face."""
UNREVIEWED = ".unreviewed"
"""Where among the takes those lie that wait for the person's word."""
_TAKE = re.compile(r".*\btake (\d+)$")

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class ClipSummary:
    """What a clip holds. `faces_by_track` maps a face's number to the frames it is in.

    `label` is the expression of a take and `take` its number, empty and 0 for a clip.
    """

    name: str
    source: str
    seconds: float
    n_frames: int
    faces_by_track: dict[int, int]
    n_bytes: int
    began_at: datetime
    label: str = ""
    take: int = 0

    def line(self) -> str:
        """One line for a list of clips: name, length, frames, faces, size, source."""
        n_faces = len(self.faces_by_track)
        people = "1 face" if n_faces == 1 else f"{n_faces} faces"
        return plain_line(  # names and sources may hold ends of lines
            f"{self.name}  {clock(self.seconds)}  {self.n_frames} frames, {people}, "
            f"{self.n_bytes / 1e6:.1f} MB, from {self.source}"
        )


def person_folder(person: str = ME) -> Path:
    """Where the clips and takes of a person are."""
    return home() if person == ME else home() / "persons" / person


def person_names() -> list[str]:
    """Whose clips and takes there may be: "me", then everyone who has a folder."""
    return [ME, *sorted(path.name for path in (home() / "persons").glob("[!.]*/"))]


def clips_folder(person: str = ME) -> Path:
    """The folder of captured and imported clips."""
    return person_folder(person) / "clips"


def takes_folder(person: str = ME) -> Path:
    """Where the takes are, a folder an expression."""
    return person_folder(person) / "takes"


def list_clips(person: str | None = None) -> list[Recording]:
    """Captured and imported ones, each person's newest first; None: everyone's."""
    names = person_names() if person is None else [person]
    return [clip for name in names for clip in list_recordings(clips_folder(name))]


def list_takes(person: str | None = None) -> list[Recording]:
    """All takes of all expressions, the oldest of each first; None: everyone's."""
    names = person_names() if person is None else [person]
    labels = [label for name in names for label in sorted(takes_folder(name).glob("[!.]*/"))]
    return [take for label in labels for take in reversed(list_recordings(label))]


def clip_folders(person: str | None = None) -> list[Path]:
    """Every folder among the clips and the takes that were kept, links among them, and also what
    cannot be read because a kill cut it off: there may be a video in it. None: everyone's."""
    names = person_names() if person is None else [person]
    return [
        folder
        for name in names
        for parent in (clips_folder(name), *sorted(takes_folder(name).glob("*/")))
        if parent.name != UNREVIEWED
        for folder in sorted(parent.glob("*/"))
    ]


def find_clip_folders(names: Sequence[str]) -> list[Path]:
    """The folders of these names, as `name_of` gives them, whether they can be read or not;
    `InputError` names the first that is not there."""
    return _of_names(names, {name_of(folder): folder for folder in clip_folders()})


def open_up_clips() -> None:
    """Let their owner read and write all clips and takes: what was made read-only could be neither
    found nor deleted."""
    for name in ("persons", "clips", "takes"):
        open_up(home() / name)


def unreadable_clips(person: str | None = None) -> list[Path]:
    """The folders among the clips and takes that are none any more."""
    readable = {clip.folder for clip in [*list_clips(person), *list_takes(person)]}
    return [folder for folder in clip_folders(person) if folder not in readable]


def name_of(folder: Path) -> str:
    """By which commands call a clip: of a take, with its expression, as in "surprise/... take 1";
    of somebody else than "me", with the person, as in "Ada: surprise/... take 1"."""
    *where, folder_name, name = folder.relative_to(home()).parts
    own = name if folder_name == "clips" else f"{folder_name}/{name}"
    return f"{where[1]}: {own}" if where[:1] == ["persons"] else own


def summarize(clip: Recording) -> ClipSummary:
    """Summarize a clip from the rows that lie beside its video; the video is not decoded."""
    rows = clip.rows()
    label = "" if clip.folder.parent.name == "clips" else clip.folder.parent.name
    return ClipSummary(
        name=name_of(clip.folder),
        source=clip.about.source,
        seconds=max((number_in(row, "time_s") for row in rows), default=0.0),
        n_frames=len({row["frame"] for row in rows}),
        faces_by_track=dict(Counter(int(number_in(row, "track_id")) for row in rows)),
        n_bytes=clip.n_bytes,
        began_at=clip.about.began_at,
        label=label,
        take=(label and take_number(clip.folder)) or 0,
    )


def take_number(path: Path) -> int | None:
    """Of a take's folder or file, None where its name tells no number."""
    match = _TAKE.match(path.stem if path.is_file() else path.name)
    return int(match.group(1)) if match else None


def find_clips(names: Sequence[str]) -> list[Recording]:
    """The clips and takes of these names; `InputError` names the first that is not there."""
    return _of_names(names, {name_of(c.folder): c for c in [*list_clips(), *list_takes()]})


def _of_names(names: Sequence[str], clips: Mapping[str, _Found]) -> list[_Found]:
    missing = [name for name in names if name not in clips]
    if missing:
        there = f"there are: {', '.join(clips)}" if clips else "there are none"
        raise InputError(f"{missing[0]}: no clip of this name; {there}")
    return [clips[name] for name in names]


def forget_retraining() -> bool:
    """Delete the run folders of all retrainings, which may hold faces cut out of the clips, and the
    models that were learnt from them and not installed. Says whether there was one. Raises
    `OutputError`."""
    folders = retraining_folders()
    for folder in folders:
        refuse_links(folder)
    for folder in folders:
        delete_learnt(folder)
    return bool(folders)


def retraining_folders() -> list[Path]:
    """Where retrainings and models lie that were not installed, of whomever; those that are there,
    links among them."""
    places = [home() / name for name in ("retraining", "calibrated")]
    return [place for place in places if os.path.lexists(place)]


def bytes_used() -> int:
    """What all clips and takes take on the disk, with what cannot be read any more."""
    n_bytes = 0
    for file in (file for folder in clip_folders() for file in folder.glob("*")):
        with contextlib.suppress(OSError):  # it was deleted meanwhile
            n_bytes += file.stat().st_size if file.is_file() else 0
    return n_bytes
