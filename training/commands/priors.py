"""Put the priors that the app offers into a checkpoint: everyday, and expressive.

Everyday answers as the training data is, where most faces are neutral or happy, and changes
nothing. Expressive answers as if every expression were equally likely; it is fitted to two readings
of labeled faces. The figures tell how well each is calibrated for its own shares. Run it last,
after `calibrate`.
"""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file
from training.commands.figures import check_measuring, declare_data, declare_json, tell_figures

HELP = "fit the priors that the app offers, everyday and expressive"
EXAMPLES = (
    "fer-train priors runs/first --data folder:faces/ --out model.safetensors",
    "fer-train priors runs/first --data raf-db:DIR --split train --out model.safetensors",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a checkpoint: .safetensors or a run folder")
    declare_data(parser)
    declare_json(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.safetensors",
        help="write the changed checkpoint to this file",
    )


def run(arguments: argparse.Namespace) -> int:
    check_output_file(arguments.out, (".safetensors",))
    on = check_measuring(arguments)
    from training.measure.priors import add_priors, summary

    figures = add_priors(arguments.model, on.data, arguments.out, split=on.split, rule=on.rule)
    return tell_figures(arguments, figures, summary(figures))
