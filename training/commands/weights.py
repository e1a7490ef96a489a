"""Keep the weights of finished runs in half precision, with their sums, beside their results."""

import argparse
from pathlib import Path

HELP = "keep the weights of runs in half precision, with their sums"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def run(arguments: argparse.Namespace) -> int:
    from training.study.weights import keep_weights

    for path in keep_weights(arguments.runs, arguments.out):
        print(path)
    return 0
