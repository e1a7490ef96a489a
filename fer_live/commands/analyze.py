"""`fer-live analyze`: files, folders and streams, without a window."""

import argparse
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.console import ArgumentParser, whole
from fer_live.commands.options import (
    add_marker_options,
    add_output_options,
    add_pipeline_options,
    marker_inputs_from,
    outputs_from,
    refuse_window_options,
    tell,
    wants_signals,
)
from fer_live.errors import InputError
from fer_live.plain_text import say

if TYPE_CHECKING:
    from fer_live.analyze.run import Summary


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "analyze",
        help="read files or streams without a window",
        description="Reads files, folders or streams as fast as this machine can, and writes one "
        "row per face and frame. What was written stays readable if it is interrupted.",
        examples=(
            "fer-live analyze interview.mp4 --out rows.csv",
            "fer-live analyze study/ --recursive --every 3 --out rows.parquet --report page.html",
        ),
    )
    _add_what(parser)
    _add_answers(parser)
    add_pipeline_options(parser, default=argparse.SUPPRESS)
    add_output_options(parser, default=argparse.SUPPRESS)
    add_marker_options(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def _add_what(parser: ArgumentParser) -> None:
    """Declare what is read."""
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a video file, image, folder of images, or stream URL",
    )
    parser.add_argument(
        "--batch",
        type=Path,
        metavar="FILE.csv",
        help="read what this table lists, instead of SOURCE: columns source, participant, "
        "condition, from, to, began_at, and your own",
    )
    parser.add_argument(
        "--every",
        type=whole(1, 1_000_000),
        default=1,
        metavar="K",
        help="read every K-th frame (default: 1)",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="T",
        help="begin at this time of the file: seconds or [H:]M:S",
    )
    parser.add_argument(
        "--to", dest="end", metavar="T", help="end before this time of the file: seconds or [H:]M:S"
    )
    parser.add_argument(
        "--recursive",
        action="store_true",
        help="read the images and videos of folders, and of the folders below",
    )
    parser.add_argument(
        "--shard",
        default="1/1",
        metavar="I/N",
        help="read the I-th of N equal parts of the files alone",
    )
    parser.add_argument(
        "--began-at",
        metavar="TIME",
        help="tell when a file began that does not say so itself, as 2026-11-25T14:03:22Z; the "
        "column utc counts from there",
    )


def _add_answers(parser: ArgumentParser) -> None:
    """Declare what is written."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.csv|.jsonl|.parquet",
        help="write one row per face here; the ending says in which format",
    )
    parser.add_argument(
        "--video", type=Path, metavar="FILE.mp4|.mkv", help="write an annotated video"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="write a page with curves, shares, episodes",
    )
    parser.add_argument(
        "--report-pictures",
        action="store_true",
        help="put pictures of the faces into the report: it then shows who was seen",
    )
    parser.add_argument(
        "--persons",
        action="store_true",
        help="add a column person: faces of a file that look alike get one number",
    )
    parser.add_argument(
        "--json", action="store_true", help="end stdout with one JSON object that sums it up"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read every source; 1 where one of them broke."""
    refuse_window_options(arguments, "analyze takes: fer-live analyze SOURCE...")
    from fer_live.analyze.jobs import parse_began_at, parse_shard
    from fer_live.analyze.options import AnalyzeOptions
    from fer_live.analyze.persons import NOTICE
    from fer_live.analyze.run import analyze
    from fer_live.base.source_table import span_of
    from fer_live.model.manifest import EVERYDAY
    from fer_live.personal.models import resolve_model
    from fer_live.vision.answers import AnswerConfig

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if bool(arguments.sources) == (arguments.batch is not None):
        raise InputError("name what to read: either SOURCE... or --batch FILE.csv")
    if arguments.batch is not None and (arguments.begin or arguments.end):
        raise InputError("--from and --to are columns of a batch file")
    begin_s, end_s = span_of(arguments.begin, arguments.end, option="--")
    began_at = arguments.began_at and parse_began_at(arguments.began_at, "--began-at")
    if arguments.persons:
        tell(NOTICE)
    summary, broken = analyze(
        AnalyzeOptions(
            sources=arguments.sources,
            batch=arguments.batch,
            begin_s=begin_s,
            end_s=end_s,
            recursive=arguments.recursive,
            shard=parse_shard(arguments.shard),
            began_at=began_at,
            out=arguments.out,
            video=arguments.video,
            report=arguments.report,
            report_pictures=arguments.report_pictures,
            every=arguments.every,
            model=resolve_model(arguments.model),
            provider=arguments.provider or "auto",
            detector=arguments.detector or "auto",
            answers=AnswerConfig(arguments.readings or 2, arguments.prior or EVERYDAY),
            signals=wants_signals(arguments),
            persons=arguments.persons,
            outputs=outputs_from(arguments),
            marker_inputs=marker_inputs_from(arguments),
        )
    )
    for message in broken:
        tell(message)
    say(_as_json(summary) if arguments.json else _line(summary, arguments))
    return 1 if broken else 0


def _as_json(summary: "Summary") -> str:
    """What was read; `blinks` is there where the signals were on."""
    fields = asdict(summary)
    if summary.blinks is None:
        del fields["blinks"]
    return json.dumps(fields)


def _line(summary: "Summary", arguments: argparse.Namespace) -> str:
    files = filter(None, (arguments.out, arguments.video, arguments.report))
    written = " and ".join([*map(str, files), *outputs_from(arguments)])
    return (
        f"{summary.frames} frames, {summary.frames_with_face} with a face, "
        f"{summary.fps} a second -> {written}"
    )
