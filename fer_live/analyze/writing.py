"""Everything that one `fer-live analyze` writes: checked beforehand, and opened."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fer_live.analyze.jobs import Job, has_streams
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.persons import PersonRows
from fer_live.base.atomic_file import link_target, writing
from fer_live.base.console import check_output_file
from fer_live.errors import InputError
from fer_live.outputs.files import FILE_SUFFIXES, open_file_sink
from fer_live.outputs.kind import MarkersIn, Opening, Paint
from fer_live.outputs.marker_file import companion_of, write_marker_file
from fer_live.outputs.markers import MarkedSpan
from fer_live.outputs.registry import check_outputs, open_output, output_kinds
from fer_live.outputs.sink import ResultSink, RowSink
from fer_live.personal.models import resolve_model
from fer_live.recording.persons import PERSON
from fer_live.recording.video_file import VIDEO_SUFFIXES
from fer_live.session.marker_inputs import check_marker_inputs
from fer_live.sources.open import local_path


def at_links_targets(options: AnalyzeOptions) -> AnalyzeOptions:
    """A link among the outputs stays, and what it leads to is written."""
    kinds = output_kinds()
    return replace(
        options,
        out=options.out and link_target(options.out),
        video=options.video and link_target(options.video),
        report=options.report and link_target(options.report),
        outputs={
            name: str(link_target(Path(where)))
            if name in kinds and kinds[name].writes_file
            else where
            for name, where in options.outputs.items()
        },
    )


def check_written(options: AnalyzeOptions, jobs: Sequence[Job]) -> None:
    """Refuse, before anything is read, what cannot be written or would write over a source."""
    check_outputs(options.outputs)
    check_marker_inputs(options.marker_inputs)
    if options.marker_inputs and not (len(jobs) == 1 and has_streams(jobs)):
        option = f"--marker-{next(iter(options.marker_inputs))}"
        raise InputError(f"{option}: markers come in while one live stream is read, not for files")
    if not (options.out or options.video or options.report or options.outputs):
        raise InputError(
            "nothing to write: add --out FILE.csv, --video FILE.mp4 or --report FILE.html"
        )
    resolve_model(options.model)
    if options.report is not None:
        check_output_file(options.report, (".html",))
    elif options.report_pictures:
        raise InputError("--report-pictures: add --report FILE.html, which they are for")
    if options.every < 1:
        raise InputError(f"--every {options.every}: must be 1 or more")
    if options.out is not None:
        check_output_file(options.out, FILE_SUFFIXES)
    if options.video is not None:
        check_output_file(options.video, VIDEO_SUFFIXES)
        if len(jobs) != 1:
            raise InputError(f"--video takes one source at a time, got {len(jobs)}")
    names = [job.name for job in jobs] + ([str(options.batch)] if options.batch else [])
    _refuse_one_file_twice(_written_files(options), names)


def _written_files(options: AnalyzeOptions) -> dict[str, Path]:
    """Option -> the file that it writes."""
    kinds = output_kinds()
    named = {"--out": options.out, "--video": options.video, "--report": options.report}
    outputs = {
        kinds[name].option: Path(where)
        for name, where in options.outputs.items()
        if kinds[name].writes_file
    }
    return {option: path for option, path in named.items() if path is not None} | outputs


def _refuse_one_file_twice(written: dict[str, Path], names: Sequence[str]) -> None:
    sources = [path for path in map(local_path, names) if path is not None]
    taken: dict[Path, str] = {}
    for option, path in written.items():
        if any(_is_same_file(path, source) for source in sources):
            raise InputError(f"{path}: is a source itself; choose another {option}")
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise InputError(f"{path}: is both {other} and {option}; choose two files")


def _is_same_file(output: Path, source: Path) -> bool:
    return source.exists() and output.exists() and output.samefile(source)


def open_row_sinks(
    options: AnalyzeOptions,
    labels: tuple[str, ...],
    own_labels: tuple[str, ...],
    also: tuple[str, ...],
    markers: Sequence[MarkedSpan],
) -> list[RowSink]:
    """Open the file of rows and the report, those that are asked for; `also` are the columns of a
    batch file and that of markers, which the report leaves out."""
    sinks: list[RowSink] = []
    if options.out is not None:
        also = (*also, *((PERSON,) if options.persons else ()))
        sinks.append(open_file_sink(options.out, labels, signals=options.signals, also=also))
    if options.report is not None:
        from fer_live.recording.report import ReportFile, ReportOptions  # jinja2, for this alone

        out, report = options.out, options.report
        wanted = ReportOptions(
            own_labels,
            markers,
            pictures_from=Path if options.report_pictures else None,
            rows_file=out.name if out is not None and out.parent == report.parent else "",
        )
        sinks.append(ReportFile(report, labels, wanted))
    return [PersonRows(sinks)] if options.persons else sinks


def write_markers(out: Path | None, markers: Sequence[MarkedSpan]) -> None:
    """Put the markers of recordings beside the rows; without any, none of an earlier run stays."""
    if out is None:
        return
    place = companion_of(out)
    if markers:
        write_marker_file(place, markers)
        return
    with writing(place):
        place.unlink(missing_ok=True)


def open_video(
    options: AnalyzeOptions, jobs: Sequence[Job], labels: tuple[str, ...]
) -> list[ResultSink]:
    """Open the annotated video, where one is asked for; it has the sound of its one source."""
    if options.video is None:
        return []
    from fer_live.painting.annotated_video import AnnotatedVideo

    (job,) = jobs
    return [AnnotatedVideo(options.video, labels, sound_of=job.name, sound_until_s=job.end_s)]


def open_outputs(
    options: AnalyzeOptions, labels: tuple[str, ...], markers_in: MarkersIn
) -> list[ResultSink]:
    """Open the outputs that the live app has too."""

    def make_painter() -> Paint:
        from fer_live.painting.annotated_video import FramePainter

        return FramePainter(labels)

    return [
        open_output(
            name,
            Opening(
                where,
                labels,
                make_painter,
                is_live=False,
                with_signals=options.signals,
                markers_in=markers_in,
            ),
        )
        for name, where in options.outputs.items()
    ]
