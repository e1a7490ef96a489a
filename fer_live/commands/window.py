"""`fer-live` without a command: the window, or live without one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.console import check_output_file, natural, positive
from fer_live.base.screen import check_screen
from fer_live.base.system_libraries import require_qt_libraries
from fer_live.commands.options import (
    add_marker_options,
    add_output_options,
    add_pipeline_options,
    marker_inputs_from,
    outputs_from,
    settings_in_use,
    wants_signals,
)
from fer_live.errors import InputError

if TYPE_CHECKING:
    from fer_live.outputs.kind import Paint
    from fer_live.sources.several import NamedSource


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the window's options."""
    group = parser.add_argument_group("what is read; several at once")
    group.add_argument(
        "--camera",
        action=_AddSource,
        type=natural,
        metavar="N",
        help="open camera N, counted from 0 (default: what was open last, first camera 0)",
    )
    group.add_argument(
        "--source", action=_AddSource, metavar="PATH_OR_URL", help="open a video file or stream"
    )
    group.add_argument(
        "--demo", action=_AddSource, nargs=0, help="open the clip that comes with the app"
    )
    group.add_argument(
        "--source-name",
        action="append",
        default=[],
        metavar="NAME",
        help="call a source so in outputs and recordings; one for each, in their order",
    )
    parser.add_argument(
        "--headless",
        action="store_true",
        help="read without a window; needs an output, ends by Ctrl-C",
    )
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
    """Show the window until it is closed, or read without one."""
    if arguments.stats is not None:
        check_output_file(arguments.stats, (".json",))
    if not arguments.headless:
        check_screen()
    from fer_live.personal.models import load_pipeline, resolve_model
    from fer_live.session.options import LiveOptions

    options = LiveOptions(
        sources=named_sources(arguments),
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
    if arguments.headless:
        from fer_live.session.headless import run_headless

        if "virtual_camera" in options.outputs:
            require_qt_libraries(headless=True)
        return run_headless(options, settings_in_use(), load_pipeline, _painter)
    from fer_live.window.app import run_window

    return run_window(options)


class _AddSource(argparse.Action):
    """Adds (option, value) to `opened`, so that the order of different options is kept."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        opened = getattr(namespace, "opened", None) or []
        namespace.opened = [*opened, (self.dest, values)]
        setattr(namespace, self.dest, True)


def named_sources(arguments: argparse.Namespace) -> "list[NamedSource]":
    """The sources of a command line in its order, each with the name that it gives it."""
    from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
    from fer_live.sources.several import NamedSource

    choices: list[SourceChoice] = []
    for option, value in getattr(arguments, "opened", None) or []:
        if option == "camera":
            choices.append(Camera(value))
        else:
            choices.append(Location(value) if option == "source" else Demo())
    names = arguments.source_name
    if len(names) > len(choices):
        raise InputError(
            f"--source-name is given {len(names)} times for {len(choices)} sources that are named "
            "by --camera, --source or --demo"
        )
    names = [*names, *[""] * (len(choices) - len(names))]
    return [NamedSource(choice, name) for choice, name in zip(choices, names, strict=True)]


def _painter(labels: tuple[str, ...]) -> "Paint":
    from fer_live.painting.annotated_video import FramePainter

    return FramePainter(labels)
