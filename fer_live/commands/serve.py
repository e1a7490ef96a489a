"""`fer-live serve`: an HTTP service, on this machine alone unless told otherwise."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.console import ArgumentParser, positive, require_packages
from fer_live.base.cores import usable_cores
from fer_live.commands.options import (
    add_pipeline_options,
    outputs_from,
    refuse_window_options,
    tell,
)
from fer_live.errors import InputError
from fer_live.outputs.address import LOOPBACK, Address

if TYPE_CHECKING:
    from fer_live.vision.pipeline import Pipeline

_PORT = 8320
_MAX_PARALLEL = 64


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="an HTTP service: image or clip in, rows out",
        description="Answers images and clips that are sent over HTTP with what is read in them. "
        "Nothing that is sent is kept. Ctrl-C ends it.",
        examples=("fer-live serve", "fer-live serve --host 0.0.0.0 --port 8080 --token token.txt"),
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help=f"listen at this address (default: {LOOPBACK}, this machine alone)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=_PORT,
        help=f"listen on this port, or with 0 on a free one (default: {_PORT})",
    )
    parser.add_argument(
        "--token",
        type=Path,
        metavar="FILE",
        help="ask clients for the token in this file; or set FER_LIVE_TOKEN",
    )
    parser.add_argument(
        "--max-mb",
        type=positive,
        default=64.0,
        metavar="MB",
        help="refuse larger uploads (default: 64)",
    )
    parser.add_argument(
        "--max-seconds",
        type=positive,
        default=60.0,
        metavar="S",
        help="stop reading an upload after so long (default: 60)",
    )
    parser.add_argument(
        "--parallel",
        type=_parallel,
        metavar="N",
        help="read so many uploads at once (default: the cores, at most 4)",
    )
    add_pipeline_options(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    refuse_window_options(arguments, "serve takes: fer-live serve [--host H] [--port N]")
    if outputs := outputs_from(arguments):
        option = next(iter(outputs)).replace("_", "-")
        raise InputError(f"--{option} is for the window and analyze; serve answers its clients")
    require_packages("serve", "starlette", "uvicorn", "python_multipart")
    from fer_live.personal.models import resolve_model
    from fer_live.serve.limits import Limits
    from fer_live.serve.server import serve
    from fer_live.serve.token import find_token

    address = Address(arguments.host, arguments.port)
    token = find_token(arguments.token, address)
    model = resolve_model(arguments.model)
    parallel = arguments.parallel or min(usable_cores(), 4)
    limits = Limits(max_mb=arguments.max_mb, max_seconds=arguments.max_seconds, parallel=parallel)

    def load() -> "Pipeline":
        return _load(arguments, model)

    def say(listening: Address) -> None:
        needs = ", with the token" if token else ""
        tell(f"serving at http://{listening}/ (its page: /docs){needs}; Ctrl-C ends it")

    serve(address, token, limits, load, say)
    return 0


def _load(arguments: argparse.Namespace, model: Path | None) -> "Pipeline":
    from fer_live.model.manifest import EVERYDAY
    from fer_live.vision.pipeline import Pipeline

    pipeline = Pipeline.load(
        model,
        arguments.provider or "auto",
        arguments.detector or "auto",
        readings=arguments.readings or 2,
        prior=arguments.prior or EVERYDAY,
    )
    if pipeline.classifier.warning:
        tell(pipeline.classifier.warning)
    return pipeline


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; write a number from 0 to 65535")
    return int(text)


def _parallel(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_PARALLEL:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number from 1 to {_MAX_PARALLEL}")
    return int(text)
