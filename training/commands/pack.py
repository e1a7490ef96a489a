"""Write a data set as one file from which batches are read, for sets larger than memory."""

import argparse
from pathlib import Path

HELP = "write a data set as one file, for sets larger than memory"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        required=True,
        metavar="KIND:DIR",
        help="images:DIR of face crops without labels, or a labeled data set",
    )
    parser.add_argument("--split", help="part of the data set (default: its training part)")
    parser.add_argument("--labels", help="fer2013's label rule (default: ferplus-argmax)")
    parser.add_argument("--side", type=int, default=48, help="of the faces in pixels (default: 48)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="named as mapped:DIR"
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
    print(f"{n} faces: mapped:{arguments.out}")
    return 0
