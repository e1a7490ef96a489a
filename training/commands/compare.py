"""Measure models side by side on the same images, every recall with its interval."""

import argparse
from pathlib import Path

from training.commands.figures import declare_data, declare_json, declare_without, measure

HELP = "measure models side by side, every recall with its interval"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    declare_data(parser)
    declare_without(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from training.measure.comparison import compare, to_markdown

    return measure(
        arguments,
        lambda on: compare(
            arguments.models, on.data, split=on.split, rule=on.rule, without=on.without
        ),
        to_markdown,
    )
