"""Measure where faces lie in a data set's images."""

import argparse
import json

from training.commands.figures import DATA_VARIABLE, named_data

HELP = "measure where faces lie in a data set's images"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="fer2013:DIR", help=f"default: ${DATA_VARIABLE}")


def run(arguments: argparse.Namespace) -> int:
    from training.measure.framing import measure_framing

    print(json.dumps(measure_framing(named_data(arguments.data)), indent=2))
    return 0
