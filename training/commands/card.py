"""Put a model card, a Markdown text, into a checkpoint."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file

HELP = "put a model card, Markdown, into a checkpoint"
EXAMPLES = (
    "fer-train card runs/first --text card.md --out model.safetensors",
    "fer-train card model.safetensors --text card.md --out model-with-card.safetensors",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a checkpoint: .safetensors or a run folder")
    parser.add_argument(
        "--text", type=Path, required=True, metavar="FILE.md", help="the Markdown of the card"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.safetensors",
        help="write the changed checkpoint to this file",
    )


def run(arguments: argparse.Namespace) -> int:
    from training.models.checkpoint import put_card

    check_output_file(arguments.out, (".safetensors",))
    put_card(arguments.model, arguments.text, arguments.out)
    return 0
