"""Measure where faces lie in a data set's images."""

import argparse
import json

from fer_live.plain_text import say
from training.commands.figures import DATA_VARIABLE, named_data

HELP = "measure where faces lie in a data set's images"
EXAMPLES = (
    "fer-train framing --data fer2013:DIR",
    "fer-train framing",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="fer2013:DIR",
        help=f"measure the images of this data set (default: ${DATA_VARIABLE})",
    )


def run(arguments: argparse.Namespace) -> int:
    from training.measure.framing import measure_framing

    told = json.dumps(measure_framing(named_data(arguments.data)), indent=2)
    say(*told.split("\n"))
    return 0
