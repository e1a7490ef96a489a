"""Measure models on images that a webcam spoilt, in three strengths."""

import argparse
from pathlib import Path

from training.commands.figures import declare_data, declare_json, measure

HELP = "measure models on images that a webcam spoilt, in three strengths"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    declare_data(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from training.measure.robustness import measure_robustness, to_markdown

    return measure(
        arguments,
        lambda on: measure_robustness(arguments.models, on.data, split=on.split, rule=on.rule),
        to_markdown,
    )
