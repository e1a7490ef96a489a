"""Any video opened as a recording: read to its end, it lies in the list with the others."""

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import InputError
from fer_live.recording.recorded_rows import RecordedLines
from fer_live.recording.recorder import ABOUT_FILE, FACES_FILE, About, new_folder
from fer_live.recording.row_index import save_index
from fer_live.recording.video_reference import VideoReference
from fer_live.sources.clip import ClipSource
from fer_live.vision.pipeline import Pipeline


def open_video(path: Path, pipeline: Pipeline, parent: Path, tell: Callable[[float], None]) -> Path:
    """Read a video into a new recording, which refers to the video and leaves it where it is.

    Args:
        path: The video.
        pipeline: What reads it; its next frame is the video's first.
        parent: The folder in which a new one is made.
        tell: Called with the seconds of the video that are read; what it raises ends it, and
            leaves nothing behind.

    Returns:
        The folder of the recording.

    Raises:
        InputError: The file cannot be read, or is no video.
        OutputError: The disk refuses.
    """
    try:
        reference = VideoReference.of(path)
    except OSError as error:
        raise InputError(
            tr("{path}: cannot be read: {reason}", path=path, reason=refusal(error))
        ) from None
    with closing(ClipSource(path)) as clip:
        frame = clip.read()
        assert frame is not None, "a clip without pictures is refused"
        began_at = frame.captured_at_utc or datetime.now().astimezone()
        about = About(
            labels=pipeline.labels,
            own_labels=pipeline.own_labels,
            model=pipeline.classifier.name,
            source=path.name,
            began_at=began_at,
            with_overlay=False,
            name=path.stem,
            video=reference,
        )
        folder = new_folder(parent, datetime.now().astimezone(), path.stem[:60])
        try:
            content = about.model_dump_json(indent=2).encode()
            write_atomically(folder / ABOUT_FILE, content, is_private=True)
            rows, lines = folder / FACES_FILE, RecordedLines(pipeline.labels)
            with writing(rows):
                rows.touch(0o600)
                with rows.open("wb") as file:
                    while frame is not None:
                        tell(frame.captured_at_s)
                        file.write(lines.of(path.name, pipeline.process(frame)))
                        frame = clip.read()
            save_index(rows, pipeline.labels, lines.index.index())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder
