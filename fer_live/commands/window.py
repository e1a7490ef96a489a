"""`fer-live` without a command: the window."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file, natural, positive
from fer_live.base.screen import check_screen
from fer_live.commands.options import (
    add_marker_options,
    add_output_options,
    add_pipeline_options,
    marker_inputs_from,
    outputs_from,
    wants_signals,
)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the window's options."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--camera",
        type=natural,
        metavar="N",
        help="camera number (default: the last one chosen, first 0)",
    )
    source.add_argument("--source", metavar="PATH_OR_URL", help="a video file or stream instead")
    source.add_argument("--demo", action="store_true", help="the demo clip instead")
    add_pipeline_options(parser)
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
    add_marker_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the window until it is closed."""
    if arguments.stats is not None:
        check_output_file(arguments.stats, (".json",))
    check_screen()
    from fer_live.personal.models import resolve_model
    from fer_live.window.app import LiveOptions, run_window

    return run_window(
        LiveOptions(
            camera=arguments.camera,
            source=arguments.source,
            demo=arguments.demo,
            model=resolve_model(arguments.model),
            provider=arguments.provider,
            detector=arguments.detector,
            readings=arguments.readings,
            prior=arguments.prior,
            signals=wants_signals(arguments) or None,
            outputs=outputs_from(arguments),
            marker_inputs=marker_inputs_from(arguments),
            duration_s=arguments.duration,
            stats=arguments.stats,
        )
    )
