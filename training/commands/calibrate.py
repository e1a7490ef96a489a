"""Fit a checkpoint's temperature, so that its confidence is as often right as it says."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file, real
from training.commands.figures import check_measuring, declare_data, declare_json, tell_figures

HELP = "fit a checkpoint's temperature"
EXAMPLES = (
    "fer-train calibrate runs/first --data folder:faces/ --out model.safetensors",
    "fer-train calibrate runs/first --data raf-db:DIR --split train --out model.safetensors",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a checkpoint: .safetensors or a run folder")
    declare_data(parser)
    declare_json(parser)
    parser.add_argument(
        "--logit-adjustment",
        type=real(-10, 10),
        default=0.0,
        metavar="T",
        help="answer rare classes more often first; below 0: less often (default: 0)",
    )
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
    from training.measure.calibration import calibrate, summary

    figures = calibrate(
        arguments.model,
        on.data,
        arguments.out,
        split=on.split,
        rule=on.rule,
        logit_adjustment=arguments.logit_adjustment,
    )
    return tell_figures(arguments, figures, summary(figures))
