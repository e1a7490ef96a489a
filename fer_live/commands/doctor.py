"""`fer-live doctor`: what this machine has of what the app needs."""

import argparse
import json

from fer_live.base.console import ArgumentParser
from fer_live.commands.options import refuse_all_options
from fer_live.plain_text import say


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="check what this machine has, and say what to do about what is missing",
        description="Tries each part for real: screen, cameras, outputs, and the whole pipeline "
        "on a clip. Each part that is missing has a line that says what to do. Exit code 0: a "
        "clip can be read, although a screen or camera may be missing; 1: not even a clip can.",
        examples=("fer-live doctor", "fer-live doctor --json"),
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 where not even a clip can be read."""
    refuse_all_options(arguments, "doctor takes --json alone")
    from fer_live.checkup.examination import examine, report

    findings = examine()
    say(*(json.dumps(findings) if arguments.json else report(findings)).split("\n"))
    return 0 if findings["ok"] else 1
