"""Measure models on images that a webcam spoilt, in three strengths."""

import argparse
from pathlib import Path

from training.commands.figures import (
    answers_of,
    check_measuring,
    declare_answers,
    declare_data,
    declare_json,
    tell_figures,
)

HELP = "measure models on images that a webcam spoilt, in three strengths"
EXAMPLES = (
    "fer-train robustness model.onnx --data folder:faces/",
    "fer-train robustness old.onnx new.onnx --data raf-db:DIR --split test",
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
    declare_answers(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    on = check_measuring(arguments)
    from training.measure.robustness import measure_robustness, to_markdown

    figures = measure_robustness(
        arguments.models, on.data, split=on.split, rule=on.rule, answers=answers_of(arguments)
    )
    return tell_figures(arguments, figures, to_markdown(figures))
