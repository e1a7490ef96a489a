"""Measure a model on a data set."""

import argparse
from pathlib import Path

from training.commands.figures import declare_data, declare_json, declare_without, measure

HELP = "measure a model on a data set"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help=".onnx, .safetensors or a run folder")
    declare_data(parser)
    parser.add_argument("--detect", action="store_true", help="find and crop the faces first")
    parser.add_argument(
        "--classes",
        choices=("all", "present"),
        help="folder: the labels that the model may choose among (default: all)",
    )
    declare_without(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from training.measure.evaluate import evaluate, summary

    return measure(
        arguments,
        lambda on: evaluate(
            arguments.model,
            on.data,
            split=on.split,
            rule=on.rule,
            detect=arguments.detect,
            classes=arguments.classes,
            without=on.without,
        ),
        summary,
    )
