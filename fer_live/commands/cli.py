"""`fer-live`: the commands of the app."""

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from fer_live import __version__
from fer_live.base.console import ArgumentParser, check_output_file, natural, positive, run_command
from fer_live.commands.personal import add_personal_commands
from fer_live.datatypes import DetectorMode, Provider
from fer_live.errors import InputError
from fer_live.outputs.registry import KINDS, add_output_options, outputs_from
from fer_live.personal.models import resolve_model

_PROVIDERS: tuple[Provider, ...] = ("auto", "cpu", "cuda", "tensorrt")
_PIPELINE_OPTIONS = ("model", "provider", "detector")
_DETECTORS: tuple[DetectorMode, ...] = ("auto", "short", "full")


def main() -> None:
    """Entry point of `fer-live`."""
    arguments = _parser().parse_args()
    run_command("fer-live", lambda: int(arguments.run(arguments)))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="fer-live",
        description="Reads facial expressions live. Without a command: opens the window.",
    )
    parser.add_argument("--version", action="version", version=f"fer-live {__version__}")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--camera",
        type=natural,
        metavar="N",
        help="camera number (default: the last one chosen, first 0)",
    )
    source.add_argument("--source", metavar="PATH_OR_URL", help="a video file or stream instead")
    source.add_argument("--demo", action="store_true", help="the demo clip instead")
    _add_pipeline_options(parser)
    parser.add_argument(
        "--duration",
        type=positive,
        metavar="S",
        help="quit by itself, S seconds after the first picture",
    )
    parser.add_argument(
        "--stats", type=Path, metavar="FILE.json", help="write the session's figures on exit"
    )
    add_output_options(parser)
    parser.set_defaults(run=_window)
    commands = parser.add_subparsers(metavar="COMMAND")

    analyze = commands.add_parser("analyze", help="read files or streams without a window")
    analyze.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="video file, image, folder of images, or stream URL",
    )
    analyze.add_argument("--out", type=Path, metavar="FILE.csv|.jsonl|.parquet")
    analyze.add_argument(
        "--video", type=Path, metavar="FILE.mp4|.mkv", help="write an annotated video"
    )
    analyze.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a page with shares and timelines"
    )
    analyze.add_argument(
        "--every", type=int, default=1, metavar="K", help="read every K-th frame (default: 1)"
    )
    _add_pipeline_options(analyze, default=argparse.SUPPRESS)
    add_output_options(analyze, default=argparse.SUPPRESS)
    analyze.add_argument("--json", action="store_true", help="last line of stdout: one JSON object")
    analyze.set_defaults(run=_analyze)

    doctor = commands.add_parser("doctor", help="check what this machine has")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)

    quickstart = commands.add_parser(
        "quickstart", help="camera 0 in a window; what is missing is replaced by what is there"
    )
    quickstart.set_defaults(run=_quickstart)
    add_personal_commands(commands)
    return parser


def _add_pipeline_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """The options of the window and of analyze.

    A command suppresses its defaults, or they would overwrite what was given before its name.
    """
    parser.add_argument("--model", type=Path, default=default, metavar="FILE.onnx|NAME")
    parser.add_argument("--provider", choices=_PROVIDERS, default=default)
    parser.add_argument("--detector", choices=_DETECTORS, default=default)


def _window(arguments: argparse.Namespace) -> int:
    from fer_live.window.app import LiveOptions, run_window

    if arguments.stats is not None:
        check_output_file(arguments.stats, (".json",))
    return run_window(
        LiveOptions(
            camera=arguments.camera,
            source=arguments.source,
            demo=arguments.demo,
            model=resolve_model(arguments.model),
            provider=arguments.provider,
            detector=arguments.detector,
            outputs=outputs_from(arguments),
            duration_s=arguments.duration,
            stats=arguments.stats,
        )
    )


def _analyze(arguments: argparse.Namespace) -> int:
    from fer_live.analyze.run import AnalyzeOptions, analyze

    _refuse_window_options(arguments, "analyze takes: fer-live analyze SOURCE...")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    summary, broken = analyze(
        AnalyzeOptions(
            sources=arguments.sources,
            out=arguments.out,
            video=arguments.video,
            report=arguments.report,
            every=arguments.every,
            model=resolve_model(arguments.model),
            provider=arguments.provider or "auto",
            detector=arguments.detector or "auto",
            outputs=outputs_from(arguments),
        )
    )
    for message in broken:
        print(f"fer-live: {message}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(asdict(summary)))
    else:
        files = filter(None, (arguments.out, arguments.video, arguments.report))
        written = " and ".join([*map(str, files), *outputs_from(arguments)])
        print(
            f"{summary.frames} frames, {summary.frames_with_face} with a face, "
            f"{summary.fps} a second -> {written}"
        )
    return 1 if broken else 0


def _refuse_window_options(arguments: argparse.Namespace, instead: str, *more: str) -> None:
    """What was given before the name of a command that has no use for it."""
    options = ("camera", "source", "demo", "duration", "stats", *more)
    given = [name for name in options if getattr(arguments, name) not in (None, False)]
    if given:
        raise InputError(f"--{given[0]} is for the window; {instead}")


def _doctor(arguments: argparse.Namespace) -> int:
    _refuse_window_options(arguments, "doctor takes --json alone", *_PIPELINE_OPTIONS, *KINDS)
    from fer_live.commands.doctor import examine, report

    findings = examine()
    print(json.dumps(findings) if arguments.json else report(findings))
    return 0 if findings["ok"] else 1


def _quickstart(arguments: argparse.Namespace) -> int:
    _refuse_window_options(arguments, "quickstart takes no options", *_PIPELINE_OPTIONS, *KINDS)
    from fer_live.commands.quickstart import quickstart

    return quickstart()


if __name__ == "__main__":
    main()
