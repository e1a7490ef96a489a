"""Measure a model on a data set."""

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

HELP = "measure a model on a data set"
EXAMPLES = (
    "fer-train evaluate runs/first --data folder:faces/",
    "fer-train evaluate model.onnx --data folder:faces/ --detect --classes present",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a model: .onnx, .safetensors or a run folder")
    declare_data(parser)
    parser.add_argument("--detect", action="store_true", help="find and crop the faces first")
    parser.add_argument(
        "--classes",
        choices=("all", "present"),
        help="let the model choose among all labels, or among those that the folder has (default: "
        "all)",
    )
    declare_without(parser)
    declare_answers(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    on = check_measuring(arguments)
    from training.measure.evaluate import evaluate, summary

    figures = evaluate(
        arguments.model,
        on.data,
        split=on.split,
        rule=on.rule,
        detect=arguments.detect,
        classes=arguments.classes,
        without=on.without,
        answers=answers_of(arguments),
    )
    tell_figures(arguments, figures, summary(figures))
    return tell_unreadable([figures])
