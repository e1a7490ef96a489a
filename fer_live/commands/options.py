"""What several commands of `fer-live` share: options, settings, and lines for the person."""

import argparse
import sys
from pathlib import Path

from fer_live.base.console import ArgumentParser
from fer_live.base.settings import Settings, load_settings
from fer_live.datatypes import DetectorMode, Provider
from fer_live.errors import InputError
from fer_live.outputs.registry import Outputs, output_kinds
from fer_live.plain_text import say

PROVIDERS: tuple[Provider, ...] = ("auto", "cpu", "cuda", "tensorrt")
DETECTORS: tuple[DetectorMode, ...] = ("auto", "short", "full")

_WINDOW_OPTIONS = ("camera", "source", "demo", "source_name", "headless", "duration", "stats")
_MARKER_OPTIONS = ("marker_osc", "marker_lsl")
_PIPELINE_OPTIONS = ("model", "provider", "detector", "readings", "prior", "signals")


def add_pipeline_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """`--model`, `--provider`, `--detector`, `--readings`, `--prior` and `--signals`.

    A command that the window's own options may precede passes `argparse.SUPPRESS`, or its defaults
    would overwrite what was given before its name.
    """
    parser.add_argument(
        "--model",
        type=Path,
        default=default,
        metavar="FILE.onnx|NAME",
        help="read with this model file, or an installed model (default: the one chosen in the "
        "window, or the one that came with the app)",
    )
    parser.add_argument(
        "--provider",
        choices=PROVIDERS,
        default=default,
        help="compute on the processor (cpu) or on an NVIDIA card (cuda, tensorrt); auto takes "
        "the quickest that there is (default)",
    )
    parser.add_argument(
        "--detector",
        choices=DETECTORS,
        default=default,
        help="find faces near the camera (short) or small and far ones too (full); auto begins "
        "with short and changes where it has to (default)",
    )
    parser.add_argument(
        "--readings",
        type=int,
        choices=(1, 2),
        default=default,
        help="read each face once, or twice: as it is and mirrored (default: 2)",
    )
    parser.add_argument(
        "--prior",
        default=default,
        metavar="everyday|expressive",
        help="expect everyday faces, most of them neutral (default), or expressive ones, where any "
        "expression is as likely",
    )
    parser.add_argument(
        "--signals",
        action="store_true",
        default=default,
        help="measure head pose, gaze, blinks, mouth and blendshapes too",
    )


def add_output_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """One option for each output that there is."""
    group = parser.add_argument_group("data out, while it happens; several at once")
    for kind in output_kinds().values():
        optional = {"nargs": "?", "const": ""} if kind.where_is_optional else {}
        group.add_argument(
            kind.option,
            dest=kind.name,
            metavar=kind.metavar,
            default=default,
            help=("write " if kind.writes_file else "send ") + kind.help,
            **optional,  # type: ignore[arg-type]
        )


def add_action(
    actions: "argparse._SubParsersAction[ArgumentParser]", name: str, does: str
) -> ArgumentParser:
    """Add an action below a command; `does` begins with a verb and says it in one line."""
    return actions.add_parser(name, help=does, description=f"{does[:1].upper()}{does[1:]}.")


def add_marker_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """One option for each way in which markers come from other programs."""
    group = parser.add_argument_group("markers in, from other programs (docs/markers.md)")
    group.add_argument(
        "--marker-osc",
        metavar="[HOST:]PORT",
        default=default,
        help="hear /fer/marker TEXT over OSC; from this machine alone without HOST",
    )
    group.add_argument(
        "--marker-lsl",
        nargs="?",
        const="",
        metavar="NAME",
        default=default,
        help="hear the LSL streams of type Markers, or those of this name",
    )


def marker_inputs_from(arguments: argparse.Namespace) -> dict[str, str]:
    """What the command line listens to: name of the way in -> where."""
    given = {name: getattr(arguments, f"marker_{name}", None) for name in ("osc", "lsl")}
    return {name: where for name, where in given.items() if where is not None}


def outputs_from(arguments: argparse.Namespace) -> Outputs:
    """What the command line switches on: name of the output -> where to."""
    given = {name: getattr(arguments, name, None) for name in output_kinds()}
    return {name: where for name, where in given.items() if where is not None}


def wants_signals(arguments: argparse.Namespace) -> bool:
    """Whether the signals are asked for, by their option or by an output that needs them."""
    kinds = output_kinds()
    needed = any(kinds[name].needs_signals for name in outputs_from(arguments))
    return bool(getattr(arguments, "signals", None)) or needed


def refuse_window_options(arguments: argparse.Namespace, instead: str) -> None:
    """Raise `InputError` where an option of the window stands before another command."""
    _refuse(arguments, _WINDOW_OPTIONS, instead)


def refuse_all_options(arguments: argparse.Namespace, instead: str) -> None:
    """Raise `InputError` where any option stands before a command that takes none of them."""
    names = (*_WINDOW_OPTIONS, *_PIPELINE_OPTIONS, *_MARKER_OPTIONS, *output_kinds())
    _refuse(arguments, names, instead)


def settings_in_use() -> Settings:
    """What the person chose in the window; what is wrong with its file is said on stderr."""
    settings, trouble = load_settings()
    if trouble:
        tell(trouble)
    return settings


def tell(message: str) -> None:
    """Say something on stderr, where it is no part of a command's output."""
    say(f"fer-live: {message}", to=sys.stderr)


def _refuse(arguments: argparse.Namespace, names: tuple[str, ...], instead: str) -> None:
    given = [name for name in names if getattr(arguments, name) not in (None, False, [])]
    if given:
        raise InputError(f"--{given[0].replace('_', '-')} is for the window; {instead}")
