"""`fer-live analyze`: the live pipeline over files, folders and streams, without a window."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer_live.camera import (
    IMAGE_SUFFIXES,
    ClipSource,
    FrameSource,
    ImageSource,
    StreamSource,
    is_url,
)
from fer_live.console import check_output_file
from fer_live.datatypes import DetectorMode, Provider
from fer_live.errors import FerLiveError, InputError, SourceError, TruncatedError
from fer_live.sinks import FILE_SUFFIXES, ResultSink, open_file_sink

_FALLBACK_FPS = 25.0


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """What to read and where to write it; at least one of `out` and `video`."""

    sources: Sequence[str]
    out: Path | None = None
    video: Path | None = None
    every: int = 1
    model: Path | None = None
    provider: Provider = "auto"
    detector: DetectorMode = "auto"


@dataclass(frozen=True, slots=True)
class Summary:
    """What was read. `wall_s` is the time from the first frame to the last, without loading."""

    frames: int
    frames_with_face: int
    faces: int
    wall_s: float
    fps: float
    provider: str
    detector: str
    model: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class _Counts:
    frames: int = 0
    frames_with_face: int = 0
    faces: int = 0


def analyze(options: AnalyzeOptions) -> tuple[Summary, list[str]]:
    """Read every source in turn; returns what was read and a line for each source that broke.

    Everything that can be wrong with the arguments is found before anything is written. A source
    that breaks later (a clip that ends early, an unreadable image in a folder) is named, the others
    are read, and the output is complete for all that could be. Raises `InputError` and
    `OutputError`; then the output's place is untouched, and what was read lies beside it.
    """
    names = _expand(options.sources)
    _check_outputs(options, names)
    for name in names:
        _check_source(name, explicit=name in options.sources)

    from fer_live.pipeline import Pipeline  # seconds of imports, only now that all is checked

    with Pipeline.load(options.model, options.provider, options.detector) as pipeline:
        sinks = _open_sinks(options, names, pipeline.labels)
        counts, broken = _Counts(), []
        started_s = time.perf_counter()
        try:
            for name in names:
                try:
                    _read_source(name, options, pipeline, sinks, counts)
                except (SourceError, TruncatedError) as error:
                    broken.append(str(error))
            wall_s = time.perf_counter() - started_s
            for sink in sinks:
                sink.close()
        except BaseException as error:
            kept = [path for sink in sinks if (path := sink.abandon()) and path.is_file()]
            if isinstance(error, FerLiveError) and kept:
                raise type(error)(f"{error}; read so far: {', '.join(map(str, kept))}") from None
            raise
        if broken and counts.frames == 0:
            raise SourceError(broken[0])
        detectors = pipeline.detector.name
        summary = Summary(
            frames=counts.frames,
            frames_with_face=counts.frames_with_face,
            faces=counts.faces,
            wall_s=round(wall_s, 3),
            fps=round(counts.frames / wall_s, 1) if wall_s > 0 else 0.0,
            provider=pipeline.classifier.provider,
            detector=detectors,
            model=pipeline.classifier.name,
        )
    return summary, broken


def _read_source(
    name: str,
    options: AnalyzeOptions,
    pipeline: Any,
    sinks: Sequence[ResultSink],
    counts: _Counts,
) -> None:
    pipeline.reset()
    with closing(open_source(name)) as source:
        total = source.n_frames and -(-source.n_frames // options.every)
        frames = itertools.islice(_frames(source), 0, None, options.every)
        # tqdm's None: no bar where stderr is no terminal.
        for frame in tqdm(frames, desc=Path(name).name, total=total, unit="frame", disable=None):
            result = pipeline.process(frame)
            counts.frames += 1
            counts.frames_with_face += bool(result.faces)
            counts.faces += len(result.faces)
            for sink in sinks:
                sink.write(name, result)


def _frames(source: FrameSource) -> Iterator[Any]:
    while (frame := source.read()) is not None:
        yield frame


def open_source(name: str) -> FrameSource:
    """A stream for a URL, one frame for an image file, a clip for any other file."""
    if is_url(name):
        return StreamSource(name)
    path = Path(name)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path)
    return ClipSource(path)


def _expand(sources: Sequence[str]) -> list[str]:
    """Folders become their images, sorted by name; everything else stays."""
    names: list[str] = []
    for source in sources:
        folder = Path(source)
        if is_url(source) or not folder.is_dir():
            names.append(source)
            continue
        images = sorted(
            str(file) for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES
        )
        if not images:
            raise SourceError(f"{source}: no image in this folder ({', '.join(IMAGE_SUFFIXES)})")
        names += images
    return names


def _check_source(name: str, *, explicit: bool) -> None:
    """Find a file that cannot be read before anything starts. A stream is only there once."""
    if is_url(name):
        return
    if not Path(name).exists():
        raise SourceError(f"{name}: no such file or folder")
    if explicit:
        open_source(name).close()


def _check_outputs(options: AnalyzeOptions, names: Sequence[str]) -> None:
    if options.out is None and options.video is None:
        raise InputError("nothing to write: add --out FILE.csv or --video FILE.mp4")
    if options.every < 1:
        raise InputError(f"--every {options.every}: must be 1 or more")
    if options.out is not None:
        check_output_file(options.out, FILE_SUFFIXES)
    if options.video is not None:
        check_output_file(options.video, (".mp4",))
        if len(names) != 1:
            raise InputError(f"--video takes one source at a time, got {len(names)}")
        if not is_url(names[0]) and options.video.resolve() == Path(names[0]).resolve():
            raise InputError(f"{options.video}: is the source itself; choose another --video")


def _open_sinks(
    options: AnalyzeOptions, names: Sequence[str], labels: tuple[str, ...]
) -> list[ResultSink]:
    sinks: list[ResultSink] = []
    if options.out is not None:
        sinks.append(open_file_sink(options.out, labels))
    if options.video is not None:
        from fer_live.ui.annotated_video import AnnotatedVideo

        sinks.append(AnnotatedVideo(options.video, labels, _fps(names[0]) / options.every))
    return sinks


def _fps(name: str) -> float:
    if is_url(name):
        return _FALLBACK_FPS
    with closing(open_source(name)) as source:
        return source.fps if isinstance(source, ClipSource) else _FALLBACK_FPS
