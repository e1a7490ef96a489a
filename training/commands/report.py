"""Make tables and plots of a grid's results."""

import argparse
from pathlib import Path

from fer_live.base.home import keep_fonts_here
from fer_live.plain_text import say

HELP = "make tables and plots of a grid's results"
EXAMPLES = (
    "fer-train report results/",
    "fer-train report training/results/",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="the folder that the grid wrote its results to"
    )


def run(arguments: argparse.Namespace) -> int:
    keep_fonts_here()
    from training.study.report import write_report

    say(write_report(arguments.folder))
    return 0
