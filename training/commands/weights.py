"""Keep the weights of finished runs in half precision, with their sums, beside their results."""

import argparse
from pathlib import Path

from fer_live.plain_text import say

HELP = "keep the weights of runs in half precision, with their sums"
EXAMPLES = (
    "fer-train weights runs/first --out kept/",
    "fer-train weights runs/one runs/two --out kept/",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN_DIR", help="the folder of a finished run"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="write the weights to this folder"
    )


def run(arguments: argparse.Namespace) -> int:
    from training.study.weights import keep_weights

    for path in keep_weights(arguments.runs, arguments.out):
        say(path)
    return 0
