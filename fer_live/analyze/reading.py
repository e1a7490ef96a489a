"""A source from its first frame to its last, through the pipeline."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from fer_live.datatypes import DetectorMode, Frame, FrameResult, Provider
from fer_live.sources.images import IMAGE_SUFFIXES
from fer_live.sources.open import open_source
from fer_live.sources.source import FrameSource
from fer_live.sources.stream import StreamSource
from fer_live.vision.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the sources of one `fer-live analyze` are read: which frames, by which model, on what."""

    every: int = 1
    model: Path | None = None
    provider: Provider = "auto"
    detector: DetectorMode = "auto"


def read_source(name: str, read_options: ReadOptions, pipeline: Pipeline) -> Iterator[FrameResult]:
    """Every K-th frame of a clip, image or stream, read. Raises what the source raises."""
    pipeline.reset()
    with closing(open_source(name)) as source:
        for frame in islice(_frames(source), 0, None, read_options.every):
            yield pipeline.process(frame)


def count_frames(name: str, read_options: ReadOptions) -> int | None:
    """How many frames that will be, where the file tells."""
    if Path(name).suffix.lower() in IMAGE_SUFFIXES:
        return 1  # to open it would decode it
    with closing(open_source(name)) as source:
        return source.n_frames and -(-source.n_frames // read_options.every)


def _frames(source: FrameSource) -> Iterator[Frame]:
    """All frames. A stream's clock starts at its first frame, and Ctrl-C is its end."""
    started_s: float | None = None
    try:
        while (frame := source.read()) is not None:
            if isinstance(source, StreamSource):
                started_s = frame.captured_at_s if started_s is None else started_s
                frame = replace(frame, captured_at_s=frame.captured_at_s - started_s)
            yield frame
    except KeyboardInterrupt:
        if not isinstance(source, StreamSource) or started_s is None:
            raise
