"""A part of a recording as a recording of its own: its pictures, rows and markers."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.regular_file import LINE_BYTES, open_regular
from fer_live.base.translation import tr
from fer_live.errors import InputError
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.history import clock_tenths
from fer_live.recording.persons import load_persons, save_persons
from fer_live.recording.recorded_faces import row_index
from fer_live.recording.recorder import (
    ABOUT_FILE,
    FACES_FILE,
    VIDEO_FILE,
    Recording,
    new_folder,
)
from fer_live.recording.row_line import row_in
from fer_live.recording.sound import open_sound
from fer_live.recording.video_copy import copy_frames
from fer_live.recording.video_file import VideoFile
from fer_live.sources.decoder import VideoDecoder

_HALF_MS = 5e-4


def save_part(
    recording: Recording, from_s: float, to_s: float, parent: Path, tell: Callable[[float], None]
) -> Path:
    """Make a recording of what lies between two times, both included.

    Its pictures are copied as they are where its first one can stand alone; else they are encoded
    again.

    Args:
        recording: The whole one.
        from_s: Its first time, in seconds of the recording.
        to_s: Its last time.
        parent: The folder in which a new one is made.
        tell: Called with the seconds that are done; what it raises ends it.

    Returns:
        The folder of the part.

    Raises:
        InputError: No picture lies there.
        SourceError: The video cannot be read.
        OutputError: The disk refuses; nothing is left behind.
    """
    began_at = recording.utc_at(from_s)
    folder = new_folder(parent, began_at)
    try:
        with writing(folder):
            (folder / VIDEO_FILE).touch(0o600)
        times_s = _save_video(recording, from_s, to_s, folder / VIDEO_FILE, tell)
        if not times_s:
            raise InputError(tr("There is no picture between these two times"))
        _save_rows(recording, times_s, folder / FACES_FILE)
        called = f"{recording.name} {clock_tenths(from_s)}-{clock_tenths(to_s)}"
        about = recording.about.model_copy(
            update={"began_at": began_at, "video": None, "name": called}
        )
        content = about.model_dump_json(indent=2).encode()
        write_atomically(folder / ABOUT_FILE, content, is_private=True)
        if spans := _spans_between(recording, times_s[0], to_s):
            Recording.open(folder).save_markers(spans)
        if persons := load_persons(recording.folder):
            save_persons(folder, persons)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _save_video(
    recording: Recording, from_s: float, to_s: float, path: Path, tell: Callable[[float], None]
) -> list[float]:
    """Returns the times of its pictures in the whole recording."""
    first_s, last_s = from_s - _HALF_MS, to_s + _HALF_MS
    # A file of somebody's own may be turned, or have an edit list, which a plain copy would lose.
    if recording.about.video is None:
        copied = copy_frames(recording.video, first_s, last_s, path, tell)
        if copied is not None:
            return copied
    times_s: list[float] = []
    with closing(VideoDecoder(recording.video)) as decoder:
        decoder.seek(max(first_s, 0.0))
        video = VideoFile(path, open_sound(str(recording.video), path.suffix))
        try:
            for image_bgr, time_s in decoder.frames():
                if time_s > last_s:
                    break
                if time_s >= first_s:
                    video.write(image_bgr, time_s)
                    times_s.append(time_s)
                    tell(time_s - from_s)
        finally:
            video.close(last_s)
    return times_s


def _save_rows(recording: Recording, times_s: list[float], path: Path) -> None:
    index = row_index(recording)
    assert index is not None, "nobody stops it"
    first = int(np.searchsorted(index.times_s, times_s[0] - 2 * _HALF_MS))
    last = int(np.searchsorted(index.times_s, times_s[-1] + 2 * _HALF_MS))
    frames_s = np.array(times_s)

    def lines() -> Iterator[str]:
        with open_regular(recording.folder / FACES_FILE) as file:
            for offset in index.offsets[first:last]:
                file.seek(int(offset))
                row = row_in(file.readline(LINE_BYTES), recording.about.labels)
                if row is None:  # changed since it was indexed
                    continue
                row["frame"] = int(np.abs(frames_s - row["time_s"]).argmin())
                row["time_s"] = round(max(row["time_s"] - times_s[0], 0.0), 6)
                yield json.dumps(row, ensure_ascii=False) + "\n"

    with writing(path):
        path.touch(0o600)
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            if first < last:
                file.writelines(lines())


def _spans_between(recording: Recording, from_s: float, to_s: float) -> list[MarkedSpan]:
    """The markers of this part on its own clock; of intervals what lies in it."""
    inside = []
    for span in recording.markers():
        end_s = to_s if span.to_s is None else span.to_s
        if end_s < from_s - _HALF_MS or span.from_s > to_s:
            continue
        begin_s = max(span.from_s, from_s)
        inside.append(
            replace(
                span,
                from_s=begin_s - from_s,
                to_s=max(min(end_s, to_s) - from_s, begin_s - from_s),
                utc=recording.utc_at(begin_s),
            )
        )
    return inside
