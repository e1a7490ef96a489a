"""A recording as a video with its boxes and labels painted in."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from fer_live.base.atomic_file import discard_partial, partial_path, put_in_place
from fer_live.datatypes import Frame
from fer_live.painting.annotated_video import FramePainter, letterbox
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.recording.recorder import Recording
from fer_live.recording.sound import open_sound
from fer_live.recording.video_file import VideoFile
from fer_live.sources.decoder import VideoDecoder


def write_annotated_recording(
    path: Path, recording: Recording, tell: Callable[[float], None], *, with_heat_map: bool
) -> None:
    """Paint every frame as the review does; the video's own sound is kept.

    Args:
        path: Ends in .mp4 or .mkv; it is replaced once all is written.
        recording: The recording.
        tell: Called with the seconds that are written; what it raises ends it, and leaves
            nothing behind.
        with_heat_map: Whether to paint where the model looked, where that was recorded.

    Raises:
        SourceError: The recording's video cannot be read.
        OutputError: The disk refuses.
    """
    faces, paint = RecordedFaces(recording), FramePainter(recording.about.labels)
    partial = partial_path(path)
    video = VideoFile(partial, open_sound(str(recording.video), path.suffix))
    size_wh: tuple[int, int] | None = None
    try:
        with closing(VideoDecoder(recording.video)) as decoder:
            for number, (image_bgr, time_s) in enumerate(decoder.frames()):
                result = faces.result(Frame(image_bgr, number, time_s))
                if not with_heat_map:
                    plain = tuple(replace(face, heat_map=None) for face in result.faces)
                    result = replace(result, faces=plain)
                painted = paint(result)
                size_wh = size_wh or (painted.shape[1], painted.shape[0])
                video.write(letterbox(painted, size_wh), time_s)
                tell(time_s)
        video.close()
        put_in_place(partial, path)
    except BaseException:
        _close_quietly(video)
        discard_partial(partial)
        raise


def _close_quietly(video: VideoFile) -> None:
    try:
        video.close()
    except Exception:  # noqa: BLE001  # the first error is the one that is told
        return
