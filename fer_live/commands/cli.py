"""`fer-live`: the window, and the commands beside it.

Each command is a file of this folder: `add` declares its options, `run` does the work. What takes
long to import is imported in `run`, so that `--help` and a mistake are answered at once.
"""

from fer_live import __version__
from fer_live.base.console import ArgumentParser, run_command
from fer_live.commands import (
    analyze,
    capture,
    clips,
    doctor,
    models,
    personalize,
    quickstart,
    serve,
    summarize,
    window,
)

COMMANDS = (analyze, summarize, serve, doctor, quickstart, capture, clips, personalize, models)
"""In the order of `fer-live --help`."""


def main() -> None:
    """Entry point of `fer-live`."""
    arguments = build_parser().parse_args()
    run_command("fer-live", lambda: int(arguments.run(arguments)))


def build_parser() -> ArgumentParser:
    """The whole command line; without a command it opens the window."""
    parser = ArgumentParser(
        prog="fer-live",
        description="Reads facial expressions live. Without a command: opens the window. Exit "
        "codes: 0 done; 1 failed while running; 2 a mistake in what was asked for; 3 refused, "
        "because a new model is not better.",
        examples=("fer-live --demo", "fer-live --camera 1 --csv rows.csv"),
    )
    parser.add_argument("--version", action="version", version=f"fer-live {__version__}")
    window.add(parser)
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    main()
