"""`fer-live analyze`: the live pipeline over files, folders and streams, without a window."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer_live import __version__
from fer_live.analyze.blinks import BlinkTally
from fer_live.analyze.finished import recall, remember
from fer_live.analyze.jobs import (
    Job,
    began,
    check_there,
    expand,
    has_streams,
    load_batch,
    marked,
    shard_of,
)
from fer_live.analyze.killed import forget_killed, note_growing
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.parallel import Counts, Part, forget_parts, parts_of, read_parts
from fer_live.analyze.persons import check_persons
from fer_live.analyze.reading import ReadOptions, n_frames_to_read, read_source
from fer_live.analyze.stream_markers import StreamMarkers
from fer_live.analyze.study_rows import rows_of
from fer_live.analyze.writing import (
    at_links_targets,
    check_written,
    open_outputs,
    open_row_sinks,
    open_video,
    write_markers,
)
from fer_live.base.atomic_file import beside
from fer_live.base.system_libraries import require_qt_libraries
from fer_live.errors import FerLiveError, SourceError, TruncatedError
from fer_live.outputs.kind import NoMarkersIn
from fer_live.outputs.markers import MARKER_COLUMN, MarkedSpan
from fer_live.outputs.sink import ResultSink, RowSink
from fer_live.plain_text import say
from fer_live.sources.open import open_source
from fer_live.sources.source import FrameSource


@dataclass(frozen=True, slots=True)
class Summary:
    """What was read. `wall_s` is the time from the first frame to the last, without loading;
    `detector` names the models used, the most used first; `blinks` has an object for each face of
    each source, where the signals were on."""

    frames: int
    frames_with_face: int
    faces: int
    wall_s: float
    fps: float
    provider: str
    detector: str
    model: str
    blinks: list[dict[str, Any]] | None = None


def analyze(options: AnalyzeOptions) -> tuple[Summary, list[str]]:
    """Read every source in turn; returns what was read and a line for each source that broke.

    Several files are read over all cores, in parts that an interrupt does not lose: the same
    command goes on from there. Everything that can be wrong with the arguments is found before
    anything is written. A source that breaks later (a clip that ends early, an unreadable image in
    a folder) is named, the others are read, and the output is complete for all that could be. An
    interrupt ends a stream as its end would. Otherwise, and where nothing could be read,
    `FerLiveError` is raised: the output's place is untouched then, what was read lies beside it.
    """
    jobs, told, broken = _jobs_of(options)
    options = at_links_targets(options)
    check_written(options, jobs)
    if options.persons:
        check_persons(jobs, has_rows=bool(options.out or options.report))
    if options.video is not None or "virtual_camera" in options.outputs:
        require_qt_libraries(headless=True)
    read_options = ReadOptions(
        options.every,
        options.model,
        options.provider,
        options.detector,
        answers=options.answers,
        signals=options.signals,
        is_marked=any(job.markers for job in jobs),
    )
    if options.video is None and not options.outputs and not has_streams(jobs):
        parts = parts_of(jobs, _what_decides(options) | {"is_marked": read_options.is_marked})
        if len(parts) > 1:
            summary, also_broken = _read_batch(options, parts, read_options, told)
            return summary, broken + also_broken
    summary, also_broken = _read_in_turn(options, jobs, read_options, told)
    return summary, broken + also_broken


def _jobs_of(options: AnalyzeOptions) -> tuple[list[Job], tuple[str, ...], list[str]]:
    """What is to be read, the columns that a batch file adds, and a line for each folder that holds
    nothing to read."""
    told: tuple[str, ...] = ()
    if options.batch is None:
        jobs = [Job(source, options.begin_s, options.end_s) for source in options.sources]
    else:
        jobs, told = load_batch(options.batch)
    check_there(jobs)
    jobs, broken = expand(jobs, recursive=options.recursive)
    return marked(shard_of(began(jobs, options.began_at), options.shard)), told, broken


def _read_in_turn(
    options: AnalyzeOptions,
    jobs: Sequence[Job],
    read_options: ReadOptions,
    told: tuple[str, ...],
) -> tuple[Summary, list[str]]:
    counts = Counts()
    tally = BlinkTally() if options.signals else None
    row_sinks: list[RowSink] = [tally] if tally else []
    sinks: list[ResultSink] = []
    # One file alone that cannot be read is told before the seconds that a pipeline takes.
    is_alone = len(jobs) == 1 and not has_streams(jobs)
    opened: list[FrameSource] = [open_source(jobs[0].name)] if is_alone else []
    live = StreamMarkers() if options.marker_inputs or _hears(options, jobs) else None
    also = (*told, MARKER_COLUMN) if live or read_options.is_marked else told
    with read_options.load_pipeline() as pipeline:
        counts.model, counts.provider = pipeline.classifier.name, pipeline.classifier.provider
        if pipeline.classifier.warning:
            say(f"fer-live: {pipeline.classifier.warning}", to=sys.stderr)
        try:
            row_sinks += open_row_sinks(
                options, pipeline.labels, pipeline.own_labels, also, _markers_of(jobs)
            )
            sinks += open_video(options, jobs, pipeline.labels)
            sinks += open_outputs(options, pipeline.labels, live.board if live else NoMarkersIn())
            if live is not None:
                live.listen(options.marker_inputs, options.out, row_sinks)
            started_s = time.perf_counter()
            for job in jobs:
                try:
                    source = opened.pop() if opened else open_source(job.name)
                    results = read_source(source, job, read_options, pipeline)
                    total = n_frames_to_read(source, job, read_options)
                    # tqdm's None: no bar where stderr is no terminal.
                    bar = {"desc": Path(job.name).name, "unit": "frame", "disable": None}
                    for result in tqdm(results, total=total, **bar):
                        counts.add(result)
                        rows = list(rows_of(job, result, pipeline, read_options))
                        if live is not None:
                            rows = live.named(rows, result, sinks)
                        for row_sink in row_sinks:
                            row_sink.append(rows)
                        for sink in sinks:
                            sink.write(job.name, result)
                except (SourceError, TruncatedError) as error:
                    counts.broken.append(str(error))
            wall_s = time.perf_counter() - started_s
            if live is not None:
                live.finish(sinks)
            else:
                write_markers(options.out, _markers_of(jobs))
            _finish([*row_sinks, *sinks], counts)
        except BaseException as error:  # noqa: BLE001  # raised again, after the sinks
            if live is not None:
                live.stop()
            raise _after_failure(error, [*row_sinks, *sinks], counts) from None
    return _summary(counts, wall_s, tally), counts.broken


def _read_batch(
    options: AnalyzeOptions,
    parts: Sequence[Part],
    read_options: ReadOptions,
    told: tuple[str, ...],
) -> tuple[Summary, list[str]]:
    also = (*told, MARKER_COLUMN) if read_options.is_marked else told
    markers = _markers_of([job for part in parts for job in part.jobs])
    output = options.out or options.report
    assert output is not None, "checked with the arguments"
    folder = beside(output, ".parts")
    tally = BlinkTally() if options.signals else None
    sinks: list[RowSink] = []
    total = Counts()
    asked_at_s = time.monotonic()
    began_at_s: list[float] = []
    n_rows: list[int] = []
    try:
        forget_killed(folder)
        n_finished = recall(options.out, parts, folder, told)
        if n_finished:
            say(
                f"fer-live: finished before and not read again: {n_finished} of "
                f"{sum(len(part.jobs) for part in parts)} sources",
                to=sys.stderr,
            )
        n_frames = _n_frames(parts, read_options) if sys.stderr.isatty() else None
        for counts, rows in read_parts(parts, folder, read_options, n_frames):
            if not sinks:
                if counts.warning:
                    say(f"fer-live: {counts.warning}", to=sys.stderr)
                sinks += open_row_sinks(options, counts.labels, counts.own_labels, also, markers)
                note_growing(folder, sinks)
                sinks += [tally] if tally else []
            total.join(counts)
            if counts.began_s >= asked_at_s:  # not what an earlier, interrupted run has read
                began_at_s.append(counts.began_s)
            kept = list(rows)
            n_rows.append(len(kept))
            for sink in sinks:
                sink.append(kept)
        wall_s = time.monotonic() - min(began_at_s, default=asked_at_s)
        write_markers(options.out, markers)
        _finish(sinks, total)
    except BaseException as error:  # noqa: BLE001  # raised again, after the sinks
        if total.broken and not total.frames:
            forget_parts(folder)
        failure = _after_failure(error, sinks, total)
        if isinstance(error, KeyboardInterrupt):
            failure = FerLiveError(f"{failure}; the same command goes on from there")
        elif isinstance(error, BrokenProcessPool):
            failure = FerLiveError(
                "a process that read was ended from outside, perhaps for want of memory; "
                "the same command goes on from there"
            )
        raise failure from None
    remember(options.out, parts, folder, n_rows)
    forget_parts(folder)
    return _summary(total, wall_s, tally), total.broken


def _hears(options: AnalyzeOptions, jobs: Sequence[Job]) -> bool:
    """Whether clients of an output can mark what is read, which needs a now."""
    return "websocket" in options.outputs and len(jobs) == 1 and has_streams(jobs)


def _markers_of(jobs: Sequence[Job]) -> list[MarkedSpan]:
    """Those of all jobs, each once, in their order; several jobs may be of one source."""
    return list(dict.fromkeys(span for job in jobs for span in job.markers))


def _finish(sinks: Sequence[ResultSink], counts: Counts) -> None:
    if counts.broken and counts.frames == 0:
        others = f" (and {n} more that cannot be read)" if (n := len(counts.broken) - 1) else ""
        raise SourceError(counts.broken[0] + others)
    for sink in sinks:
        sink.close()


def _summary(counts: Counts, wall_s: float, tally: BlinkTally | None) -> Summary:
    return Summary(
        frames=counts.frames,
        frames_with_face=counts.frames_with_face,
        faces=counts.faces,
        wall_s=round(wall_s, 3),
        fps=round(counts.frames / wall_s, 1) if wall_s > 0 else 0.0,
        provider=counts.provider,
        detector="+".join(name for name, _ in counts.detectors.most_common()),
        model=counts.model,
        blinks=tally.summary() if tally else None,
    )


def _what_decides(options: AnalyzeOptions) -> dict[str, object]:
    """What, besides the files, decides about their rows."""
    model = options.model and (str(options.model), options.model.stat().st_mtime_ns)
    return {
        "version": __version__,
        "every": options.every,
        "model": model,
        "provider": options.provider,
        "detector": options.detector,
        "answers": asdict(options.answers),
        "signals": options.signals,
        "persons": options.persons,
    }


def _after_failure(
    error: BaseException, sinks: Sequence[ResultSink], counts: Counts
) -> BaseException:
    """Abandon the sinks; the error, saying where what was read so far lies."""
    kept = [path for sink in sinks if (path := sink.abandon()) and path.is_file()]
    if counts.frames == 0:
        for path in kept:
            path.unlink()
        kept = []
    if counts.frames == 0 and not isinstance(error, KeyboardInterrupt):
        return error
    where = f"; read so far: {', '.join(map(str, kept))}" if kept else ""
    if isinstance(error, KeyboardInterrupt):
        return FerLiveError(f"interrupted{where}")
    return type(error)(f"{error}{where}") if isinstance(error, FerLiveError) else error


def _n_frames(parts: Sequence[Part], read_options: ReadOptions) -> int | None:
    """What all headers claim together, for the progress bar; None where one is silent."""
    total = 0
    for job in (job for part in parts for job in part.jobs):
        try:
            with closing(open_source(job.name, n_threads=1)) as source:
                total += n_frames_to_read(source, job, read_options) or 0
        except SourceError:
            continue
    return total or None
