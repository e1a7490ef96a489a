"""Draw a share of a data set and save the list of its images."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file, real, seed
from fer_live.errors import InputError
from fer_live.plain_text import say
from training.commands.figures import DATA_VARIABLE, LABEL_RULES, named_data

HELP = "draw a share of a data set and save the list"
EXAMPLES = (
    "fer-train split --data fer2013:DIR --share 0.1 --out split.json",
    "fer-train split --data raf-db:DIR --share 0.5 --seed 1 --out split.json",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="KIND:DIR", help=f"draw from this data set (default: ${DATA_VARIABLE})"
    )
    parser.add_argument("--split", help="draw from this part (default: its training part)")
    parser.add_argument(
        "--labels",
        choices=LABEL_RULES,
        default=LABEL_RULES[0],
        help=f"take the labels by this rule (default: {LABEL_RULES[0]})",
    )
    parser.add_argument(
        "--share", type=real(0, 1), required=True, help="draw this share of each class, 0 to 1"
    )
    parser.add_argument("--seed", type=seed, default=0, help="draw with this seed (default: 0)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.json", help="write the list to this file"
    )


def run(arguments: argparse.Namespace) -> int:
    from training.data.sources import draw_list
    from training.data.splits import save_list

    check_output_file(arguments.out, (".json",))
    if not 0 < arguments.share <= 1:
        raise InputError(f"--share {arguments.share}: above 0, at most 1")
    drawn = draw_list(
        named_data(arguments.data),
        arguments.split,
        arguments.labels,
        arguments.share,
        arguments.seed,
    )
    save_list(arguments.out, drawn)
    say(f"{len(drawn.ids)} of {drawn.n_images} images: {arguments.out}")
    return 0
