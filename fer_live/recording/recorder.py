"""Recordings: a folder each, with the video, what was read in it, and markers.

FER_LIVE_HOME/recordings/2026-11-25 14.03.22/
    video.mkv         the frames, each at its time; after a crash it plays but for its last moment
    faces.jsonl       one row per face, as `fer-live analyze` writes it; `time_s` is the video's;
                      while the signals are on, theirs and the `points` of the face's outlines too
    recording.json    labels, model, and when it began
    faces.jsonl.markers.csv  the markers that came meanwhile, and those made in the review
    persons.json      which faces the person grouped as one person's: their numbers
    faces.index.npz   a copy of what the review needs of the rows at once; made anew where missing
"""

import contextlib
import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import (
    BaseModel,
    ConfigDict,
    FiniteFloat,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.clocks import can_be_recorded, moved
from fer_live.base.deletion import delete_folder
from fer_live.base.home import home, made
from fer_live.base.regular_file import LINE_BYTES, lines_in, open_regular, read_whole
from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult, Marker, UInt8Array
from fer_live.errors import InputError
from fer_live.outputs.face_rows import Row, number_in
from fer_live.outputs.marker_file import (
    COMPANION_SUFFIX,
    MarkerFile,
    companion_of,
    read_marker_file,
    write_marker_file,
)
from fer_live.outputs.markers import MarkedSpan, MarkedSpans
from fer_live.recording.persons import load_persons, with_persons
from fer_live.recording.recorded_rows import RecordedLines
from fer_live.recording.row_index import save_index
from fer_live.recording.row_line import row_in
from fer_live.recording.video_reference import VideoReference

VIDEO_FILE = "video.mkv"
FACES_FILE = "faces.jsonl"
ABOUT_FILE = "recording.json"
_NOTES_FILE = "notes.json"
"""What recordings of earlier versions have in place of markers."""


class About(BaseModel):
    """What a recording says of itself, written when it begins."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    labels: tuple[str, ...]
    own_labels: tuple[str, ...] = ()
    """The last of the labels: expressions of the person's own."""
    model: str
    source: str
    began_at: datetime
    with_overlay: bool
    name: str = ""
    """What the person calls it; its folder is named after the time."""
    video: VideoReference | None = None
    """Of a video that was opened as a recording: where it lies. None: `video.mkv` in the folder."""

    @model_validator(mode="after")
    def _can_be(self) -> "About":
        """Labels differ, a person's own are the last of them, and the time is one of a camera."""
        n_common = len(self.labels) - len(self.own_labels)
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be distinct, and one at least")
        if n_common < 0 or self.labels[n_common:] != self.own_labels:
            raise ValueError("own_labels must end the labels")
        if not can_be_recorded(self.began_at):
            raise ValueError("began_at is no time of a recording")
        return self


class _Note(BaseModel):
    """A line that the person wrote at a moment of the video, in recordings of earlier versions."""

    time_s: FiniteFloat
    text: str


_NOTES = TypeAdapter(list[_Note])


class Recorder:
    """A `ResultSink` into a new recording below `folder`, readable by its owner alone.

    `paint` makes the picture that is recorded, for instance with its overlay; None takes the frame
    as it is. `called` stands in the folder's name after the time, where several sources are
    recorded. Every frame and row is on its way to the disk when `write` returns, and so is every
    marker once there is a frame. Their times are the video's, and none is before its beginning.
    One that got no frame leaves no folder behind.
    """

    def __init__(
        self,
        folder: Path,
        about: About,
        paint: Callable[[FrameResult], UInt8Array] | None = None,
        called: str = "",
    ) -> None:
        self.folder = new_folder(folder, about.began_at, called)
        self._labels, self._paint = about.labels, paint
        content = about.model_dump_json(indent=2).encode()
        write_atomically(self.folder / ABOUT_FILE, content, is_private=True)
        with writing(self.folder):
            for name in (FACES_FILE, VIDEO_FILE):
                (self.folder / name).touch(mode=0o600)
            self._faces = (self.folder / FACES_FILE).open("wb")
        from fer_live.recording.video_file import VideoFile  # not before there is one

        self._video = VideoFile(self.folder / VIDEO_FILE)
        self._lines = RecordedLines(about.labels)
        self._first_s: float | None = None
        self._early: list[Marker] = []
        self._spans = MarkedSpans()
        self._markers = MarkerFile(companion_of(self.folder / FACES_FILE), is_private=True)

    def write(self, source: str, result: FrameResult) -> None:
        if self._first_s is None:
            self._begin(result.frame.captured_at_s)
        assert self._first_s is not None
        time_s = result.frame.captured_at_s - self._first_s
        frame = replace(result.frame, index=self._video.n_frames, captured_at_s=time_s)
        image = self._paint(result) if self._paint else frame.image_bgr
        self._video.write(image, time_s)
        lines = self._lines.of(source, replace(result, frame=frame))
        with writing(self.folder / FACES_FILE):
            self._faces.write(lines)
            self._faces.flush()

    def mark(self, marker: Marker) -> None:
        if self._first_s is None:
            self._early.append(marker)
            return
        at_s = max(marker.time_s - self._first_s, 0.0)
        span = self._spans.add(replace(marker, time_s=at_s))
        if span is not None:
            self._markers.append(span)

    def _begin(self, first_s: float) -> None:
        self._first_s = first_s
        for marker in self._early:
            self.mark(marker)
        self._early.clear()

    @property
    def growing(self) -> Path:
        """Its folder."""
        return self.folder

    @property
    def is_empty(self) -> bool:
        """Whether no frame has been written."""
        return self._first_s is None

    def close(self) -> None:
        with writing(self.folder / FACES_FILE):
            self._faces.close()
        self._markers.close(self._markers.path)
        self._video.close()
        if self.is_empty:
            with writing(self.folder):
                shutil.rmtree(self.folder)
        else:
            save_index(self.folder / FACES_FILE, self._labels, self._lines.index.index())

    def abandon(self) -> Path:
        """What was written stays and can be played."""
        for end in (self._faces.close, self._video.close):
            try:
                end()
            except Exception:  # noqa: BLE001  # the first error was told already
                continue
        return self.folder


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that is there. Raises `InputError` where the folder is none."""

    folder: Path
    about: About

    @classmethod
    def open(cls, folder: Path) -> "Recording":
        """Read what a folder says of itself."""
        try:
            about = About.model_validate_json(read_whole(folder / ABOUT_FILE))
        except (OSError, ValidationError):
            raise InputError(
                tr(
                    "{folder}: no recording, its {file} cannot be read",
                    folder=folder,
                    file=ABOUT_FILE,
                )
            ) from None
        if about.video is not None:
            about.video.check()
        elif not (folder / VIDEO_FILE).is_file():
            raise InputError(tr("{folder}: its {file} is missing", folder=folder, file=VIDEO_FILE))
        return cls(folder, about)

    @property
    def name(self) -> str:
        """What the person calls it, or else its folder's name."""
        return self.about.name or self.folder.name

    @property
    def video(self) -> Path:
        """Its video: in its folder, or the file that was opened as a recording."""
        reference = self.about.video
        return self.folder / VIDEO_FILE if reference is None else Path(reference.path)

    @property
    def n_bytes(self) -> int:
        """What it takes on the disk; 0 where it was deleted meanwhile."""
        try:
            return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())
        except FileNotFoundError:
            return 0

    @property
    def _markers_file(self) -> Path:
        return self.folder / f"{FACES_FILE}{COMPANION_SUFFIX}"

    def rows(self) -> list[Row]:
        """A row a face, in order of time; a line that a crash cut off is left out. With the column
        `person` where somebody grouped the faces."""
        return list(self.each_row())

    def each_row(self) -> Iterator[Row]:
        """The same rows one by one, for those of hours take a gigabyte."""
        persons = load_persons(self.folder)
        try:
            with open_regular(self.folder / FACES_FILE) as file:
                lines = lines_in(file)
                rows = (row for line in lines if (row := row_in(line, self.about.labels)))
                yield from rows if persons is None else with_persons(rows, persons)
        except OSError:
            return

    def markers(self) -> list[MarkedSpan]:
        """Moments and intervals in order of time; notes of earlier versions are moments."""
        notes: list[_Note] = []
        with contextlib.suppress(OSError, ValidationError):
            notes = _NOTES.validate_json(read_whole(self.folder / _NOTES_FILE))
        noted = [MarkedSpan(note.text, note.time_s, note.time_s) for note in notes]
        marked = read_marker_file(self._markers_file)
        return sorted([*marked, *noted], key=lambda span: span.from_s)

    def save_markers(self, spans: list[MarkedSpan]) -> None:
        """Replace all markers by these; raises `OutputError` where the disk refuses."""
        path = self._markers_file
        if not path.exists():
            with writing(path):
                path.touch(0o600)
        write_marker_file(path, spans)
        with writing(path):
            (self.folder / _NOTES_FILE).unlink(missing_ok=True)

    def utc_at(self, time_s: float) -> datetime:
        """What the wall clock told at a time of the video."""
        with contextlib.suppress(OSError, KeyError, ValueError, TypeError, OverflowError):
            with open_regular(self.folder / FACES_FILE) as file:
                row = row_in(file.readline(LINE_BYTES), self.about.labels) or {}
            first = datetime.fromisoformat(row["utc"])
            if (at := moved(first, time_s - number_in(row, "time_s"))) is not None:
                return at
        return moved(self.about.began_at, time_s) or self.about.began_at

    def delete(self) -> None:
        """Remove it from the disk; raises `OutputError`."""
        delete_folder(self.folder)


def recordings_folder() -> Path:
    """The folder of recordings, FER_LIVE_HOME/recordings."""
    return home() / "recordings"


def recording_of(path: Path) -> Recording | None:
    """The recording whose folder or video this is; None for any other path."""
    folder = path.parent if path.name == VIDEO_FILE else path
    try:
        return Recording.open(folder)
    except InputError:
        return None


def list_recordings(folder: Path) -> list[Recording]:
    """The newest first; folders that are no recordings are left out."""
    found = []
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []:
        try:
            found.append(Recording.open(path))
        except InputError:
            continue
    return found


def new_folder(parent: Path, began_at: datetime, called: str = "") -> Path:
    """Make a folder named after a time, and `called`, which its owner alone may look into."""
    allowed = re.sub(r"[^\w .-]+", "_", called)  # what no file system refuses
    name = f"{began_at:%Y-%m-%d %H.%M.%S} {allowed}".strip(" .")
    made(parent)
    with writing(parent / name):
        for number in itertools.count(1):
            folder = parent / (name if number == 1 else f"{name} {number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:  # also one that another window made just now
                continue
            break
    return folder
