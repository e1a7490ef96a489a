"""`fer-train`: the entry point; its commands are in `training/commands/`, one file each."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Protocol

from fer_live.base.console import ArgumentParser, require_packages, run_command
from training.commands import (
    annotate,
    audit,
    calibrate,
    calmness,
    card,
    compare,
    config,
    embedding,
    evaluate,
    fit,
    framing,
    grid,
    pack,
    personalize,
    persons,
    priors,
    report,
    robustness,
    split,
    views,
    weights,
)


class Command(Protocol):
    """What a module of `training/commands/` has; the command is called as its file is."""

    __name__: str
    __doc__: str | None
    HELP: str
    EXAMPLES: tuple[str, str]

    def declare(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


COMMANDS: tuple[Command, ...] = (
    fit,
    evaluate,
    compare,
    robustness,
    audit,
    calmness,
    calibrate,
    embedding,
    priors,
    card,
    personalize,
    persons,
    config,
    grid,
    report,
    split,
    framing,
    views,
    pack,
    annotate,
    weights,
)


def main() -> None:
    """Entry point of `fer-train`."""
    arguments = build_parser().parse_args()

    def command() -> int:
        require_packages("train", "torch", "kornia", "safetensors", "tomlkit")
        with _one_speaker():
            return int(arguments.run(arguments))

    run_command("fer-train", command)


@contextmanager
def _one_speaker() -> Iterator[None]:
    """Of the processes that torchrun starts, let the first alone print; errors come from each."""
    if os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0":
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def build_parser() -> ArgumentParser:
    """The whole command line."""
    parser = ArgumentParser(
        prog="fer-train",
        description="Trains, measures and compares expression models. Each command has its own "
        "--help.",
        examples=(
            "fer-train fit --config FILE.toml --out runs/first",
            "fer-train evaluate runs/first --data folder:faces/",
        ),
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(
            name, help=module.HELP, description=module.__doc__, examples=module.EXAMPLES
        )
        module.declare(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    main()
