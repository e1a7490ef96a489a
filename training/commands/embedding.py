"""Put the means and the spread of other people's embeddings into a checkpoint's manifest.

`fer-live personalize` compares a person's faces with them. Labeled faces of the training set are
what they are made from, never those that the model is measured on.
"""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file
from training.commands.figures import check_measuring, declare_data, declare_json, tell_figures

HELP = "describe other people's embeddings, for calibration to a person"
EXAMPLES = (
    "fer-train embedding runs/first --data fer2013:DIR --split Training --out model.safetensors",
    "fer-train embedding runs/first --data raf-db:DIR --split train --out model.safetensors",
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
    from training.measure.embedding import add_embedding_statistics, summary

    found = add_embedding_statistics(
        arguments.model, on.data, arguments.out, split=on.split, rule=on.rule
    )
    return tell_figures(arguments, found.model_dump(), summary(found))
