"""One upload through one pipeline, within its limits."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from fer_live.errors import LimitError, SourceError, TruncatedError
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.serve.limits import Limits
from fer_live.serve.refusal import Refusal
from fer_live.serve.uploads import Upload
from fer_live.sources.untrusted import open_untrusted
from fer_live.vision.pipeline import Pipeline


@dataclass(slots=True)
class Reading:
    """What was read in an upload; `warning` says where it is damaged."""

    source: str
    labels: tuple[str, ...]
    frames: int = 0
    frames_with_face: int = 0
    warning: str = ""
    rows: list[Row] = field(default_factory=list)


class Cancelled(Exception):
    """The client went away, or the service ends."""


def read_upload(
    upload: Upload,
    every: int,
    pipeline: Pipeline,
    limits: Limits,
    is_cancelled: Callable[[], bool],
) -> Reading:
    """Read every K-th frame of an upload.

    Raises:
        Refusal: 415 where it is no image and no video, 413 where it is larger or longer than the
            limits allow.
        Cancelled: `is_cancelled` said so, which is asked at every frame.
    """
    until_s = time.monotonic() + limits.max_seconds
    reading = Reading(upload.name, pipeline.labels)
    pipeline.reset()
    try:
        with closing(open_untrusted(upload.path, limits.max_pixels)) as source:
            index = -1
            while (frame := source.read()) is not None:
                index += 1
                if is_cancelled():
                    raise Cancelled
                if time.monotonic() > until_s:
                    raise LimitError(_too_long(reading, limits))
                if index % every:
                    continue
                if reading.frames == limits.max_frames:
                    raise LimitError(f"has more than {limits.max_frames:,} frames; send a part")
                result = pipeline.process(frame)
                reading.frames += 1
                reading.frames_with_face += bool(result.faces)
                reading.rows += face_rows(upload.name, result, pipeline.labels)
    except LimitError as error:
        raise Refusal(413, f"{upload.name}: {_named(error, upload)}") from None
    except TruncatedError as error:
        reading.warning = f"{upload.name}: {_named(error, upload)}"
    except SourceError:
        raise Refusal(
            415, f"{upload.name}: not an image or a video that can be read; is it damaged?"
        ) from None
    if reading.frames == 0:
        raise Refusal(415, f"{upload.name}: holds no picture that can be decoded")
    return reading


def _too_long(reading: Reading, limits: Limits) -> str:
    return (
        f"takes longer than {limits.max_seconds:g} s to read, {reading.frames} frames so far; "
        "send a part of it, or fewer frames by every=K"
    )


def _named(error: Exception, upload: Upload) -> str:
    """The error's text without the path that only this process knows."""
    return str(error).removeprefix(f"{upload.path}: ").replace(str(upload.path), upload.name)
