"""Measure retraining on simulated persons, made from a data set."""

import argparse
from pathlib import Path

from training.commands.figures import check_measuring, declare_data, declare_json, tell_figures

HELP = "measure retraining on simulated persons, made from a data set"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="checkpoint to begin with")
    declare_data(parser)
    declare_json(parser)
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="default: personal.toml")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="run folders")
    parser.add_argument("--seed", type=int, default=0, help="of which image is whose")


def run(arguments: argparse.Namespace) -> int:
    on = check_measuring(arguments)
    from training.config import load_config
    from training.personalize.retrain import CONFIG
    from training.personalize.trial import to_markdown, try_persons

    figures = try_persons(
        arguments.model,
        on.data,
        arguments.runs,
        load_config(arguments.config or CONFIG),
        split=on.split,
        rule=on.rule,
        seed=arguments.seed,
    )
    return tell_figures(arguments, figures, to_markdown(figures))
