"""Write a data set as one file from which batches are read, for sets larger than memory."""

import argparse
from pathlib import Path

from fer_live.base.console import whole
from fer_live.plain_text import say

HELP = "write a data set as one file, for sets larger than memory"
EXAMPLES = (
    "fer-train pack --data images:faces/ --out packed/",
    "fer-train pack --data fer2013:DIR --labels ferplus-majority --out packed/",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        required=True,
        metavar="KIND:DIR",
        help="pack images:DIR, face crops without labels, or a labeled data set",
    )
    parser.add_argument(
        "--split", help="pack this part of the data set (default: its training part)"
    )
    parser.add_argument(
        "--labels", help="take fer2013's labels by this rule (default: ferplus-argmax)"
    )
    parser.add_argument(
        "--side",
        type=whole(48, 256),
        default=48,
        help="make faces of so many pixels a side (default: 48)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="write to this folder; --data then names it mapped:DIR",
    )


def run(arguments: argparse.Namespace) -> int:
    from training.data.mapped import pack_images, pack_labeled
    from training.data.sources import load_to_pack, split_source

    if arguments.data.startswith("images:"):
        _, folder = split_source(arguments.data, ("images",))
        n = pack_images(folder, arguments.side, arguments.out)
    else:
        data = load_to_pack(arguments.data, arguments.split, arguments.labels, arguments.side)
        n = pack_labeled(data, arguments.out)
    say(f"{n} faces: mapped:{arguments.out}")
    return 0
