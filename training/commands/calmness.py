"""Measure how often the shown label switches, and how late it does."""

import argparse
from pathlib import Path

from fer_live.base.console import seed, whole
from training.commands.figures import (
    answers_of,
    check_measuring,
    declare_answers,
    declare_data,
    declare_json,
    tell_figures,
)

HELP = "measure how often the shown label switches, and how late it does"
EXAMPLES = (
    "fer-train calmness model.onnx --data folder:faces/",
    "fer-train calmness model.onnx --data raf-db:DIR --split test --clips 50",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a model: .onnx, .safetensors or a run folder")
    declare_data(parser)
    declare_answers(parser)
    declare_json(parser)
    parser.add_argument(
        "--clips",
        type=whole(1, 1_000_000),
        default=20,
        metavar="N",
        help="read so many clips (default: 20)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="draw with this seed (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    on = check_measuring(arguments)
    from training.measure.calmness import measure_calmness, to_markdown

    figures = measure_calmness(
        arguments.model,
        on.data,
        split=on.split,
        rule=on.rule,
        n_clips=arguments.clips,
        seed=arguments.seed,
        answers=answers_of(arguments),
    )
    return tell_figures(arguments, figures, to_markdown(figures))
