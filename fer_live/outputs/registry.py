"""Where data goes while it happens: the outputs that the command line and the window switch on."""

import argparse
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from fer_live.base.console import check_output_file, require_packages
from fer_live.datatypes import FrameResult, UInt8Array
from fer_live.outputs.address import parse_address
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.jsonl_file import JsonlFile
from fer_live.outputs.sink import ResultSink

Kind = Literal["csv", "jsonl", "osc", "websocket", "lsl", "virtual_camera"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FILE_KINDS: tuple[Kind, ...] = ("csv", "jsonl")

Outputs = dict[Kind, str]
"""What is switched on, and where to: a file, an address, a stream's name, a device."""

_PACKAGES: dict[Kind, tuple[str, str]] = {
    "osc": ("osc", "pythonosc"),
    "websocket": ("websocket", "websockets"),
    "lsl": ("lsl", "pylsl"),
    "virtual_camera": ("virtual-camera", "pyvirtualcam"),
}


def add_output_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """`--csv`, `--jsonl`, `--osc`, `--websocket`, `--lsl`, `--virtual-camera`."""
    group = parser.add_argument_group("data out, while it happens; several at once")
    group.add_argument("--csv", metavar="FILE", default=default, help="a row a face")
    group.add_argument("--jsonl", metavar="FILE", default=default, help="an object a face")
    group.add_argument("--osc", metavar="HOST:PORT", default=default, help="OSC over UDP")
    group.add_argument(
        "--websocket",
        metavar="[HOST:]PORT",
        default=default,
        help="an object a frame, and a page to watch; this machine alone without HOST",
    )
    group.add_argument("--lsl", metavar="NAME", default=default, help="Lab Streaming Layer")
    group.add_argument(
        "--virtual-camera", metavar="DEVICE", nargs="?", const="", default=default, help="the video"
    )


def outputs_from(arguments: argparse.Namespace) -> Outputs:
    """What the command line switches on."""
    given = {kind: getattr(arguments, kind, None) for kind in KINDS}
    return {kind: value for kind, value in given.items() if value is not None}


def check_outputs(outputs: Outputs) -> None:
    """Find a mistake before anything starts. Raises `InputError`."""
    for kind, where in outputs.items():
        if kind in FILE_KINDS:
            check_output_file(Path(where), (f".{kind}",))
        if kind in ("osc", "websocket"):
            parse_address(f"--{kind}", where)
        if kind in _PACKAGES:
            extra, package = _PACKAGES[kind]
            require_packages(extra, package)


def open_output(
    kind: Kind,
    where: str,
    labels: tuple[str, ...],
    make_painter: Callable[[], Callable[[FrameResult], UInt8Array]],
    *,
    is_live: bool,
) -> ResultSink:
    """Start one. What `make_painter` makes paints the virtual camera's picture; `is_live`: frames
    are stamped with the monotonic clock, not with a file's time. Raises `InputError` or
    `OutputError`."""
    if kind == "csv":
        return CsvFile(Path(where), labels)
    if kind == "jsonl":
        return JsonlFile(Path(where), labels)
    if kind == "osc":
        from fer_live.outputs.osc import OscSink

        return OscSink(parse_address("--osc", where), labels)
    if kind == "websocket":
        from fer_live.outputs.websocket import WebSocketSink

        address = parse_address("--websocket", where)
        token = "" if address.is_loopback else secrets.token_urlsafe(16)
        sink = WebSocketSink(address, labels, token)
        if token:
            print(f"fer-live: clients connect to ws://{address}/?token={token}", file=sys.stderr)
        return sink
    if kind == "lsl":
        from fer_live.outputs.lsl import LslSink

        return LslSink(where, labels, is_live=is_live)
    from fer_live.outputs.virtual_camera import VirtualCamera

    return VirtualCamera(where, make_painter())
