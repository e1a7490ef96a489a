"""Print every field of a config with its meaning and default."""

import argparse

from fer_live.plain_text import say

HELP = "print every field of a config with its default"
EXAMPLES = (
    "fer-train config",
    "fer-train config --method fixmatch",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        default="supervised",
        help="print the options of this method too (default: supervised)",
    )


def run(arguments: argparse.Namespace) -> int:
    from training.config import config_to_toml, parse_config

    config = parse_config({"run": {"method": arguments.method}}, "--method")
    say(*config_to_toml(config).rstrip("\n").split("\n"))
    return 0
