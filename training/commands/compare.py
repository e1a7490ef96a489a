"""Measure models side by side on the same images, every recall with its interval."""

import argparse
from pathlib import Path

from training.commands.figures import (
    answers_of,
    check_measuring,
    declare_answers,
    declare_data,
    declare_json,
    declare_without,
    tell_figures,
    tell_unreadable,
)

HELP = "measure models side by side, every recall with its interval"
EXAMPLES = (
    "fer-train compare old.onnx new.onnx --data folder:faces/",
    "fer-train compare runs/one runs/two --data folder:faces/ --json compare.json",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models",
        type=Path,
        nargs="+",
        metavar="MODEL",
        help="a model: .onnx, .safetensors or a run folder",
    )
    declare_data(parser)
    declare_without(parser)
    declare_answers(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    on = check_measuring(arguments)
    from training.measure.comparison import compare, to_markdown

    figures = compare(
        arguments.models,
        on.data,
        split=on.split,
        rule=on.rule,
        without=on.without,
        answers=answers_of(arguments),
    )
    tell_figures(arguments, figures, to_markdown(figures))
    return tell_unreadable(figures.values())
