"""`fer-live analyze`: the live pipeline over files, folders and streams, without a window."""

import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from fer_live.camera import FrameSource, StreamSource, is_url, open_source
from fer_live.console import check_output_file
from fer_live.datatypes import DetectorMode, Frame, FrameResult, Provider
from fer_live.errors import FerLiveError, InputError, SourceError, TruncatedError
from fer_live.image_files import images_in
from fer_live.sinks import FILE_SUFFIXES, ResultSink, open_file_sink
from fer_live.system_libraries import require_qt_libraries
from fer_live.video_file import VIDEO_SUFFIXES

if TYPE_CHECKING:  # its imports take seconds
    from fer_live.pipeline import Pipeline


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
    """What was read. `wall_s` is the time from the first frame to the last, without loading;
    `detector` names the models used, the most used first."""

    frames: int
    frames_with_face: int
    faces: int
    wall_s: float
    fps: float
    provider: str
    detector: str
    model: str


@dataclass(slots=True)
class _Counts:
    frames: int = 0
    frames_with_face: int = 0
    faces: int = 0
    detectors: Counter[str] = field(default_factory=Counter)

    def add(self, result: FrameResult) -> None:
        self.frames += 1
        self.frames_with_face += bool(result.faces)
        self.faces += len(result.faces)
        self.detectors[result.detector] += 1


def analyze(options: AnalyzeOptions) -> tuple[Summary, list[str]]:
    """Read every source in turn; returns what was read and a line for each source that broke.

    Everything that can be wrong with the arguments is found before anything is written. A source
    that breaks later (a clip that ends early, an unreadable image in a folder) is named, the others
    are read, and the output is complete for all that could be. An interrupt ends a stream as its
    end would. Otherwise, and where nothing could be read, `FerLiveError` is raised: then the
    output's place is untouched, and what was read lies beside it.
    """
    names = _expand(options.sources)
    _check_outputs(options, names)
    for name in names:
        _check_source(name, explicit=name in options.sources)
    if options.video is not None:
        require_qt_libraries(headless=True)

    from fer_live.pipeline import Pipeline  # seconds of imports, only now that all is checked

    counts: _Counts = _Counts()
    broken: list[str] = []
    sinks: list[ResultSink] = []
    with Pipeline.load(options.model, options.provider, options.detector) as pipeline:
        if pipeline.classifier.warning:
            print(f"fer-live: {pipeline.classifier.warning}", file=sys.stderr)
        try:
            _open_sinks(sinks, options, names, pipeline.labels)
            started_s = time.perf_counter()
            for name in names:
                try:
                    _read_source(name, options, pipeline, sinks, counts)
                except (SourceError, TruncatedError) as error:
                    broken.append(str(error))
            wall_s = time.perf_counter() - started_s
            if broken and counts.frames == 0:
                raise SourceError(broken[-1])
            for sink in sinks:
                sink.close()
        except BaseException as error:  # noqa: BLE001  # raised again, after the sinks
            raise _after_failure(error, sinks, counts) from None
        return Summary(
            frames=counts.frames,
            frames_with_face=counts.frames_with_face,
            faces=counts.faces,
            wall_s=round(wall_s, 3),
            fps=round(counts.frames / wall_s, 1) if wall_s > 0 else 0.0,
            provider=pipeline.classifier.provider,
            detector="+".join(name for name, _ in counts.detectors.most_common()),
            model=pipeline.classifier.name,
        ), broken


def _after_failure(
    error: BaseException, sinks: Sequence[ResultSink], counts: _Counts
) -> BaseException:
    """Abandon the sinks; the error, saying where what was read so far lies."""
    kept = [path for sink in sinks if (path := sink.abandon()) and path.is_file()]
    if counts.frames == 0:
        for path in kept:
            path.unlink()
        return error
    where = f"; read so far: {', '.join(map(str, kept))}" if kept else ""
    if isinstance(error, KeyboardInterrupt):
        return FerLiveError(f"interrupted{where}")
    return type(error)(f"{error}{where}") if isinstance(error, FerLiveError) else error


def _read_source(
    name: str,
    options: AnalyzeOptions,
    pipeline: "Pipeline",
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
            counts.add(result)
            for sink in sinks:
                sink.write(name, result)


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


def _expand(sources: Sequence[str]) -> list[str]:
    """Folders become their images, sorted by name; everything else stays."""
    names: list[str] = []
    for source in sources:
        if not source:
            raise SourceError("a SOURCE is empty; name a file, a folder or a stream")
        is_folder = not is_url(source) and Path(source).is_dir()
        names += map(str, images_in(Path(source))) if is_folder else [source]
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
        if any(not is_url(n) and options.out.resolve() == Path(n).resolve() for n in names):
            raise InputError(f"{options.out}: is a source itself; choose another --out")
    if options.video is not None:
        check_output_file(options.video, VIDEO_SUFFIXES)
        if len(names) != 1:
            raise InputError(f"--video takes one source at a time, got {len(names)}")
        if not is_url(names[0]) and options.video.resolve() == Path(names[0]).resolve():
            raise InputError(f"{options.video}: is the source itself; choose another --video")


def _open_sinks(
    sinks: list[ResultSink],
    options: AnalyzeOptions,
    names: Sequence[str],
    labels: tuple[str, ...],
) -> None:
    """Add to `sinks` one after the other, so that the caller can abandon those that were opened."""
    if options.out is not None:
        sinks.append(open_file_sink(options.out, labels))
    if options.video is not None:
        from fer_live.ui.annotated_video import AnnotatedVideo

        sinks.append(AnnotatedVideo(options.video, labels))
