"""`fer-live capture` and `fer-live clips import`: clips from a source, without a window."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from fer_live.base.settings import Settings
from fer_live.base.unfinished import Unfinished
from fer_live.errors import SourceError, TruncatedError
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.clips import bytes_used, clips_folder
from fer_live.recording.history import clock
from fer_live.recording.recorder import About, Recording
from fer_live.sources.source import FrameSource
from fer_live.vision.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Captured:
    """What came of it: the clip, None where no frame was kept; the frames read and those kept; and
    what ended the source before its time, None where nothing did."""

    clip: Recording | None
    n_frames: int
    n_kept: int
    trouble: SourceError | TruncatedError | None = None


def room_bytes(settings: Settings) -> int:
    """Bytes that more clips may take on the disk before the limit in the settings is reached."""
    return max(settings.clips_limit_mb * 1_000_000 - bytes_used(), 0)


def about_now(pipeline: Pipeline, source: str) -> About:
    """What a clip that begins now says of itself."""
    return About(
        labels=pipeline.labels,
        own_labels=pipeline.own_labels,
        model=pipeline.classifier.name,
        source=source,
        began_at=datetime.now().astimezone(),
        with_overlay=False,
    )


def capture(
    source: FrameSource,
    pipeline: Pipeline,
    settings: Settings,
    minutes: float | None = None,
    *,
    pauses: bool = False,
) -> Captured:
    """Read a source into one clip, to its end, for `minutes` of its own time, or until Ctrl-C;
    then close it.

    With `pauses`, Enter on a terminal pauses and goes on; a pause does not count. A source that
    breaks ends the clip, which is kept. After a kill the next start names the clip. Raises what a
    source raises that shows nothing at all.
    """
    trouble = None
    unfinished = None
    n_frames = 0
    with (
        ExitStack() as ends,
        closing(source),
        _recorder(pipeline, source.name, settings) as recorder,
        tqdm(bar_format="{desc}", disable=None) as mark,
    ):
        if pauses:
            _listen_for_pause(recorder)
        pipeline.reset()
        try:
            while (frame := source.read()) is not None:
                n_frames += 1
                recorder.write(source.name, pipeline.process(frame))
                if unfinished is None and recorder.growing is not None:
                    unfinished = Unfinished(recorder.growing)
                    ends.callback(unfinished.done)
                if minutes is not None and recorder.seconds >= minutes * 60:
                    break
                mark.set_description_str(_mark(recorder, minutes))
        except KeyboardInterrupt:
            pass
        except (SourceError, TruncatedError) as error:
            if n_frames == 0:
                raise
            trouble = error
    folder = recorder.recorder and recorder.recorder.folder
    clip = Recording.open(folder) if folder else None
    return Captured(clip, n_frames, recorder.n_kept, trouble)


@contextmanager
def _recorder(pipeline: Pipeline, source: str, settings: Settings) -> Iterator[ClipRecorder]:
    recorder = ClipRecorder(
        clips_folder(settings.person), lambda: about_now(pipeline, source), room_bytes(settings)
    )
    try:
        yield recorder
    except BaseException:
        recorder.abandon()
        raise
    recorder.close()


def import_clips(
    files: Sequence[Path], pipeline: Pipeline, settings: Settings
) -> tuple[list[Recording], list[str]]:
    """Each file becomes a clip; a line for each that could not be read or has no face.

    What was read of a file that breaks in its midst is kept.
    """
    from fer_live.sources.open import open_source  # loads the decoders, which the window waits for

    clips: list[Recording] = []
    broken: list[str] = []
    for file in files:
        try:
            captured = capture(open_source(str(file)), pipeline, settings)
        except (SourceError, TruncatedError) as error:
            broken.append(str(error))
            continue
        if captured.trouble is not None:
            broken.append(str(captured.trouble))
        elif captured.clip is None:
            broken.append(f"{file}: no face in its {captured.n_frames} frames")
        if captured.clip is not None:
            clips.append(captured.clip)
    return clips, broken


def _mark(recorder: ClipRecorder, minutes: float | None) -> str:
    """The visible sign that the person is being captured."""
    sign = "⏸ paused" if recorder.paused else "● capturing"
    whole = f" of {clock(minutes * 60)}" if minutes else ""
    keys = "Enter: go on" if recorder.paused else "Enter: pause, Ctrl-C: end"
    return (
        f"{sign} {clock(recorder.seconds)}{whole}, {recorder.n_kept} frames kept, "
        f"{recorder.n_bytes / 1e6:.0f} MB ({keys})"
    )


def _listen_for_pause(recorder: ClipRecorder) -> None:
    if not sys.stdin.isatty():
        return

    def listen() -> None:
        for _ in sys.stdin:
            recorder.paused = not recorder.paused

    threading.Thread(target=listen, name="pause", daemon=True).start()
