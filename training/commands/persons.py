"""Measure retraining on simulated persons, made from a data set."""

import argparse
from pathlib import Path

from fer_live.base.console import seed
from fer_live.errors import InputError
from training.commands.figures import (
    DataChoice,
    check_json,
    check_measuring,
    declare_data,
    declare_json,
    tell_figures,
)

HELP = "measure retraining on simulated persons, made from a data set"
EXAMPLES = (
    "fer-train persons model.onnx --closed-form --data folder:faces/",
    "fer-train persons runs/first --runs trial/ --data folder:faces/",
)

_SEEDS = 3


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", type=Path, help="begin with this checkpoint; with --closed-form an fp32 .onnx"
    )
    parser.add_argument(
        "--closed-form",
        action="store_true",
        help="measure fer-live personalize instead: more looks, three seeds, no run folder",
    )
    parser.add_argument(
        "--own-expressions",
        type=Path,
        nargs="+",
        metavar="CLIP",
        help="measure made-up expressions of one's own instead, on clips of one person each; "
        "takes no data set",
    )
    declare_data(parser)
    declare_json(parser)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.toml",
        help="retrain by this config (default: personal.toml)",
    )
    parser.add_argument("--runs", type=Path, metavar="DIR", help="make the run folders there")
    parser.add_argument(
        "--seed", type=seed, default=0, help="draw whose image is whose with this seed (default: 0)"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.own_expressions:
        return _own_expressions(arguments)
    on = check_measuring(arguments)
    if arguments.closed_form:
        return _closed_form(arguments, on)
    if arguments.runs is None:
        raise InputError("--runs DIR is missing: where the run folders are made")
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


def _own_expressions(arguments: argparse.Namespace) -> int:
    check_json(arguments.json)
    for clip in arguments.own_expressions:
        if not clip.is_file():
            raise InputError(f"{clip}: no such clip")
    from training.personalize.own_expression_trial import to_table, try_own_expressions

    figures = try_own_expressions(arguments.model, arguments.own_expressions)
    return tell_figures(arguments, figures, to_table(figures))


def _closed_form(arguments: argparse.Namespace, on: DataChoice) -> int:
    from training.personalize.closed_form_trial import to_table, try_closed_form

    seeds = range(arguments.seed, arguments.seed + _SEEDS)
    figures = try_closed_form(
        arguments.model, on.data, split=on.split, rule=on.rule, seeds=list(seeds)
    )
    return tell_figures(arguments, figures, to_table(figures))
