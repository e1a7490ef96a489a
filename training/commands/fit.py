"""Train a model by a config."""

import argparse
from pathlib import Path

from fer_live.errors import FerLiveError
from fer_live.plain_text import say

HELP = "train a model by a config"
EXAMPLES = (
    "fer-train fit --config released.toml --out runs/first",
    "fer-train fit --config released.toml --set data.labeled_share=0.1 --out runs/first --resume",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE.toml", help="train by this config"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN_DIR", help="write the run to this folder"
    )
    parser.add_argument(
        "--data", metavar="KIND:DIR", help="train on this, and not on the config's data.source"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.FIELD=VALUE",
        help="replace a value of the config; may be given several times",
    )
    parser.add_argument("--resume", action="store_true", help="resume the run in --out")


def run(arguments: argparse.Namespace) -> int:
    from training.config import load_config
    from training.loop.train import fit

    config = load_config(arguments.config, arguments.set)
    if arguments.data is not None:
        data = config.data.model_copy(update={"source": arguments.data})
        config = config.model_copy(update={"data": data})
    try:
        metrics = fit(config, arguments.out, resume=arguments.resume)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; --resume resumes it from the last checkpoint") from None
    for name, figures in metrics.items():
        say(f"{name}: accuracy {figures['accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f}")
    say(f"model: {arguments.out / 'model.safetensors'}")
    return 0
